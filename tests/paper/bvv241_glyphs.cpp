// SPDX-License-Identifier: MIT
// The author's pictures of tokens, bit by bit, and the table made of them.
#include "gt/paper/bvv241_glyphs.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "fonts/fonts.hpp"
#include "gt/base/sha256.hpp"
#include "gt/io/json.hpp"
#include "gt/paper/bvv241.hpp"
#include "io/support.hpp"
#include "support/bvv241.hpp"

namespace bvv241_glyphs_test {

using gt::Bvv241Font;
using gt::Bvv241GlyphEmbedding;
using gt::Bvv241GlyphOptions;
using gt::SetCharacter;
using test::error_of;
using test::has;

namespace {

/// GNU Unifont as the author's program sets it; nothing, with a message, where its files are missing.
std::vector<Bvv241Font> unifont() {
  auto const path = test::unifont();
  if (path.empty()) return {};
  if (!std::ifstream(path.substr(0, path.rfind('/') + 1) + "plane00-combining.txt").good()) {
    MESSAGE("skipped: needs plane00-combining.txt beside ", path);
    return {};
  }
  return {Bvv241Font::read(path)};
}

/// Do the fonts draw as those of the golden values? Only Unifont 15.0.01 must: others drew characters anew.
bool is_golden(Bvv241Font const& font) {
  bool const same = font.font().size() == 57086 && font.font().glyph(0x0CF3) != nullptr;
  if (!same) MESSAGE("skipped: GNU Unifont is not 15.0.01, from which the golden values are");
  return same;
}

/// All rasters, one after the other.
std::string hash_of(gt::fonts::BitMatrix const& rasters) {
  gt::Sha256 hash;
  for (std::int64_t i = 0; i < rasters.rows(); ++i) hash.update(rasters.key(i));
  return hash.hex();
}
/// One picture, line by line.
gt::fonts::BitMatrix by_lines(Bvv241Font const& font, std::string const& token, gt::Bvv241Augmentation const& easy) {
  auto const raster = gt::bvv241_rasters(font, {token}, 32, easy);
  auto const order = gt::fonts::polar_snake_order(32);
  gt::fonts::BitMatrix picture(32, 32);
  for (int k = 0; k < 1024; ++k)
    if (raster(0, k)) picture.set(order[static_cast<std::size_t>(k)] / 32, order[static_cast<std::size_t>(k)] % 32);
  return picture;
}
std::string hash_by_lines(Bvv241Font const& font, std::string const& token, gt::Bvv241Augmentation const& easy) {
  return hash_of(by_lines(font, token, easy)).substr(0, 16);
}

void check_golden(gt::Tokenizer const& tokenizer, Bvv241Font const& font, gt::Bvv241Augmentation const& easy,
                  gt::Json const& expected) {
  std::vector<std::string> tokens, hashes;
  for (auto const& [token, hash] : expected["glyph_bits_sha256"].items()) {
    REQUIRE(tokenizer.id(token).has_value());
    tokens.push_back(token), hashes.push_back(hash.string());
  }
  REQUIRE(tokens.size() == 158);
  auto const rasters = gt::bvv241_rasters(font, tokens, 32, easy);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    CAPTURE(tokens[i]);
    CHECK(gt::sha256_hex(rasters.key(static_cast<std::int64_t>(i))) == hashes[i]);
  }
}
/// How many pictures differ, and how many tokens share theirs.
std::array<std::int64_t, 2> different_and_sharing(gt::fonts::BitMatrix const& rasters) {
  std::int64_t groups = 0, sharing = 0;
  for (auto const& group : gt::detail::groups_of_equal_rows(rasters))
    ++groups, sharing += static_cast<std::int64_t>(group.size());
  return {rasters.rows() - sharing + groups, sharing};
}

/// A font of a circle (25CC) with ink 2 to 5, lines 6 to 9; marks of one dot each; a bar of 16 columns; U+FFFD.
Bvv241Font tiny_font() {
  auto const glyph = [](char const* code, int columns, std::vector<std::pair<int, unsigned>> const& lines) {
    std::vector<unsigned> rows(16);
    for (auto const& [line, bits] : lines) rows[static_cast<std::size_t>(line)] = bits;
    std::string text = std::string(code) + ":";
    for (unsigned const row : rows)
      for (int shift = columns - 4; shift >= 0; shift -= 4) text += "0123456789ABCDEF"[row >> shift & 15];
    return text + "\n";
  };
  return Bvv241Font::parse(glyph("25CC", 8, {{6, 0x3C}, {7, 0x24}, {8, 0x24}, {9, 0x3C}}) +      //
                               glyph("0061", 8, {{8, 0x7E}, {13, 0x7E}}) +                       //
                               glyph("0301", 8, {{1, 0x10}}) + glyph("0308", 8, {{2, 0x24}}) +   // above
                               glyph("0593", 8, {{3, 0x80}, {4, 0x80}}) +                        // Hebrew, above
                               glyph("0591", 8, {{12, 0x01}}) + glyph("05AE", 8, {{2, 0x30}}) +  // below; at the left
                               glyph("0657", 8, {{2, 0x18}}) + glyph("064B", 8, {{2, 0x18}}) +   // Arabic
                               glyph("0948", 16, {{1, 0x0180}}) + glyph("2588", 16, {{15, 0xFFFF}}) +
                               glyph("0626", 8, {{8, 1}}) + glyph("FE89", 8, {{8, 2}}) +  //
                               glyph("FFFD", 8, {{0, 0xFF}}),
                           "0301:-8\n\n0308:-8\r\n0593:0\n0591:0\n05AE:0\n0657:0\n064B:-8\n0948:-16\n");
}
/// left, right, top, bottom, and x, y of the first two pieces.
std::array<int, 8> geometry(SetCharacter const& c) {
  return {c.left, c.right, c.top, c.bottom, c.pieces[0].x, c.pieces[0].y, c.pieces[1].x, c.pieces[1].y};
}

}  // namespace

