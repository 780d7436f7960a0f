// SPDX-License-Identifier: MIT
// The substrates that draw nothing: bits of the id, random rows, given rows.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "fonts/fonts.hpp"
#include "gt/substrate/binary_embedding.hpp"
#include "gt/substrate/random_embedding.hpp"
#include "gt/substrate/table_embedding.hpp"

namespace codes_test {

using gt::BinaryEmbedding;
using gt::RandomEmbedding;
using gt::TableEmbedding;
using test::error_of;
using test::has;

namespace {

struct Nameless {  // everything but a fingerprint
  std::int64_t vocab() const { return 0; }
  int width() const { return 1; }
  gt::Buffer<float> const& table() const;
  std::string method() const { return {}; }
};
static_assert(!gt::Substrate<Nameless>);
static_assert(gt::substrate::bits_for(1) == 1 && gt::substrate::bits_for(2) == 1 && gt::substrate::bits_for(3) == 2 &&
              gt::substrate::bits_for(2048) == 11 && gt::substrate::bits_for(2049) == 12 &&
              gt::substrate::bits_for(65536) == 16);

std::vector<std::string> words(int count) {
  std::vector<std::string> tokens;
  tokens.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) tokens.push_back("w" + std::to_string(i));
  return tokens;
}

// Rank of a matrix of small integers with `columns` columns, by elimination in double.
int rank(gt::Buffer<float> const& matrix, int columns) {
  std::vector<std::vector<double>> rows;
  for (float const* x = matrix.begin(); x != matrix.end(); x += columns) rows.emplace_back(x, x + columns);
  std::size_t done = 0;
  for (std::size_t j = 0; j < static_cast<std::size_t>(columns) && done < rows.size(); ++j) {
    auto const largest = [j](auto const& a, auto const& b) { return std::abs(a[j]) < std::abs(b[j]); };
    auto const from = rows.begin() + static_cast<std::ptrdiff_t>(done);
    std::iter_swap(from, std::max_element(from, rows.end(), largest));
    auto const pivot = rows[done];
    if (std::abs(pivot[j]) < 1e-9) continue;
    for (std::size_t i = ++done; i < rows.size(); ++i)
      for (std::size_t k = pivot.size(); k-- > j;) rows[i][k] -= pivot[k] * rows[i][j] / pivot[j];
  }
  return static_cast<int>(done);
}

}  // namespace

TEST_CASE("BinaryEmbedding: component j is bit j of the id") {
  auto const code = BinaryEmbedding::of_ids(words(300));
  CHECK(code.width() == 9);
  std::set<std::vector<float>> seen;
  for (std::int64_t i = 0; i < 300; ++i) {
    for (int j = 0; j < 9; ++j) CHECK(code.row(i)[j] == static_cast<float>(i >> j & 1));
    seen.emplace(code.row(i), code.row(i) + 9);
  }
  CHECK(seen.size() == 300);
  auto const padded = BinaryEmbedding::of_ids(300, {.bits = 70});
  CHECK(padded.row(299)[8] == 1);
  for (int j = 9; j < 70; ++j) CHECK(padded.row(299)[j] == 0);
  CHECK(BinaryEmbedding::of_ids(1).width() == 1);
  CHECK(BinaryEmbedding::of_ids(1).row(0)[0] == 0);
}

TEST_CASE("BinaryEmbedding: bits that divide d_model") {
  CHECK(gt::substrate::bits_for(2048, 256) == 16);
  CHECK(gt::substrate::bits_for(65536, 1024) == 16);
  CHECK(gt::substrate::bits_for(4096, 96) == 12);
  CHECK(gt::substrate::bits_for(1, 7) == 1);
  CHECK(gt::substrate::bits_for(50, 7) == 7);
  CHECK(BinaryEmbedding::of_ids(2048, {.d_model = 256}).width() == 16);
  CHECK(BinaryEmbedding::of_ids(2048, {.bits = 64, .d_model = 256}).width() == 64);
  CHECK(has(error_of([] { gt::substrate::bits_for(2048, 8); }), "at least the 11 bits"));
  CHECK(has(error_of([] { BinaryEmbedding::of_ids(2048, {.bits = 10}); }), "at least 11"));
  CHECK(has(error_of([] { BinaryEmbedding::of_ids(2048, {.bits = -1}); }), "at least 11"));
  CHECK(has(error_of([] { BinaryEmbedding::of_ids(2048, {.bits = 12, .d_model = 256}); }), "must divide d_model"));
  CHECK(has(error_of([] { BinaryEmbedding::of_ids(2048, {.d_model = -4}); }), "d_model"));
  CHECK(has(error_of([] { BinaryEmbedding::of_ids(0); }), "at least one token"));
}

