// SPDX-License-Identifier: MIT
// Fonts for the tests of the substrates: one drawn here, one of random glyphs, and GNU Unifont where it is installed.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "gt/base/philox.hpp"
#include "gt/fonts/unifont.hpp"
#include "gt/text/utf8.hpp"

namespace test {

/// A, the same picture as Cyrillic A (U+0410), a blank, a bar (l) in the left column, and a full 16 x 16 block
/// (U+2588).
inline char const* const tiny_font =
    "0020:00000000000000000000000000000000\n"
    "0041:0000000018182424424242427E424242\r\n"
    "\n"
    "006c:00008080808080808080808080800000\n"
    "0410:0000000018182424424242427E424242\n"
    "2588:FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF\n";

/// `count` characters from U+4E00 on, each 16 x 16 random pixels.
inline gt::fonts::HexFont random_font(int count) {
  gt::Random const random(gt::seed(7), gt::Purpose::test);
  std::string lines;
  for (int i = 0; i < count; ++i) {
    std::uint32_t const code = 0x4E00u + static_cast<std::uint32_t>(i);
    for (int shift = 12; shift >= 0; shift -= 4) lines += "0123456789ABCDEF"[code >> shift & 15];
    lines += ':';
    for (int d = 0; d < 64; ++d) lines += "0123456789ABCDEF"[random.bits(static_cast<std::uint64_t>(i * 64 + d)) & 15];
    lines += '\n';
  }
  return gt::fonts::HexFont::parse(lines, "random");
}
inline std::vector<std::string> random_font_tokens(int count) {
  std::vector<std::string> tokens;
  for (int i = 0; i < count; ++i) tokens.push_back(gt::utf8::encode(static_cast<char32_t>(0x4E00 + i)));
  return tokens;
}

/// GNU Unifont's path, from GT_UNIFONT_HEX or where Debian installs it; empty, with a message, where there is none.
inline std::string unifont() {
  char const* const given = std::getenv("GT_UNIFONT_HEX");
  std::string const path = given != nullptr ? given : "/usr/share/unifont/unifont.hex";
  if (std::ifstream(path).good()) return path;
  MESSAGE("skipped: needs ", path, " (Debian's package unifont, or set GT_UNIFONT_HEX)");
  return {};
}

/// The message of the Error that `f` throws; empty if it throws none.
template <class F>
std::string error_of(F&& f) {
  try {
    f();
  } catch (gt::Error const& error) {
    return error.what();
  }
  return {};
}
inline bool has(std::string const& text, std::string const& part) { return text.find(part) != std::string::npos; }

}  // namespace test
