// SPDX-License-Identifier: MIT
#include "gt/fonts/outline_font.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fonts.hpp"
#include "gt/base/philox.hpp"
#include "gt/base/sha256.hpp"
#include "made_fonts.hpp"

namespace outline_font_test {

using gt::fonts::Cell;
using gt::fonts::OutlineFont;
using test::box;
using test::error_of;
using test::has;

namespace {

OutlineFont font_of(test::Tables const& tables) { return OutlineFont::parse(test::font_file(tables), "made"); }
/// A font whose letter A is this glyph.
OutlineFont letter(test::Contours const& contours, int advance = 32) {
  return font_of(test::true_type({{}, test::simple_glyph(contours)}, {32, advance}));
}
/// A cell in which just the pixels from (x0, y0) to before (x1, y1) are black.
Cell block(int x0, int y0, int x1, int y1) {
  Cell cell;
  for (int y = y0; y < y1; ++y)
    for (int x = x0; x < x1; ++x) cell.rows[static_cast<std::size_t>(y)] |= std::uint64_t{1} << x;
  return cell;
}
bool same(Cell const& a, Cell const& b) { return a.rows == b.rows; }
int ink(Cell const& cell) {
  int n = 0;
  for (auto const row : cell.rows) n += std::popcount(row);
  return n;
}

}  // namespace

TEST_CASE("OutlineFont: a box lies where GlyphSource says, at every size") {
  auto const font = letter({box(8, 0, 24, 32)});  // 64 units a line: a unit is a pixel at 64
  CHECK(font.size() == 1);
  CHECK(font.faces() == 1);
  CHECK(font.has(U'A'));
  CHECK_FALSE(font.has(U'B'));
  CHECK(same(font.cell(U'A', 64), block(24, 16, 40, 48)));  // left edge (64 - 32) / 2 + 8, top edge (64 - 32) / 2
  CHECK(same(font.cell(U'A', 32), block(12, 8, 20, 24)));
  CHECK(same(font.cell(U'A', 16), block(6, 4, 10, 12)));
}

TEST_CASE("OutlineFont: the baseline belongs to the glyph, above it and below") {
  CHECK(same(letter({box(8, 20, 24, 32)}).cell(U'A', 64), block(24, 16, 40, 28)));  // 32 high, ink in the upper 12
  CHECK(same(letter({box(8, -8, 24, -4)}).cell(U'A', 64), block(24, 32, 40, 36)));  // 8 high, ink in the lower 4
  CHECK(same(letter({box(8, -60, 24, 60)}).cell(U'A', 64), block(24, 0, 40, 64)));  // 120 high: cut at both ends
  CHECK(same(letter({box(-40, 0, 90, 32)}).cell(U'A', 64), block(0, 16, 64, 48)));  // ink beyond the advance: cut
}

TEST_CASE("OutlineFont: a pixel is black from half of it covered on") {
  CHECK(ink(letter({box(8, 0, 10, 32)}).cell(U'A', 16)) == 8);  // half a pixel wide
  CHECK(ink(letter({box(8, 0, 9, 32)}).cell(U'A', 16)) == 0);
  CHECK(same(letter({box(6, 0, 14, 32)}).cell(U'A', 16), block(5, 4, 8, 12)));  // half, whole, half
}

TEST_CASE("OutlineFont: curves, holes, and a point off the curve at the start") {
  // Four control points of a square of side s make a figure of 5/6 s^2.
  std::vector<test::Point> const round{{8, 0, false}, {8, 48, false}, {56, 48, false}, {56, 0, false}};
  CHECK(ink(letter({round}, 64).cell(U'A', 64)) == doctest::Approx(48 * 48 * 5 / 6.0).epsilon(0.02));
  std::vector<test::Point> hole = box(20, 12, 44, 36);
  CHECK(ink(letter({box(8, 0, 56, 48), {hole.rbegin(), hole.rend()}}, 64).cell(U'A', 64)) == 48 * 48 - 24 * 24);
}

TEST_CASE("OutlineFont: a glyph wider than the cell is narrowed to it, a mark without advance is centred by its ink") {
  CHECK(same(letter({box(0, 0, 128, 32)}, 128).cell(U'A', 64), block(0, 16, 64, 48)));
  CHECK(same(letter({box(32, 0, 64, 32)}, 128).cell(U'A', 64), block(16, 16, 32, 48)));
  CHECK(same(letter({box(-20, 40, -12, 48)}, 0).cell(U'A', 64), block(28, 8, 36, 16)));
}

TEST_CASE("OutlineFont: composite glyphs are moved, scaled once, turned and nested") {
  auto const drawn = [](std::vector<test::Part> const& parts) {
    auto const inner = test::composite_glyph({{1, 2, 0, {}}});  // the box, moved by 2
    return font_of(test::true_type({{}, test::simple_glyph({box(8, 0, 24, 32)}), test::composite_glyph(parts), inner},
                                   {32, 32, 64, 64}))
        .cell(U'B', 64);
  };
  CHECK(same(drawn({{1, 0, 0, {}}}), block(8, 16, 24, 48)));
  CHECK(same(drawn({{1, 10, -4, {}}}), block(18, 16, 34, 48)));   // 28 above the baseline, 4 below: still 32 high
  CHECK(same(drawn({{1, 0, 0, {8192}}}), block(4, 24, 12, 40)));  // by 1/2
  CHECK(same(drawn({{1, 0, 0, {8192, 16384}}}), block(4, 16, 12, 48)));           // x by 1/2
  CHECK(same(drawn({{1, 40, 0, {0, 16384, -16384, 0}}}), block(8, 20, 40, 36)));  // x' = 40 - y, y' = x
  CHECK(same(drawn({{1, 16, 0, {8192}, 2 | 2048}}), block(12, 24, 20, 40)));      // the offset is scaled too
  CHECK(same(drawn({{1, 5, 5, {}, 0}}), block(8, 16, 24, 48)));                   // points to match: stays
  CHECK(same(drawn({{3, 0, 0, {8192}}}), block(5, 24, 13, 40)));                  // (8 + 2) / 2
  CHECK(ink(drawn({{1, 0, 0, {}}, {3, 20, 0, {}}})) == 2 * 16 * 32);
  CHECK(ink(drawn({{1, 32767, 32767, {32767}}})) == 0);  // far outside
}

TEST_CASE("OutlineFont: PostScript outlines draw the same, alone and from subroutines, with and without dictionaries") {
  for (int const select : {-1, 0, 3}) {
    CAPTURE(select);
    auto parts = test::small_cff();
    parts.select = select;
    auto const font = font_of(test::open_type(parts));
    CHECK(same(font.cell(U'A', 64), block(24, 16, 40, 48)));
    CHECK(same(font.cell(U'B', 64), block(24, 16, 40, 48)));
    CHECK(ink(font.cell(U'C', 64)) > 100);
  }
}

TEST_CASE("OutlineFont: the same pixels from every compiler and for every processor") {
  gt::Random const random(gt::seed(21), gt::Purpose::test);
  std::uint64_t k = 0;
  auto const number = [&](int below) { return static_cast<int>(random.bits(k++) % static_cast<std::uint64_t>(below)); };
  std::vector<test::Bytes> glyphs{{}};
  std::vector<int> advances{32};
  for (int i = 0; i < 300; ++i) {
    test::Contours contours(3);
    for (auto& contour : contours)
      for (int points = 3 + number(9); points > 0; --points)
        contour.push_back({number(61), number(61), number(2) == 0});
    glyphs.push_back(test::simple_glyph(contours));
    glyphs.push_back(test::composite_glyph(
        {{2 * i + 1, number(9), number(9), {number(16384), number(16384), -number(16384), number(16384)}}}));
    advances.insert(advances.end(), {1 + number(90), number(90)});
  }
  auto const font = font_of(test::true_type(glyphs, advances));
  gt::Sha256 hash;
  for (auto const c : {U'A', U'B'})
    for (char32_t i = 0; i < 600; i += 2)
      for (int const side : {16, 32, 64})
        for (auto const row : font.cell(c + i, side).rows)
          for (int shift = 0; shift < 64; shift += 8) {
            auto const byte = static_cast<char>(row >> shift & 255);
            hash.update(std::string_view(&byte, 1));
          }
  CHECK(hash.hex() == "cc9e728c7a727c909bb5ec2fafa489f2f631ba1c8433dd4f7e00dd18c712a961");
}

TEST_CASE("OutlineFont: what it lacks becomes a box with the code, a blank stays blank") {
  auto const font = font_of(test::small_true_type());
  CHECK(same(font.cell(U'語', 32), gt::fonts::HexFont::place(gt::fonts::hex_box(U'語'), 32)));
  CHECK(same(font.undecoded(0xE4, 16), gt::fonts::HexFont::place(gt::fonts::byte_box(0xE4), 16)));
  CHECK(ink(font.cell(U'B', 32)) == 0);
  CHECK(has(error_of([&] { font.cell(U'A', 24); }), "16, 32 or 64 pixels wide (got 24)"));
}

TEST_CASE("OutlineFont: copies outlive the font they were made of") {
  auto copy = letter({box(0, 0, 4, 4)});
  {
    auto const font = font_of(test::small_true_type());
    copy = font;
  }
  CHECK(same(copy.cell(U'A', 64), block(24, 16, 40, 48)));
}

TEST_CASE("OutlineFont: a face of a collection, and one that it lacks") {
  auto second = test::true_type({{}, test::simple_glyph({box(0, 0, 32, 32)})}, {32, 32});
  auto const file = test::collection({test::small_true_type(), second});
  auto const drawn = [&](int face) { return OutlineFont::parse(file, "two.ttc", {.face = face}).cell(U'A', 64); };
  CHECK(same(drawn(0), block(24, 16, 40, 48)));
  CHECK(same(drawn(1), block(16, 16, 48, 48)));
  CHECK(OutlineFont::parse(file, "two.ttc").faces() == 2);
  CHECK(error_of([&] { drawn(2); }) == "gt: OutlineFont: 'two.ttc' must have a face 2 (got 2 faces, counted from 0)");
  CHECK(has(error_of([&] { drawn(-1); }), "must have a face -1 (got 2 faces"));
  auto const single = test::font_file(second);
  CHECK(has(error_of([&] { OutlineFont::parse(single, "one.ttf", {.face = 1}); }), "face 1 (got 1 face, counted"));
}

TEST_CASE("OutlineFont: a font that draws nothing is refused") {
  auto const blank = test::true_type({test::simple_glyph({box(0, 0, 9, 9)}), {}, {}}, {32, 32, 32});
  CHECK(has(error_of([&] { font_of(blank); }), "'made' must draw one of its 2 characters (got only blanks"));
  auto const flat = test::true_type({{}, test::simple_glyph({box(0, 0, 32, 0)})}, {32, 32});
  CHECK(has(error_of([&] { font_of(flat); }), "got only blanks"));
  auto empty = test::small_true_type();
  empty["cmap"] = test::cmap_of(3, 10, test::cmap_12({}));
  CHECK(has(error_of([&] { font_of(empty); }), "must draw at least one character (got none)"));
  if (auto const path = test::installed_font("unifont_sample.ttf"); !path.empty())
    CHECK(has(error_of([&] { OutlineFont::read(path); }), "got only blanks: its pictures are bitmaps"));
}

TEST_CASE("OutlineFont: blanks of many points or for many characters end soon") {
  std::vector<test::Point> line;
  for (int i = 0; i < gt::fonts::detail::most_points_of_a_glyph; ++i) line.push_back({i % 2 * 32, 0});
  auto const flat = test::simple_glyph({line});
  auto everywhere = test::true_type({{}, flat}, {32, 32});  // 10^10 points, were a glyph tried for each character
  everywhere["cmap"] = test::cmap_of(3, 10, test::cmap_12({{0, 0x10FFFF, 1}}, 13));
  CHECK(has(error_of([&] { font_of(everywhere); }), "must draw one of its 1112064 characters (got only blanks"));

  auto const after = [&](int flats) {  // flat glyphs, and then a box
    std::vector<test::Bytes> glyphs{{}};
    glyphs.insert(glyphs.end(), static_cast<std::size_t>(flats), flat);
    glyphs.push_back(test::simple_glyph({box(0, 0, 32, 32)}));
    return error_of([&] { font_of(test::true_type(glyphs, std::vector<int>(glyphs.size(), 32))); });
  };
  CHECK(after(7).empty());
  CHECK(after(8) ==
        "gt: OutlineFont: 'made' must draw something within its first 131072 points (got only blanks); the file is "
        "broken");
}

TEST_CASE("OutlineFont: a glyph that was made to take long is refused, and others of the font are drawn") {
  constexpr int most = gt::fonts::detail::most_points_of_a_glyph;
  auto const drawn = [](std::vector<test::Point> const& points) {
    auto const font = font_of(
        test::true_type({{}, test::simple_glyph({box(8, 0, 24, 32)}), test::simple_glyph({points})}, {32, 32, 32}));
    CHECK(same(font.cell(U'A', 64), block(24, 16, 40, 48)));
    return error_of([&] { font.cell(U'B', 64); });
  };
  auto const sentence = [](std::size_t points) {
    return gt::text("gt: OutlineFont: glyph 2 must be drawn in a tenth of a second (got an outline of ", points,
                    " points that takes longer); the font was made to be slow");
  };
  std::vector<test::Point> across, inside, curves;
  for (int i = 0; i < most; ++i) {
    across.push_back(i % 2 == 0 ? test::Point{-100, -60} : test::Point{200, 120});  // each pixel of each line, n times
    inside.push_back(i % 2 == 0 ? test::Point{4, 0} : test::Point{28, 40});
    curves.push_back({i * 7919 % 4000 - 2000, i * 104729 % 4000 - 2000, i % 2 == 0});
  }
  CHECK(drawn(across) == sentence(most + 1));
  CHECK(drawn(curves) == sentence(most / 2 + 1));
  CHECK(drawn(inside).empty());
  CHECK(drawn({across.begin(), across.begin() + 200}).empty());
}

TEST_CASE("OutlineFont: files that are no font") {
  auto const said = [](std::string const& text) {
    return error_of([&] {
      OutlineFont::parse({reinterpret_cast<unsigned char const*>(text.data()), text.size()}, "x");
    });
  };
  CHECK(has(said("%PDF-1.4 not a font"), "'x' must be a TrueType or OpenType font, .ttf, .otf or .ttc"));
  CHECK(has(said(""), "'x' must be a TrueType or OpenType font"));
  CHECK(has(said("wOF2 and more"), "unpack it to .ttf or .otf"));
  CHECK(has(error_of([] { OutlineFont::read("/no/such/font.ttf"); }), "/no/such/font.ttf"));
  auto bitmaps = test::small_true_type();
  bitmaps.erase("glyf");
  CHECK(has(error_of([&] { font_of(bitmaps); }), "must have outlines, a table glyf or CFF (got none"));
  bitmaps["CFF2"] = {2, 0};
  CHECK(has(error_of([&] { font_of(bitmaps); }), "(got CFF2, of a variable font)"));
}

TEST_CASE("OutlineFont: GNU Unifont's outlines are its bitmaps") {
  auto const hex_path = test::unifont(), path = test::installed_font("unifont.otf");
  if (hex_path.empty() || path.empty()) return;
  auto const hex = gt::fonts::HexFont::read(hex_path);
  auto const font = OutlineFont::read(path);
  int equal = 0, both = 0;
  for (char32_t c = 0; c < 0x10000; ++c) {
    if (hex.glyph(c) == nullptr || !font.has(c)) continue;
    ++both;
    equal += same(hex.cell(c, 16), font.cell(c, 16)) ? 1 : 0;
  }
  MESSAGE(equal, " of ", both, " glyphs are equal");
  CHECK(both >= 57'000);
  CHECK(equal >= 56'012);  // the others are mainly marks, which the outlines shift
}

}  // namespace outline_font_test
