// SPDX-License-Identifier: MIT
// Any text as Unifont's list of combining marks: all characters of the scripts that it changes are set and drawn.
#include <cstddef>
#include <cstdint>
#include <string>

#include "fuzz.hpp"
#include "gt/paper/bvv241_font.hpp"

using namespace gt;

namespace {

// A letter, a mark with ink, the dotted circle, a blank.
constexpr std::string_view font =
    "0041:0000000018242442427E424242420000\n"
    "05B4:00000000000000000000000000000808\n"
    "25CC:00000000000000000000000000244281000000000000000000000000810042240000\n"
    "FFFD:FFFF8001800180018001800180018001800180018001800180018001800180FFFF01\n"
    "0020:00000000000000000000000000000000\n";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  auto const input = fuzz::text_of(data, size);
  fuzz::accepts(size, {}, [&] {
    auto const set = Bvv241Font::parse(font, input);
    auto const draw = [&](char32_t first, char32_t last) {
      for (char32_t c = first; c <= last; ++c) {
        SetCharacter const s = set.set(c);
        fuzz::require(s.count >= 0 && s.count <= 3, "a character has at most three pieces");
        fuzz::require(s.left <= s.right && s.top <= s.bottom && s.width() <= 256 && s.height() <= 256,
                      "a character must stay near its pen");
      }
    };
    draw(0x0, 0x0900), draw(0x0E00, 0x0FFF), draw(0x17B0, 0x1900), draw(0x3020, 0x3030), draw(0xFB00, 0xFF00);
  });
  return 0;
}
