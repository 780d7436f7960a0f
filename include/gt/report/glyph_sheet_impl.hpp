// SPDX-License-Identifier: MIT
// What gt/report/glyph_sheet.hpp declares.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "gt/base/macros.hpp"
#include "gt/fonts/bit_matrix.hpp"
#include "gt/fonts/raster.hpp"
#include "gt/report/glyph_sheet.hpp"
#include "gt/report/png.hpp"
#include "gt/text/utf8.hpp"

namespace gt::inline GT_ABI::report {

GT_FN std::string sheet_label(std::string_view token) {
  std::string label;
  utf8::Units const units(token);
  if (auto const first = units.begin(); first != units.end() && (*first).size == token.size() && (*first).valid) {
    auto const c = static_cast<std::uint32_t>((*first).value);
    for (int shift = c > 0xFFFFF ? 20 : c > 0xFFFF ? 16 : 12; shift >= 0; shift -= 4)
      label += "0123456789ABCDEF"[c >> shift & 15];
    return label;
  }
  for (utf8::Unit const unit : units) {
    if (!unit.valid) {
      label += static_cast<char>(unit.value);
    } else {
      utf8::append(label, unit.value == U' ' ? U'\u2423' : unit.value < 0x20 ? unit.value + 0x2400 : unit.value);
    }
  }
  return label;
}

GT_FN void write_glyph_sheet(std::string const& path, fonts::BitMatrix const& rasters, GlyphSheetOptions options) {
  struct NoGlyphs {
    fonts::Cell cell(char32_t, int) const { return {}; }
    fonts::Cell undecoded(unsigned char, int) const { return {}; }
  };
  write_png(path, glyph_sheet(rasters, {}, NoGlyphs{}, options));
}

}  // namespace gt::report