TEST_CASE("bvv241_rasters: the pictures that the paper's specification prints") {
  for (auto const& font : unifont()) {
    if (!is_golden(font)) continue;
    constexpr std::array<std::uint32_t, 32> capital_a{
        0x00000000, 0x00000000, 0x00800000, 0x00000000, 0x80000000, 0x00000000, 0x000f8000, 0x000f0000,
        0x0030c000, 0x0030c000, 0x0030c000, 0x0030c000, 0x00c03000, 0x00c03000, 0x00c03000, 0x00c03000,
        0x00fff000, 0x00fff000, 0x00c03000, 0x00c03000, 0x00c03000, 0x00c03000, 0x00c03000, 0x00c03000,
        0x00c03000, 0x00c03400, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000};
    auto const& two_three = gt::bvv241_2_3_augmentation;
    auto const& max = gt::bvv241_max_augmentation;
    auto const picture = by_lines(font, "A", two_three);
    for (int y = 0; y < 32; ++y)
      for (int x = 0; x < 32; ++x)
        CHECK(picture(y, x) == ((capital_a[static_cast<std::size_t>(y)] >> (31 - x) & 1) != 0));
    CHECK(hash_by_lines(font, "A", two_three) == "5982d8124cf8e91b");
    CHECK(hash_by_lines(font, " ", two_three) == "b3808ed4c130d482");
    CHECK(hash_by_lines(font, "the", two_three) == "7280f1fd57505aae");
    CHECK(hash_by_lines(font, "<pad>", two_three) == "331df9943c3464f3");
    CHECK(hash_by_lines(font, "A", max) == "1c0879b0458c5847");
    CHECK(hash_by_lines(font, " ", max) == "8cafc98a262b7511");
    CHECK(hash_by_lines(font, "the", max) == "5d74ba6d6306faad");
    CHECK(hash_by_lines(font, "漢", max) == "f92de76480df1cac");
    CHECK(hash_by_lines(font, "漢", two_three) == "f92de76480df1cac");
  }
}

