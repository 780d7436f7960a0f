// SPDX-License-Identifier: MIT
// Any text as a font in the format .hex: each glyph that is read is drawn, and written again it reads the same.
#include "gt/fonts/unifont.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

#include "fuzz.hpp"

using namespace gt;

namespace {

std::string row_of(char32_t code, fonts::HexGlyph const& glyph) {
  std::string row;
  auto const digits = [&](std::uint32_t value, int count) {
    for (int shift = 4 * (count - 1); shift >= 0; shift -= 4) row += "0123456789ABCDEF"[value >> shift & 15];
  };
  digits(static_cast<std::uint32_t>(code), 6);
  row += ':';
  for (std::uint32_t const line : glyph.lines) digits(glyph.width == 8 ? line >> 8 : line, glyph.width / 4);
  return row + "\n";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  auto const input = fuzz::text_of(data, size);
  std::string rows;
  std::int64_t glyphs = 0;
  bool const read = fuzz::accepts(size, {}, [&] {
    auto const font = fonts::HexFont::parse(input, "fuzz");
    glyphs = font.size();
    if (size > 4096) return;
    for (char32_t c = 0; c <= 0x10FFFF; c += c < 0x300 ? 1 : 0x101) {
      fonts::HexGlyph const* const glyph = font.glyph(c);
      if (glyph == nullptr) continue;
      for (int const side : {16, 32, 64}) font.cell(c, side);
      rows += row_of(c, *glyph);
    }
    for (int const side : {16, 32, 64}) font.cell(0x10FFFF, side), font.undecoded(0xFF, side);
  });
  if (!read || rows.empty()) return 0;
  auto const again = fonts::HexFont::parse(rows, "fuzz");
  fuzz::require(again.size() <= glyphs, "no glyph may come from nowhere");
  for (std::size_t at = 0; at < rows.size(); at = rows.find('\n', at) + 1) {
    auto const code = static_cast<char32_t>(std::stoul(rows.substr(at, 6), nullptr, 16));
    fuzz::require(again.glyph(code) != nullptr &&
                      row_of(code, *again.glyph(code)) == rows.substr(at, rows.find('\n', at) + 1 - at),
                  "what is written must read the same");
  }
  return 0;
}
