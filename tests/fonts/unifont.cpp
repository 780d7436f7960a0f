// SPDX-License-Identifier: MIT
#include "gt/fonts/unifont.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "fonts.hpp"

namespace unifont_test {

using gt::fonts::HexFont;
using test::error_of;
using test::has;

TEST_CASE("HexFont: reads 8 x 16 and 16 x 16 glyphs, either case, either line end, blank lines") {
  auto const font = HexFont::parse(test::tiny_font);
  CHECK(font.size() == 5);
  REQUIRE(font.glyph(U'A') != nullptr);
  CHECK(font.glyph(U'A')->width == 8);
  CHECK(font.glyph(U'A')->lines[4] == 0x1800);
  CHECK(font.glyph(U'A')->lines[12] == 0x7E00);
  CHECK(font.glyph(U'█')->width == 16);
  CHECK(font.glyph(U'█')->lines[15] == 0xFFFF);
  CHECK(font.glyph(U'l')->lines[2] == 0x8000);
  CHECK(font.glyph(U'B') == nullptr);
  CHECK(HexFont::parse("1F600:" + std::string(64, '0')).glyph(U'\U0001F600') != nullptr);
}

TEST_CASE("HexFont: hostile text is refused in one sentence that names the line") {
  std::string const good = "0041:00000000181824244242427E42424242\n";
  std::string const bits(32, '0');
  struct Bad {
    std::string text, says;
  };
  for (Bad const& bad : std::vector<Bad>{
           {"", "at least one glyph"},
           {"\n\n", "at least one glyph"},
           {gt::text(good, "0042"), "line 2"},
           {gt::text(good, "0042", bits), "must read CODE:BITMAP"},
           {gt::text(good, ":", bits), "4 to 6"},
           {gt::text(good, "42:", bits), "4 to 6"},
           {gt::text(good, "0000042:", bits), "4 to 6"},
           {gt::text(good, "00G2:", bits), "hexadecimal digits only"},
           {gt::text(good, "-042:", bits), "hexadecimal digits only"},
           {gt::text(good, "110000:", bits), "at most 10FFFF"},
           {gt::text(good, "D800:", bits), "no surrogate"},
           {gt::text(good, "0042:"), "32 or 64"},
           {gt::text(good, "0042:", bits, "0"), "(got 33)"},
           {gt::text(good, "0042:", std::string(48, '0')), "(got 48)"},
           {gt::text(good, "0042:", std::string(31, '0'), "x"), "hexadecimal digits only"},
           {gt::text(good, "\n", good), "line 3 of font must not repeat"},
           {std::string("OTTO\0\1\2", 7), "only GNU Unifont's .hex format"},
       }) {
    CAPTURE(bad.text);
    auto const error = error_of([&] { HexFont::parse(bad.text); });
    CHECK(has(error, "gt: HexFont: "));
    CHECK(has(error, bad.says));
  }
}

TEST_CASE("HexFont: a missing file says how to get it") {
  auto const error = error_of([] { HexFont::read("/no/such/unifont.hex"); });
  CHECK(has(error, "/no/such/unifont.hex"));
  CHECK(has(error, "install Debian's package unifont, or give --font FILE"));
}

TEST_CASE("hex_box: characters that the font lacks look different from each other") {
  std::set<std::vector<std::uint16_t>> seen;
  auto const add = [&](gt::fonts::HexGlyph const& box) { seen.emplace(box.lines.begin(), box.lines.end()); };
  for (std::uint32_t c = 0; c <= 0x10FFFF; c += 0x111) add(gt::fonts::hex_box(c));
  for (std::uint32_t c = 0; c < 4096; ++c) add(gt::fonts::hex_box(0x1F000 + c));
  auto const boxes = 0x10FFFFu / 0x111 + 1 + 4096 - 15;  // 15 multiples of 0x111 lie in 1F000..1FFFF
  CHECK(seen.size() == boxes);
  for (int byte = 0; byte < 256; ++byte) add(gt::fonts::byte_box(static_cast<unsigned char>(byte)));
  CHECK(seen.size() == boxes + 256);
  auto const box = gt::fonts::hex_box(0x1F600);
  CHECK(box.lines.front() == 0xFFFF);
  CHECK(box.lines[1] == 0x8001);
  CHECK(box.lines[2] == (0x8001 | 0b0011'1001'0011'1000));  // the upper lines of 0, 1, F
}

TEST_CASE("HexFont: GNU Unifont") {
  auto const path = test::unifont();
  if (path.empty()) return;
  auto const font = HexFont::read(path);
  CHECK(font.size() >= 57'000);
  for (char32_t c = 0; c < 0x250; ++c) CHECK(font.glyph(c) != nullptr);
  CHECK(font.glyph(U'\U0001F600') == nullptr);
  if (font.size() != 57'086) return;  // the counts below are of version 15.0.01

  std::map<std::vector<int>, int> bitmaps;
  std::map<std::string, int> rasters;
  for (char32_t c = 0; c < 0x10000; ++c) {
    auto const* const glyph = font.glyph(c);
    if (glyph == nullptr) continue;
    std::vector<int> key(glyph->lines.begin(), glyph->lines.end());
    key.push_back(glyph->width);
    ++bitmaps[key];
    auto const cell = font.cell(c, 32);
    ++rasters[std::string(reinterpret_cast<char const*>(cell.rows.data()), sizeof cell.rows)];
  }
  auto const shared = [](auto const& map) {
    return std::count_if(map.begin(), map.end(), [](auto const& entry) { return entry.second > 1; });
  };
  CHECK(57'086 - bitmaps.size() == 682);
  CHECK(shared(bitmaps) == 529);
  CHECK(57'086 - rasters.size() == 793);  // centring hides at which height a glyph stands
  CHECK(shared(rasters) == 603);
}

}  // namespace unifont_test