TEST_CASE("bvv241_rasters: all tokens of bvv241-2-3 and of bvv241-max") {
  auto const folder = gt::test::bvv241_folder();
  if (folder.empty()) return;
  auto const golden = gt::parse_json(gt::read_text_file(folder + "golden.json"), "golden.json");
  for (auto const& font : unifont()) {
    if (!is_golden(font)) continue;
    // The hashes are of what Pillow 9.4.0 with libraqm 0.7.0 and HarfBuzz 6.0.0 draws of fonts-unifont 15.0.01-2.
    using Counts = std::array<std::int64_t, 2>;
    auto const two_three = gt::bvv241_2_3(folder + "_n-gramms-2-3.txt");
    check_golden(two_three, font, gt::bvv241_2_3_augmentation, golden["2-3"]);
    auto const small = gt::bvv241_rasters(font, two_three.tokens(), 32, gt::bvv241_2_3_augmentation);
    CHECK(different_and_sharing(small) == Counts{64366, 1926});
    CHECK(hash_of(small) == "db3e434059727e269ca252ba32173c2c983dc122d4edfc0617956ca080976264");

    auto const max = gt::bvv241_max(folder + "_n-gramms-2-3-4-5.txt", folder + "_n-gramms-intersection.txt");
    check_golden(max, font, gt::bvv241_max_augmentation, golden["max"]);
    auto const large = gt::bvv241_rasters(font, max.tokens(), 32, gt::bvv241_max_augmentation);
    CHECK(different_and_sharing(large) == Counts{128579, 4479});
    CHECK(hash_of(large) == "d7ba4c35f77b2ffdafbf7e9b13f7090979d9f461e290d21f5ec99a89a84ac04d");

    std::vector<std::string> some;  // at 64 pixels, as bvv241-abs
    for (std::size_t id = 0; id < max.tokens().size(); id += 32) some.push_back(max.tokens()[id]);
    CHECK(hash_of(gt::bvv241_rasters(font, some, 64, gt::bvv241_max_augmentation)) ==
          "74f96cfb9106523e2ac1ac99b757d98d22f5d308a36de3fd675247c4f1aff7d2");
  }
}

TEST_CASE("Bvv241Font: characters stand alone, marks on a dotted circle") {
  auto const font = tiny_font();
  auto const first = [&](char32_t c) { return geometry(font.set(c)); };
  using Box = std::array<int, 8>;
  CHECK(first(U'a') == Box{0, 16, 16, 28, 0, 0, 0, 0});
  CHECK(first(0x2588) == Box{0, 32, 28, 32, 0, 0, 0, 0});   // the baseline is in the box
  CHECK(first(0x301) == Box{0, 16, 2, 28, 0, 0, 0, 0});     // drawn 8 to the left of its pen, which is at 8
  CHECK(first(0x948) == Box{-2, 16, 2, 28, 0, 0, -16, 0});  // ink 7 to 8 of 16 columns, 8 to the left of the circle
  CHECK(first(0x657) == Box{0, 16, 4, 28, 0, 0, 0, 0});     // right-to-left: both at the pen
  CHECK(font.set(0x657).pieces[0].glyph == *font.font().glyph(0x657));
  CHECK(font.set(0x64B).pieces[0].glyph == *font.font().glyph(0x25CC));  // of several scripts: left-to-right
  auto const decomposed = font.set(0x344);                               // not in the list: drawn as it is
  CHECK(decomposed.count == 1);
  CHECK(font.set(0x626).pieces[0].glyph == *font.font().glyph(0xFE89));
  CHECK(font.set(0xFE0F).count == 1);
  CHECK(font.set(0xFE0F).pieces[0].glyph == *font.font().glyph(0x25CC));
  for (char32_t const blank : {0x0Au, 0xADu, 0x200Bu, 0x2065u, 0xFEFFu, 0xFFF8u}) CHECK(font.set(blank).count == 0);
  CHECK(font.set(U'b').pieces[0].glyph == *font.font().glyph(0xFFFD));
}

