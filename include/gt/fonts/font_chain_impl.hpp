// SPDX-License-Identifier: MIT
// What gt/fonts/font_chain.hpp declares.
#pragma once

#include <unistd.h>
#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/fonts/font_chain.hpp"
#include "gt/fonts/outline_font.hpp"
#include "gt/fonts/raster.hpp"
#include "gt/fonts/unifont.hpp"

namespace gt::inline GT_ABI::fonts {

GT_FN FontChain::FontChain(std::vector<Font> fonts) : fonts_{std::move(fonts)} {
  check(!fonts_.empty(), "FontChain", "needs at least one font (got none)");
}

GT_FN int FontChain::font_of(char32_t code_point) const {
  auto const found = std::find_if(fonts_.begin(), fonts_.end(), [&](Font const& f) { return has(f, code_point); });
  return found == fonts_.end() ? -1 : static_cast<int>(found - fonts_.begin());
}

GT_FN Cell FontChain::cell(char32_t code_point, int side) const {
  int const font = font_of(code_point);
  if (font < 0) return HexFont::place(hex_box(static_cast<std::uint32_t>(code_point)), side);
  Font const& f = fonts_[static_cast<std::size_t>(font)];
  if (auto const* const hex = std::get_if<HexFont>(&f)) return hex->cell(code_point, side);
  return std::get<OutlineFont>(f).cell(code_point, side);
}

GT_FN bool FontChain::has(Font const& font, char32_t code_point) {
  if (auto const* const hex = std::get_if<HexFont>(&font)) return hex->glyph(code_point) != nullptr;
  return std::get<OutlineFont>(font).has(code_point);
}

GT_FN std::pair<std::string, int> FontChain::without_face(std::string const& given) {
  auto const colon = given.rfind(':');
  if (colon == std::string::npos || can_be_read(given)) return {given, -1};
  int face = 0;
  char const *const begin = given.data() + colon + 1, *const end = given.data() + given.size();
  auto const [stop, error] = std::from_chars(begin, end, face);
  if (error != std::errc() || stop != end || face < 0) return {given, -1};
  return {given.substr(0, colon), face};
}

GT_FN bool FontChain::is_text(std::string_view bytes) {
  std::string_view const start = bytes.substr(0, 256);
  bool const printable = std::all_of(
      start.begin(), start.end(), [](char c) { return (c >= ' ' && c <= '~') || c == '\n' || c == '\r' || c == '\t'; });
  return printable && !detail::begins_as_font(start);
}

}  // namespace gt::fonts
