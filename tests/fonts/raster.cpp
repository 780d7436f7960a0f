// SPDX-License-Identifier: MIT
#include "gt/fonts/raster.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "fonts.hpp"
#include "gt/base/sha256.hpp"

namespace raster_test {

using gt::fonts::BitMatrix;
using gt::fonts::draw_token;

namespace {

struct NoBytes {
  gt::fonts::Cell cell(char32_t, int) const { return {}; }
};
static_assert(gt::fonts::GlyphSource<gt::fonts::HexFont> && !gt::fonts::GlyphSource<NoBytes>);

int ink(BitMatrix const& raster) {
  int n = 0;
  for (int y = 0; y < raster.rows(); ++y)
    for (int x = 0; x < raster.columns(); ++x) n += raster(y, x);
  return n;
}

}  // namespace

TEST_CASE("BitMatrix: bits, packed bytes, transpose, dot products") {
  BitMatrix bits(3, 70);
  bits.set(0, 0), bits.set(0, 9), bits.set(0, 69), bits.set(2, 9), bits.set(2, 69), bits.set(1, 1);
  CHECK(bits.bytes(0).size() == 9);
  CHECK(bits.bytes(0)[0] == 0x80);
  CHECK(bits.bytes(0)[1] == 0x40);
  CHECK(bits.bytes(0)[8] == 0x04);
  CHECK(bits.common(0, 0) == 3);
  CHECK(bits.common(0, 2) == 2);
  CHECK(bits.common(0, 1) == 0);
  auto const turned = bits.transposed();
  CHECK(turned.rows() == 70);
  CHECK(turned.columns() == 3);
  CHECK(turned(69, 2));
  CHECK_FALSE(turned(1, 0));
  CHECK(turned.transposed() == bits);
  CHECK_THROWS_AS(BitMatrix(2, 0), gt::Error);
}

TEST_CASE("draw_token: A is centred, symmetric and upright at every size") {
  auto const font = gt::fonts::HexFont::parse(test::tiny_font);
  for (int const side : {16, 32, 64}) {
    CAPTURE(side);
    int const k = side / 16;
    auto const a = draw_token(font, "A", side);
    CHECK(ink(a) == 28 * k * k);
    for (int y = 0; y < side; ++y)
      for (int x = 0; x < side; ++x) CHECK(a(y, x) == a(y, side - 1 - x));
    // Ink from line 4 to line 15, 12 lines, centred: 2 blank lines above and below.
    for (int x = 0; x < side; ++x) CHECK_FALSE((a(2 * k - 1, x) || a(14 * k, x)));
    CHECK(a(2 * k, 8 * k));
    CHECK(a(10 * k, 8 * k));  // the bar, line 12 of the glyph
    CHECK(a(13 * k, 5 * k));  // the foot, column 1 of 8, behind 4 of margin
  }
}

TEST_CASE("draw_token: the box of a glyph reaches to the baseline") {
  // A bar on lines 2 to 3 only: its box spans lines 2 to 13, 12 lines, so that the ink is at 2 of 16.
  auto const font =
      gt::fonts::HexFont::parse("0027:0000FFFF000000000000000000000000\n005F:000000000000000000000000000000FF\n");
  auto const high = draw_token(font, "'", 16);
  for (int y = 0; y < 16; ++y) CHECK(high(y, 4) == (y == 2 || y == 3));
  auto const low = draw_token(font, "_", 16);  // line 15: box of lines 14 and 15, at 7 and 8
  for (int y = 0; y < 16; ++y) CHECK(low(y, 4) == (y == 8));
}

TEST_CASE("draw_token: several characters are squeezed by taking column floor((x + 1/2) * len)") {
  auto const font = gt::fonts::HexFont::parse(test::tiny_font);
  for (std::string const token :
       {"AA", "Al", "lA█", "AlA█l AAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAlAAA"}) {
    CAPTURE(token);
    std::vector<BitMatrix> cells;
    for (gt::utf8::Unit const c : gt::utf8::Units{token})
      cells.push_back(draw_token(font, gt::utf8::encode(c.value), 32));
    auto const raster = draw_token(font, token, 32);
    for (int x = 0; x < 32; ++x) {
      auto const column = static_cast<int>((x + 0.5) * static_cast<double>(cells.size()));
      for (int y = 0; y < 32; ++y) CHECK(raster(y, x) == cells[static_cast<std::size_t>(column / 32)](y, column % 32));
    }
  }
}

TEST_CASE("draw_token: blanks, missing characters, broken UTF-8, bad sizes") {
  auto const font = gt::fonts::HexFont::parse(test::tiny_font);
  CHECK(ink(draw_token(font, " ", 32)) == 0);
  CHECK(ink(draw_token(font, "", 32)) == 0);
  CHECK(ink(draw_token(font, "😀", 32)) > 60 * 4);
  CHECK_FALSE(draw_token(font, "😀", 32) == draw_token(font, "😁", 32));
  CHECK_FALSE(draw_token(font, "\xE2", 32) == draw_token(font, "\xE3", 32));
  CHECK_FALSE(draw_token(font, "\xE2", 32) == draw_token(font, "â", 32));
  for (int const side : {0, -16, 8, 24, 48, 128}) {
    CHECK(test::has(test::error_of([&] { draw_token(font, "A", side); }), "16, 32 or 64"));
    CHECK_THROWS_AS(gt::fonts::draw_tokens(font, {"A"}, side), gt::Error);
    CHECK_THROWS_AS(font.cell(U'A', side), gt::Error);
  }
}

TEST_CASE("draw_tokens: one row a token, line by line") {
  auto const font = gt::fonts::HexFont::parse(test::tiny_font);
  auto const rasters = gt::fonts::draw_tokens(font, {"A", "lA", " "}, 16);
  auto const second = draw_token(font, "lA", 16);
  REQUIRE(rasters.rows() == 3);
  REQUIRE(rasters.columns() == 256);
  for (int p = 0; p < 256; ++p) CHECK(rasters(1, p) == second(p / 16, p % 16));
  CHECK(rasters.common(2, 2) == 0);
}

TEST_CASE("polar_snake_order: from the centre outwards") {
  auto const order = gt::fonts::polar_snake_order(32);
  std::vector<std::pair<int, int>> const first{{16, 16}, {16, 15}, {17, 16}, {16, 17}, {15, 16}, {15, 15}};
  for (std::size_t k = 0; k < first.size(); ++k) CHECK(order[k] == first[k].second * 32 + first[k].first);
  CHECK(order.back() == 0);
  auto sorted = order;
  std::sort(sorted.begin(), sorted.end());
  for (int p = 0; p < 1024; ++p) CHECK(sorted[static_cast<std::size_t>(p)] == p);
  CHECK_THROWS_AS(gt::fonts::polar_snake_order(0), gt::Error);
}

// The author's pictures of non-Latin tokens are ours plus noise: a pixel of the canvas turns black where
// numpy.random.rand(32, 32 * len) < 0.001 after numpy.random.seed(42). The hashes are of the bits in polar order.
TEST_CASE("draw_token: with the author's noise, GNU Unifont gives the author's bits") {
  auto const path = test::unifont();
  if (path.empty()) return;
  auto const font = gt::fonts::HexFont::read(path);
  auto const order = gt::fonts::polar_snake_order(32);
  struct Golden {
    std::string token, hash;
  };
  for (Golden const& golden : std::vector<Golden>{
           {"漢", "edf39e8c2aa418844d090677685df3163b90e72efec92a1f59baf0ed38c74e66"},
           {"的", "97bcc9584cd5872cf289ee5229507a7072bb8ec08e0c0b2826f3430b9a4816ef"},
           {"ム", "92d12740c1278611ee727a087f29cd4baa952113fb4e87ab722ca1bb789ebdf0"},
           {"管理", "eeb91bb1aa1cb6ab7630a30e732d52f49d9e7799d20b5a160b18f0c4cfb04e94"},
           {"运动员", "3e693d34f1026c5f337cf598ef32138446e865d39d84c36183430c5ffab26780"},
           {"。上曰", "2254f82711840bee67c3e2d09c7fd7f824fa33debaa7d4afa56f85ff1857cd50"},
           {"ャラク", "36f1ecc27162d11c37fd420e0716052b6d653107c133ebf4438122bb45486a1b"},
           {"レー", "7d5fc7863db53c3b49b20947ef8de06dc7393fe26a6f590b76b6271efe0d1d1e"},
           {"הע", "957e2db329a5e86e3202104b05cf9506b4699bcc0eb637a7cebce5920d07ad9d"},
           {"ებუ", "d881c1f4573518116f549fac3195920a3557e8f5912cfd072f1f01e0c4fd2cfa"},
           {"적", "f2a47beffb92fe5d06c1bca7e19644b971f2a67c8917c24970e00454287ae4bd"},
           {"∉", "2bc819eae6a2387980c3cb12d10a0b82fca4f074185f6b7b33d5039e36c0420b"},
           {"ᗝ", "7fedc7381659eb9c9073bad7a7bb115dc00c7f41391da6789018c19bcf652166"},
           {"年人口", "1170cfabf94788d19743aba075980f36f67f3a65e896595311eeb5bd4af99e1e"},
           {"기원전", "505a1094097d65fca18210df11dd12fadb512f26ad15fd00b2bdf4b991677123"},
           {"般若波羅蜜", "62d966890aa4e079ebdd48080bded216db1c2e94951fe91632284204448230c8"},
       }) {
    CAPTURE(golden.token);
    auto const raster = draw_token(font, golden.token, 32);
    int const len = static_cast<int>(gt::utf8::length(golden.token));
    std::mt19937 twister(42);  // seeded as numpy.random.seed(42)
    std::vector<bool> noise;
    for (int i = 0; i < 32 * 32 * len; ++i) {
      auto const high = twister() >> 5, low = twister() >> 6;
      noise.push_back((static_cast<double>(high) * 67108864.0 + static_cast<double>(low)) / 9007199254740992.0 < 0.001);
    }
    std::string packed(128, '\0');
    for (std::size_t k = 0; k < 1024; ++k) {
      int const y = order[k] / 32, x = order[k] % 32, column = (2 * x + 1) * len / 2;
      if (raster(y, x) ||
          noise.at(static_cast<std::size_t>(y) * 32 * static_cast<std::size_t>(len) + static_cast<std::size_t>(column)))
        packed[k / 8] = static_cast<char>(static_cast<unsigned char>(packed[k / 8]) | 0x80u >> k % 8);
    }
    CHECK(gt::sha256_hex(packed) == golden.hash);
  }
}

}  // namespace raster_test