TEST_CASE("Bvv241Font: Hebrew marks are put over and under the circle") {
  auto const font = tiny_font();
  auto const at = [&](char32_t c) {
    SetCharacter const mark = font.set(c);
    return std::array<int, 2>{mark.pieces[0].x, mark.pieces[0].y};
  };
  using At = std::array<int, 2>;
  // The circle's lines are 12 to 20 half pixels, its advance 16; a pixel is left between.
  CHECK(at(0x593) == At{7, 0});   // ink 0 to 2, down to 10 = 12 - 2: over the middle, as high as it should be
  CHECK(at(0x591) == At{-7, 0});  // ink 14 to 16, from 24 > 20 + 2: never moved up
  CHECK(at(0x5AE) == At{-4, 2});  // at the left edge; down to 6: half way down to 10
}

TEST_CASE("Bvv241Font: a list of marks that is none") {
  auto const said = [](std::string const& list) { return error_of([&] { Bvv241Font::parse(test::tiny_font, list); }); };
  CHECK(
      said("0301:-8\nx\n") ==
      "gt: Bvv241Font: line 2 of combining must read CODE:OFFSET, as 0300:-8, with an OFFSET from -16 to 16; only GNU "
      "Unifont's list plane00-combining.txt is read here");
  for (std::string const bad :
       {"0301", "0301:", ":-8", "0301:-8 ", "0301:17", "0301:-17", "110000:0", "0301:0:0", "-1:0"})
    CHECK(has(said(bad), "line 1 of combining must read"));
  CHECK(has(said("\n"), "empty list"));
  gt::test::TemporaryFolder const here;
  gt::test::put(here / "font.hex", test::tiny_font);
  auto const missing = error_of([&] { Bvv241Font::read(here / "font.hex"); });
  CHECK(has(missing, here / "plane00-combining.txt"));
  CHECK(has(missing, "Debian's package unifont has it"));
  gt::test::put(here / "list.txt", "0301:-8\n");
  CHECK(Bvv241Font::read(here / "font.hex", here / "list.txt").font().size() == 5);
  CHECK(has(error_of([] { Bvv241Font::read("/no/such.hex"); }), "package unifont"));
}

TEST_CASE("noise_mask: the random numbers of numpy with seed 42") {
  // numpy.random.seed(42); numpy.random.rand(5): 0.3745401188473625, 0.9507143064099162, 0.7319939418311051,
  // 0.5986584841970366, 0.15601864044243652
  using Mask = std::vector<bool>;
  CHECK(gt::detail::noise_mask(5, 0.3745401188473625) == Mask{false, false, false, false, true});
  CHECK(gt::detail::noise_mask(5, 0.3745401188473626) == Mask{true, false, false, false, true});
  CHECK(gt::detail::noise_mask(5, 0.74) == Mask{true, false, true, true, true});
}

TEST_CASE("bvv241_sources: nothing, decimation, shift, rotation") {
  auto const order = gt::fonts::polar_snake_order(32);
  auto const agrees = [&](int length, gt::Bvv241Augmentation const& a, auto const& expected) {
    auto const sources = gt::detail::bvv241_sources(32, length, a);
    bool same = sources.size() == 1024;
    for (std::size_t k = 0; k < sources.size(); ++k)
      same = same && sources[k] == expected(order[k] % 32, order[k] / 32);
    return same;
  };
  CHECK(agrees(1, {.noise = 0}, [](int x, int y) { return y * 32 + x; }));
  CHECK(agrees(3, {.noise = 0}, [](int x, int y) { return y * 96 + 3 * x + 1; }));
  CHECK(agrees(1, {.noise = 1}, [](int, int) { return gt::detail::source_black; }));
  CHECK(agrees(1, {.right = 2, .down = -1, .noise = 0},
               [](int x, int y) { return x < 2 || y > 30 ? gt::detail::source_white : (y + 1) * 32 + x - 2; }));
  CHECK(agrees(1, {.degrees = 180, .noise = 0}, [](int x, int y) { return (31 - y) * 32 + 31 - x; }));
  CHECK(agrees(1, {.degrees = 90, .noise = 0}, [](int x, int y) { return x * 32 + 31 - y; }));  // counter-clockwise
  CHECK(agrees(2, {.degrees = 90, .noise = 0}, [](int x, int y) {                               // about (32, 16)
    int const from_x = 47 - y, from_y = 2 * x + 1 - 16;
    return from_y < 0 || from_y > 31 ? gt::detail::source_white : from_y * 64 + from_x;
  }));
}