TEST_CASE("lifted: repeats each number, and adds no rank") {
  auto const code = BinaryEmbedding::of_ids(100, {.d_model = 64});
  REQUIRE(code.width() == 8);
  auto const wide = gt::substrate::lifted(code, 64);
  for (std::int64_t i = 0; i < 100; ++i)
    for (int j = 0; j < 64; ++j) CHECK(wide[i * 64 + j] == code.row(i)[j / 8]);
  CHECK(rank(wide, 64) == 7);  // bit 7 of ids below 100 is always 0
  for (int const d_model : {-8, 0, 4, 60}) CHECK_THROWS_AS(gt::substrate::lifted(code, d_model), gt::Error);
}

TEST_CASE("RandomEmbedding: unit rows from the seed") {
  auto const one = RandomEmbedding::draw(words(50), {.width = 64, .seed = gt::seed(1)});
  auto const same = RandomEmbedding::draw(words(50), {.width = 64, .seed = gt::seed(1)});
  auto const other = RandomEmbedding::draw(words(50), {.width = 64, .seed = gt::seed(2)});
  CHECK(std::equal(one.table().begin(), one.table().end(), same.table().begin()));
  CHECK_FALSE(std::equal(one.table().begin(), one.table().end(), other.table().begin()));
  CHECK(one.fingerprint() == same.fingerprint());
  CHECK(one.fingerprint() != other.fingerprint());
  CHECK(one.fingerprint() != RandomEmbedding::draw(words(51), {.width = 64}).fingerprint());
  CHECK(one.fingerprint() != RandomEmbedding::draw(words(50), {.width = 32}).fingerprint());
  for (std::int64_t i = 0; i < 50; ++i) {
    double sum = 0, mean = 0;
    for (int k = 0; k < 64; ++k)
      sum += double{one.row(i)[k]} * double{one.row(i)[k]}, mean += double{one.row(i)[k]} / 64;
    CHECK(sum == doctest::Approx(1));
    CHECK(std::abs(mean) < 5.0 / 64);  // five standard deviations, 1 / 8 / 8
  }
  CHECK_THROWS_AS(RandomEmbedding::draw({}), gt::Error);
  CHECK(has(error_of([] { RandomEmbedding::draw(words(2), {.width = 0}); }), "width must be at least 1"));
}

TEST_CASE("Fingerprint: method, tokens, number and cuts all count") {
  auto const binary = BinaryEmbedding::of_ids({"ab", "c"});
  CHECK(binary.fingerprint() == BinaryEmbedding::of_ids({"ab", "c"}).fingerprint());
  std::set<std::string> const prints{binary.fingerprint(),
                                     BinaryEmbedding::of_ids({"a", "bc"}).fingerprint(),
                                     BinaryEmbedding::of_ids({"c", "ab"}).fingerprint(),
                                     BinaryEmbedding::of_ids({"ab", "c"}, {.bits = 2}).fingerprint(),
                                     BinaryEmbedding::of_ids(2).fingerprint(),
                                     BinaryEmbedding::of_ids(1).fingerprint(),
                                     RandomEmbedding::draw({"ab", "c"}, {.width = 1}).fingerprint()};
  CHECK(prints.size() == 7);
}

TEST_CASE("TableEmbedding: rows as given, shared") {
  gt::Buffer<float> rows(6);
  for (std::int64_t i = 0; i < 6; ++i) rows[i] = static_cast<float>(i);
  auto const given = TableEmbedding::of_rows("mine", 3, 2, rows);
  CHECK(given.table().shares_with(rows));
  CHECK(given.row(2)[1] == 5);
  CHECK(given.fingerprint() == TableEmbedding::of_rows("mine", 3, 2, rows.clone()).fingerprint());
  CHECK(given.fingerprint() != TableEmbedding::of_rows("yours", 3, 2, rows).fingerprint());
  CHECK(given.fingerprint() != TableEmbedding::of_rows("mine", 2, 3, rows).fingerprint());
  auto changed = rows.clone();
  changed[5] = 5.5f;
  CHECK(given.fingerprint() != TableEmbedding::of_rows("mine", 3, 2, changed).fingerprint());

  auto const loaded = TableEmbedding::loaded("glyph", "abc", 3, 2, rows);
  CHECK(loaded.method() == "glyph");
  CHECK(loaded.fingerprint() == "abc");

  CHECK(has(error_of([&] { TableEmbedding::of_rows("mine", 3, 3, rows); }), "3 rows of 3 numbers (got 6 numbers)"));
  CHECK(has(error_of([&] { TableEmbedding::of_rows("mine", 0, 2, rows); }), "at least one token"));
  CHECK(has(error_of([&] { TableEmbedding::loaded("glyph", "", 3, 2, rows); }), "needs a fingerprint"));
  changed[0] = std::numeric_limits<float>::quiet_NaN();
  CHECK(has(error_of([&] { TableEmbedding::of_rows("mine", 3, 2, changed); }), "must be finite"));
}

}  // namespace codes_test
