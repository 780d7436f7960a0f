// SPDX-License-Identifier: MIT
#include "gt/substrate/glyph_embedding.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "fonts/fonts.hpp"

namespace glyph_embedding_test {

using gt::GlyphEmbedding;
using test::error_of;
using test::has;

namespace {

std::vector<std::string> const latin{"A", "B", "C", "E", "H", "I", "M", "O", "P", "S", "T",
                                     "X", "a", "c", "e", "i", "j", "o", "p", "s", "x"};
std::vector<std::string> const cyrillic{"А", "В", "С", "Е", "Н", "І", "М", "О", "Р", "Ѕ", "Т",
                                        "Х", "а", "с", "е", "і", "ј", "о", "р", "ѕ", "х"};

double distance(gt::FrozenTable const& table, std::int64_t a, std::int64_t b) {
  double sum = 0;
  for (int k = 0; k < table.width(); ++k) sum += std::pow(double{table.row(a)[k]} - double{table.row(b)[k]}, 2);
  return std::sqrt(sum);
}
double least_distance(gt::FrozenTable const& table) {
  double least = std::numeric_limits<double>::infinity();
  for (std::int64_t a = 0; a < table.vocab(); ++a)
    for (std::int64_t b = 0; b < a; ++b) least = std::min(least, distance(table, a, b));
  return least;
}
double length(gt::FrozenTable const& table, std::int64_t id) {
  double sum = 0;
  for (int k = 0; k < table.width(); ++k) sum += double{table.row(id)[k]} * double{table.row(id)[k]};
  return std::sqrt(sum);
}
bool same_rows(gt::FrozenTable const& a, gt::FrozenTable const& b) {
  return std::equal(a.table().begin(), a.table().end(), b.table().begin(), b.table().end());
}

}  // namespace

TEST_CASE("GlyphEmbedding: rows of length 1, the angles of the pictures, rasters kept") {
  auto const font = test::random_font(40);
  auto const tokens = test::random_font_tokens(40);
  auto const substrate = GlyphEmbedding::draw(tokens, font, {.width = 39, .raster = 16});
  CHECK(substrate.vocab() == 40);
  CHECK(substrate.width() == 39);
  CHECK(substrate.method() == "glyph");
  CHECK(substrate.collisions() == 0);
  CHECK(substrate.explained_variance() == doctest::Approx(1));
  for (std::int64_t i = 0; i < 40; ++i) CHECK(length(substrate, i) == doctest::Approx(1).epsilon(1e-6));
  auto const picture = gt::fonts::draw_token(font, tokens[7], 16);
  CHECK(substrate.raster(7).size() == 32);
  for (std::size_t y = 0; y < 16; ++y) {
    CHECK(substrate.raster(7)[2 * y] == picture.bytes(static_cast<std::int64_t>(y))[0]);
    CHECK(substrate.raster(7)[2 * y + 1] == picture.bytes(static_cast<std::int64_t>(y))[1]);
  }
  auto const narrow = GlyphEmbedding::draw(tokens, font, {.width = 5, .raster = 16});
  CHECK(narrow.explained_variance() > 0.1);
  CHECK(narrow.explained_variance() < 0.9);
  CHECK(narrow.variances().size() == 5);
}

TEST_CASE("GlyphEmbedding: equal tokens give equal bits, and the fingerprint names all that matters") {
  auto const font = test::random_font(40);
  auto tokens = test::random_font_tokens(30);
  gt::GlyphOptions const options{.width = 8, .raster = 16};
  auto const one = GlyphEmbedding::draw(tokens, font, options), two = GlyphEmbedding::draw(tokens, font, options);
  CHECK(same_rows(one, two));
  CHECK(one.fingerprint() == two.fingerprint());
  CHECK(one.fingerprint().size() == 64);

  std::vector<std::string> prints{one.fingerprint()};
  auto const add = [&](auto const& substrate) { prints.push_back(substrate.fingerprint()); };
  add(GlyphEmbedding::draw(tokens, font, {.width = 9, .raster = 16}));
  add(GlyphEmbedding::draw(tokens, font, {.width = 8, .raster = 32}));
  add(GlyphEmbedding::draw(tokens, font, {.width = 8, .raster = 16, .distinct = false}));
  add(GlyphEmbedding::draw(tokens, test::random_font(20), options));  // ten hex boxes
  std::swap(tokens[3], tokens[4]);
  add(GlyphEmbedding::draw(tokens, font, options));
  tokens.pop_back();
  add(GlyphEmbedding::draw(tokens, font, options));
  std::sort(prints.begin(), prints.end());
  CHECK(std::adjacent_find(prints.begin(), prints.end()) == prints.end());
}

TEST_CASE("GlyphEmbedding: tokens that look the same are counted and moved apart, the others stay") {
  auto const font = gt::fonts::HexFont::parse(test::tiny_font);
  std::vector<std::string> const tokens{"A", "А", " ", "  ", "   ", "l", "█", "Al", "😀", "lll"};
  for (int const width : {4, 9}) {
    CAPTURE(width);
    auto const kept = GlyphEmbedding::draw(tokens, font, {.width = width, .distinct = false});
    auto const apart = GlyphEmbedding::draw(tokens, font, {.width = width});
    using Groups = std::vector<std::vector<std::int64_t>>;
    CHECK(kept.collisions() == 3);
    CHECK(apart.collisions() == 3);
    CHECK(apart.collision_groups() == Groups{{0, 1}, {2, 3, 4}});
    CHECK(distance(kept, 0, 1) == 0);
    CHECK(distance(kept, 2, 4) == 0);
    CHECK(gt::substrate::pair_closer_than(gt::substrate::distinct_distance, kept).first >= 0);
    CHECK(least_distance(apart) > 0.02);
    CHECK(gt::substrate::pair_closer_than(0.02, apart).first == -1);
    for (std::int64_t i = 0; i < apart.vocab(); ++i) {
      CHECK(length(apart, i) == doctest::Approx(1).epsilon(1e-6));
      CHECK(distance(kept, i, i) == 0);
      CHECK(distance(apart, i, i) == 0);
      double moved = 0;
      for (int k = 0; k < width; ++k) moved += std::abs(double{kept.row(i)[k]} - double{apart.row(i)[k]});
      CHECK((moved > 0) == (i < 5));
    }
  }
}

TEST_CASE("GlyphEmbedding: pictures that are all the same still give distinct rows of length 1") {
  auto const font = gt::fonts::HexFont::parse(test::tiny_font);
  std::vector<std::string> blanks;
  for (int i = 1; i <= 40; ++i) blanks.emplace_back(static_cast<std::size_t>(i), ' ');
  auto const apart = GlyphEmbedding::draw(blanks, font, {.width = 16});
  CHECK(apart.collisions() == 39);
  CHECK(least_distance(apart) > 0.3);
  for (std::int64_t i = 0; i < 40; ++i) CHECK(length(apart, i) == doctest::Approx(1).epsilon(1e-6));
  auto const kept = GlyphEmbedding::draw(blanks, font, {.width = 16, .distinct = false});
  for (float const x : kept.table()) CHECK(x == 0);
}

TEST_CASE("GlyphEmbedding: bad options") {
  auto const font = test::random_font(300);
  auto const tokens = test::random_font_tokens(300);
  auto const said = [&](std::vector<std::string> const& some, gt::GlyphOptions options) {
    return error_of([&] { GlyphEmbedding::draw(some, font, options); });
  };
  CHECK(has(said({}, {}), "at least one token"));
  CHECK(has(said({"a"}, {.width = 1}), "at most 0, the number of tokens less one"));
  CHECK(has(said(tokens, {.width = 300, .raster = 32}), "at most 299"));
  CHECK(has(said(tokens, {.width = 257, .raster = 16}), "1 to 256, the number of pixels"));
  CHECK(has(said(tokens, {.width = 0}), "got 0"));
  CHECK(has(said(tokens, {.raster = 24}), "16, 32 or 64 (got 24)"));
  CHECK(has(said({"一", "丁", "一"}, {.width = 2}), "no token may occur twice (got tokens 0 and 2"));
  CHECK(has(said(tokens, {.width = 1, .raster = 16}), "all rows must differ"));  // a line has two directions
  CHECK(has(error_of([&] { GlyphEmbedding::draw(tokens, "/no/such.hex"); }), "--font FILE"));
}

TEST_CASE("pair_closer_than: agrees with looking at every pair") {
  gt::Random const random(gt::seed(5), gt::Purpose::test);
  gt::Buffer<float> rows(200 * 3);
  for (std::int64_t i = 0; i < rows.size(); ++i)
    rows[i] = static_cast<float>(random.uniform(static_cast<std::uint64_t>(i)));
  gt::FrozenTable const table("test", 200, 3, rows, "print");
  double const least = least_distance(table);
  CHECK(gt::substrate::pair_closer_than(least * 0.999, table).first == -1);
  auto const found = gt::substrate::pair_closer_than(least * 1.001, table);
  REQUIRE(found.first >= 0);
  CHECK(found.first < found.second);
  CHECK(found.distance == doctest::Approx(least));
}

TEST_CASE("GlyphEmbedding: GNU Unifont draws 21 pairs of Latin and Cyrillic letters alike") {
  auto const path = test::unifont();
  if (path.empty()) return;
  auto tokens = latin;
  tokens.insert(tokens.end(), cyrillic.begin(), cyrillic.end());
  for (int const side : {16, 32, 64}) {
    CAPTURE(side);
    auto const font = gt::fonts::HexFont::read(path);
    auto const rasters = gt::fonts::draw_tokens(font, tokens, side);
    for (std::int64_t i = 0; i < 21; ++i) CHECK(rasters.key(i) == rasters.key(i + 21));
  }
  auto const substrate = GlyphEmbedding::draw(tokens, path, {.width = 20, .raster = 32});
  CHECK(substrate.collisions() == 21);
  CHECK(substrate.collision_groups().size() == 21);
  CHECK(least_distance(substrate) > 0.1);
  for (std::int64_t i = 0; i < 21; ++i) CHECK(distance(substrate, i, i + 21) < 0.6);
}

}  // namespace glyph_embedding_test