TEST_CASE("bvv241_is_easy: Latin, Greek, Cyrillic, Armenian") {
  for (std::string const easy : {"", "the", "\n", "<pad>", "ɏ", "Ͱ", "Ͽ", "Ѐ", "ж", "֏"})
    CHECK(gt::bvv241_is_easy(easy));
  for (std::string const complex : {"ɐ", "ͯ", "֐", "漢", "a漢", "’", "😀", "\xFF"})
    CHECK_FALSE(gt::bvv241_is_easy(complex));
}

TEST_CASE("Bvv241GlyphEmbedding: rows of length 1, products as those of the centred pictures") {
  auto const random = test::random_font(260);
  std::vector<std::string> tokens = test::random_font_tokens(240);
  for (std::size_t i = 0; i < 60; ++i) tokens.push_back(tokens[i] + tokens[i + 60] + (i % 2 == 0 ? tokens[i + 7] : ""));
  std::string hex;
  for (int i = 0; i < 260; ++i) {
    char32_t const c = 0x4E00 + static_cast<char32_t>(i);
    char code[8];
    std::snprintf(code, sizeof code, "%04X:", static_cast<unsigned>(c));
    hex += code;
    for (auto const line : random.glyph(c)->lines) {
      std::snprintf(code, sizeof code, "%04X", static_cast<unsigned>(line));
      hex += code;
    }
    hex += '\n';
  }
  auto const font = Bvv241Font::parse(hex, "0301:-8\n");
  int const V = static_cast<int>(tokens.size()), n = V - 1;
  auto const full = Bvv241GlyphEmbedding::draw(tokens, font, {.width = n});
  CHECK(full.vocab() == V);
  CHECK(full.width() == n);
  CHECK(full.method() == "bvv241_glyph");
  CHECK(full.collisions() == 0);
  CHECK(full.explained_variance() == doctest::Approx(1));

  std::vector<double> mean(1024);
  for (int p = 0; p < 1024; ++p)
    for (int i = 0; i < V; ++i) mean[static_cast<std::size_t>(p)] += full.rasters()(i, p) / static_cast<double>(V);
  auto const pictures_dot = [&](int i, int j) {
    double sum = 0;
    for (int p = 0; p < 1024; ++p)
      sum += (full.rasters()(i, p) - mean[static_cast<std::size_t>(p)]) *
             (full.rasters()(j, p) - mean[static_cast<std::size_t>(p)]);
    return sum;
  };
  auto const rows_dot = [](Bvv241GlyphEmbedding const& table, int i, int j) {
    double sum = 0;
    for (int k = 0; k < table.width(); ++k) sum += double{table.row(i)[k]} * double{table.row(j)[k]};
    return sum;
  };
  double worst = 0;
  for (int i = 0; i < V; i += 3)
    for (int j = 0; j <= i; j += 3)
      worst = std::max(worst, std::abs(rows_dot(full, i, j) -
                                       pictures_dot(i, j) / std::sqrt(pictures_dot(i, i) * pictures_dot(j, j))));
  CHECK(worst < 1e-5);
  for (int i = 0; i < V; ++i) CHECK(rows_dot(full, i, i) == doctest::Approx(1).epsilon(1e-6));

  auto const narrow = Bvv241GlyphEmbedding::draw(tokens, font, {.width = 8});
  CHECK(narrow.explained_variance() < 0.5);
  for (int i = 0; i < V; ++i) {  // the first columns of the full table, scaled
    double length = 0;
    for (int k = 0; k < 8; ++k) length += double{full.row(i)[k]} * double{full.row(i)[k]};
    for (int k = 0; k < 8; ++k)
      CHECK(std::abs(double{narrow.row(i)[k]} - double{full.row(i)[k]} / std::sqrt(length)) < 1e-4);
  }
}

