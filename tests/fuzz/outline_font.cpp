// SPDX-License-Identifier: MIT
// Any bytes as a font of outlines: what is taken is drawn, by stb_truetype, which checks nothing itself.
#include "gt/fonts/outline_font.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "fuzz.hpp"

using namespace gt;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  // A map of one line may name all of Unicode; a curve may fall into a thousand pieces. Both have a bound of their own.
  fuzz::HeapBudget const budget{.constant = 48 << 20, .factor = 256};
  int faces = 1;
  for (int face = 0; face < std::min(faces, 3); ++face) {
    fuzz::accepts(size, budget, [&] {
      auto const font = fonts::OutlineFont::parse(std::span(data, size), "fuzz", {.face = face});
      faces = font.faces();
      int drawn = 0;
      for (char32_t c = 0; c <= 0x10FFFF && drawn < 4; c += c < 0x100 ? 1 : 0x1001) {
        if (!font.has(c)) continue;
        font.cell(c, drawn % 3 == 0 ? 64 : drawn % 3 == 1 ? 16 : 32);
        ++drawn;
      }
    });
  }
  return 0;
}
