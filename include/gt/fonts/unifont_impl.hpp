// SPDX-License-Identifier: MIT
// What gt/fonts/unifont.hpp declares.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/fonts/raster.hpp"
#include "gt/fonts/unifont.hpp"
#include "gt/io/text_file.hpp"

namespace gt::inline GT_ABI::fonts {

GT_FN HexFont HexFont::parse(std::string_view text, std::string_view name) {
  HexFont font;
  for (int line = 1; !text.empty(); ++line) {
    auto const end = std::min(text.find('\n'), text.size());
    std::string_view row = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (row.ends_with('\r')) row.remove_suffix(1);
    if (!row.empty()) font.add(row, name, line);
  }
  check(!font.glyphs_.empty(), "HexFont", name, " must hold at least one glyph (got none)");
  return font;
}

GT_FN HexGlyph const* HexFont::glyph(char32_t code_point) const {
  auto const found = index_.find(code_point);
  return found == index_.end() ? nullptr : &glyphs_[found->second];
}

GT_FN Cell HexFont::cell(char32_t code_point, int side) const {
  HexGlyph const* const known = glyph(code_point);
  return place(known != nullptr ? *known : hex_box(static_cast<std::uint32_t>(code_point)), side);
}

GT_FN Cell HexFont::place(HexGlyph const& glyph, int side) {
  check(is_raster_side(side), "HexFont", "the cell must be 16, 32 or 64 pixels wide (got ", side, ")");
  int top = baseline, bottom = baseline;
  for (int y = 0; y < 16; ++y) {
    if (glyph.lines[static_cast<std::size_t>(y)] == 0) continue;
    top = std::min(top, y);
    bottom = std::max(bottom, y + 1);
  }
  int const scale = side / 16;
  int const left = (side - glyph.width * scale) / 2, above = (side - (bottom - top) * scale) / 2;
  Cell cell;
  for (int y = 0; y < (bottom - top) * scale; ++y) {
    auto const from = static_cast<std::size_t>(top) + static_cast<std::size_t>(y / scale);
    auto& row = cell.rows[static_cast<std::size_t>(above) + static_cast<std::size_t>(y)];
    for (int x = 0; x < glyph.width * scale; ++x)
      if ((glyph.lines[from] >> (15 - x / scale) & 1) != 0) row |= std::uint64_t{1} << (left + x);
  }
  return cell;
}

GT_FN std::string HexFont::contents(std::string const& path) {
  try {
    return read_text_file(path);
  } catch (Error const& missing) {
    throw Error(std::string(missing.what()) + "; install Debian's package unifont, or give --font FILE");
  }
}

GT_FN void HexFont::add(std::string_view row, std::string_view name, int line) {
  auto const colon = row.find(':');
  auto const code = row.substr(0, colon);
  bool const shaped = colon != std::string_view::npos && code.size() >= 4 && code.size() <= 6;
  check(shaped, "HexFont", "line ", line, " of ", name,
        " must read CODE:BITMAP with a CODE of 4 to 6 hexadecimal digits; only GNU Unifont's .hex format is read here");
  std::uint32_t code_point = 0;
  for (char const c : code) code_point = code_point << 4 | digit(c, name, line);
  check(code_point <= 0x10FFFF && (code_point < 0xD800 || code_point > 0xDFFF), "HexFont", "line ", line, " of ", name,
        " must name a Unicode character, at most 10FFFF and no surrogate (got ", code, ")");
  auto const bitmap = row.substr(colon + 1);
  check(bitmap.size() == 32 || bitmap.size() == 64, "HexFont", "line ", line, " of ", name,
        " must have 32 or 64 hexadecimal digits after the colon (got ", bitmap.size(), ")");
  HexGlyph glyph{.width = static_cast<int>(bitmap.size() / 4)};
  auto const digits = bitmap.size() / 16;  // 2 or 4 a line
  for (std::size_t i = 0; i < bitmap.size(); ++i) {
    auto const shift = 12 - 4 * static_cast<int>(i % digits);
    auto& bits = glyph.lines[i / digits];
    bits = static_cast<std::uint16_t>(bits | digit(bitmap[i], name, line) << shift);
  }
  bool const fresh = index_.emplace(static_cast<char32_t>(code_point), glyphs_.size()).second;
  check(fresh, "HexFont", "line ", line, " of ", name, " must not repeat a character (got ", code, " again)");
  glyphs_.push_back(glyph);
}

GT_FN std::uint32_t HexFont::digit(char c, std::string_view name, int line) {
  if (c >= '0' && c <= '9') return static_cast<std::uint32_t>(c - '0');
  if (c >= 'A' && c <= 'F') return static_cast<std::uint32_t>(c - 'A' + 10);
  if (c >= 'a' && c <= 'f') return static_cast<std::uint32_t>(c - 'a' + 10);
  fail("HexFont", "line ", line, " of ", name, " must have hexadecimal digits only, around one colon");
}

namespace detail {

GT_FN HexGlyph framed_digits(std::uint32_t value, int columns, int lines) {
  // Five lines of three pixels a digit, the top line in the high bits; an octal digit is a line.
  constexpr std::array<std::uint16_t, 16> digits{075557, 026227, 071747, 071717, 055711, 074717, 074757, 071222,
                                                 075757, 075717, 025755, 065656, 034443, 065556, 074647, 074644};
  HexGlyph box;
  box.lines.fill(0x8001);
  box.lines.front() = box.lines.back() = 0xFFFF;
  int const left = (16 - (4 * columns - 1)) / 2, above = lines == 1 ? 5 : 2;
  for (int i = 0; i < columns * lines; ++i) {
    auto const shape = digits[value >> (4 * (columns * lines - 1 - i)) & 15];
    auto* line = &box.lines[static_cast<std::size_t>(i < columns ? above : above + 7)];
    int const right = 13 - left - 4 * (i % columns);  // the bit of the digit's rightmost pixel
    for (int y = 0; y < 5; ++y, ++line)
      *line = static_cast<std::uint16_t>(*line | (shape >> (12 - 3 * y) & 7) << right);
  }
  return box;
}

}  // namespace detail

}  // namespace gt::fonts