TEST_CASE("Bvv241GlyphEmbedding: equal pictures share a row, and the fingerprint names all that matters") {
  auto const font = tiny_font();
  std::vector<std::string> tokens{"a",      "aa",     "a ",     " a",  "█",  "\u2000",
                                  "\u200B", "\u2003", "\u0301", "aaa", "█a", "a█"};
  Bvv241GlyphOptions const options{.width = 4};
  auto const one = Bvv241GlyphEmbedding::draw(tokens, font, options),
             two = Bvv241GlyphEmbedding::draw(tokens, font, options);
  CHECK(std::equal(one.table().begin(), one.table().end(), two.table().begin(), two.table().end()));
  CHECK(one.fingerprint() == two.fingerprint());
  CHECK(one.fingerprint().size() == 64);
  CHECK(one.raster(0).size() == 128);
  using Groups = std::vector<std::vector<std::int64_t>>;
  CHECK(one.collision_groups() == Groups{{5, 7}});  // U+2000 and U+2003 look like U+FFFD here, U+200B is blank
  CHECK(one.collisions() == 1);
  CHECK(std::equal(one.row(5), one.row(5) + 4, one.row(7)));

  std::vector<std::string> prints{one.fingerprint()};
  auto const add = [&](auto const& substrate) { prints.push_back(substrate.fingerprint()); };
  add(Bvv241GlyphEmbedding::draw(tokens, font, Bvv241GlyphOptions{.width = 5}));
  add(Bvv241GlyphEmbedding::draw(tokens, font, Bvv241GlyphOptions::max(4)));
  add(Bvv241GlyphEmbedding::draw(tokens, font, Bvv241GlyphOptions::abs(4)));
  add(Bvv241GlyphEmbedding::draw(tokens, Bvv241Font::parse(test::tiny_font, "0301:-8"), options));
  std::swap(tokens[5], tokens[7]);
  add(Bvv241GlyphEmbedding::draw(tokens, font, options));
  std::sort(prints.begin(), prints.end());
  CHECK(std::adjacent_find(prints.begin(), prints.end()) == prints.end());
}

TEST_CASE("Bvv241GlyphEmbedding: bad options") {
  auto const font = tiny_font();
  auto const said = [&](std::vector<std::string> const& tokens, Bvv241GlyphOptions const& options) {
    return error_of([&] { Bvv241GlyphEmbedding::draw(tokens, font, options); });
  };
  CHECK(has(said({}, {}), "needs at least one token (got none)"));
  CHECK(has(said({"a", "b", "c"}, {.width = 3}),
            "width must be 1 to 2, the number of pixels or of tokens less one (got 3)"));
  CHECK(has(said({"a", "b"}, {.width = 0}), "got 0"));
  CHECK(has(said({"a", "b"}, {.width = 1, .raster = 16}), "raster must be 32 or 64 (got 16)"));
  CHECK(has(said({"a", ""}, {.width = 1}), "must have 1 to 1000 characters (got 0 in token 1)"));
  CHECK(has(said({"a", std::string(1001, 'a')}, {.width = 1}), "(got 1001 in token 1)"));
  CHECK(has(error_of([&] { gt::bvv241_rasters(font, {"a"}, 48, {}); }), "must be 32 or 64 pixels wide (got 48)"));
}

}  // namespace bvv241_glyphs_test
