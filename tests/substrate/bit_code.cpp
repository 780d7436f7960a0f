// SPDX-License-Identifier: MIT
// Codes of bits and their affine names: distinct, the same everywhere, invertible by elimination.
#include "gt/substrate/bit_code.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "fonts/fonts.hpp"
#include "gt/substrate/affine_recoding.hpp"

namespace bit_code_test {

using gt::AffineRecoding;
using gt::fonts::BitMatrix;
using test::error_of;
using test::has;

namespace {

std::size_t distinct(BitMatrix const& codes) {
  std::set<std::string> seen;
  for (std::int64_t i = 0; i < codes.rows(); ++i) seen.emplace(codes.key(i));
  return seen.size();
}
// Row `i` as text, column 0 first.
std::string digits(BitMatrix const& codes, std::int64_t i) {
  std::string row;
  for (int j = 0; j < codes.columns(); ++j) row += codes(i, j) ? '1' : '0';
  return row;
}
BitMatrix matrix_of(std::vector<std::string> const& rows) {
  BitMatrix bits(static_cast<std::int64_t>(rows.size()), static_cast<int>(rows[0].size()));
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (std::size_t j = 0; j < rows[i].size(); ++j)
      if (rows[i][j] == '1') bits.set(static_cast<std::int64_t>(i), static_cast<int>(j));
  return bits;
}
// Every product, sum by sum: what the packed map must equal.
bool recoded_bit(AffineRecoding const& map, BitMatrix const& codes, std::int64_t row, int i) {
  bool bit = map.offset()(0, i);
  for (int j = 0; j < map.bits(); ++j) bit = bit != (map.matrix()(i, j) && codes(row, j));
  return bit;
}

}  // namespace

TEST_CASE("id_code: the paper's 16 bits of 65,536 ids") {
  auto const codes = gt::substrate::id_code(65536, 16);
  bool as_defined = true;
  for (std::int64_t i = 0; i < 65536; ++i)
    for (int j = 0; j < 16; ++j) as_defined = as_defined && codes(i, j) == ((i >> j & 1) != 0);
  CHECK(as_defined);
  CHECK(distinct(codes) == 65536);
  CHECK(digits(codes, 6) == "0110000000000000");  // 2 + 4, the lowest first
  CHECK(digits(gt::substrate::id_code(3, 70), 2) == "01" + std::string(68, '0'));
  CHECK(has(error_of([] { gt::substrate::id_code(65537, 16); }),
            "bits must be at least 17 to tell 65537 tokens apart (got 16)"));
  CHECK(has(error_of([] { gt::substrate::id_code(0, 16); }), "at least one token (got 0)"));
}

TEST_CASE("random_code: all different, also where every code is taken; fair, and of the seed alone") {
  for (int const bits : {8, 9, 64, 65, 1000}) {
    CAPTURE(bits);
    auto const codes = gt::substrate::random_code(256, bits, gt::seed(1));
    CHECK(distinct(codes) == 256);
    CHECK(codes == gt::substrate::random_code(256, bits, gt::seed(1)));
    CHECK_FALSE(codes == gt::substrate::random_code(256, bits, gt::seed(2)));
    std::int64_t ones = 0;
    for (std::int64_t i = 0; i < 256; ++i) ones += codes.common(i, i);
    double const coins = 256.0 * bits;  // at 8 bits all 256 codes, and half of their bits exactly
    CHECK(std::abs(static_cast<double>(ones) - coins / 2) <= 5 * std::sqrt(coins) / 2);
    auto const fewer = gt::substrate::random_code(100, bits, gt::seed(1));  // rows do not depend on those that follow
    for (std::int64_t i = 0; i < 100; ++i) CHECK(fewer.key(i) == codes.key(i));
  }
  CHECK(digits(gt::substrate::random_code(4, 16, gt::seed(1)), 0) == "1100101100010101");  // the same on every machine
  CHECK(digits(gt::substrate::random_code(4, 16, gt::seed(1)), 3) == "0100100010100000");
  CHECK(has(error_of([] { gt::substrate::random_code(257, 8, gt::seed(1)); }),
            "bits must be at least 9 to tell 257 tokens"));
  CHECK(has(error_of([] { gt::substrate::random_code(0, 8, gt::seed(1)); }), "random_code: needs at least one token"));
}

TEST_CASE("rank_gf2: sums of rows modulo two add no rank") {
  CHECK(gt::rank_gf2(matrix_of({"110", "011", "101"})) == 2);  // over the reals 3
  CHECK(gt::rank_gf2(matrix_of({"111", "011", "001"})) == 3);
  CHECK(gt::rank_gf2(matrix_of({"001", "010", "100"})) == 3);
  CHECK(gt::rank_gf2(matrix_of({"000", "000"})) == 0);
  CHECK(gt::rank_gf2(matrix_of({"10110", "10110", "00001"})) == 2);
  CHECK(gt::rank_gf2(matrix_of({"1", "1", "0"})) == 1);
}

TEST_CASE("AffineRecoding: every draw is invertible, and maps all codes one to one") {
  std::set<std::string> maps;
  for (std::uint64_t draw = 1; draw <= 8; ++draw) {
    for (int const bits : {1, 7, 10, 67}) {
      CAPTURE(draw);
      CAPTURE(bits);
      auto const map = AffineRecoding::draw(bits, gt::seed(draw));
      CHECK(gt::rank_gf2(map.matrix()) == bits);
      CHECK(AffineRecoding::draw(bits, gt::seed(draw)).matrix() == map.matrix());
      CHECK(AffineRecoding::draw(bits, gt::seed(draw)).offset() == map.offset());
      std::int64_t const vocab = bits < 10 ? std::int64_t{1} << bits : 1024;
      auto const codes = gt::substrate::id_code(vocab, bits), renamed = map(codes);
      CHECK(distinct(renamed) == static_cast<std::size_t>(vocab));
      CHECK(renamed.key(0) == map.offset().key(0));  // id 0 is the zero code
      bool equal = true;
      for (std::int64_t row = 0; row < vocab; ++row)
        for (int i = 0; i < bits; ++i) equal = equal && renamed(row, i) == recoded_bit(map, codes, row, i);
      CHECK(equal);
      if (bits == 10) maps.insert(digits(renamed, 1) + digits(renamed, 2) + digits(renamed, 4));
    }
  }
  CHECK(maps.size() == 8);
  auto const map = AffineRecoding::draw(16, gt::seed(1));  // the same on every machine
  CHECK(digits(map.matrix(), 0) == "0111010101111010");
  CHECK(digits(map.offset(), 0) == "0011100010001011");
}

TEST_CASE("AffineRecoding: given matrices, and what it refuses") {
  AffineRecoding const swap(matrix_of({"01", "10"}), matrix_of({"10"}));
  auto const renamed = swap(gt::substrate::id_code(4, 2));
  CHECK(digits(renamed, 0) == "10");
  CHECK(digits(renamed, 1) == "11");
  CHECK(digits(renamed, 2) == "00");
  CHECK(digits(renamed, 3) == "01");
  CHECK(has(error_of([] { AffineRecoding::draw(0, gt::seed(1)); }), "at least one bit (got 0)"));
  CHECK(has(error_of([] {
              AffineRecoding(matrix_of({"110", "011", "101"}), matrix_of({"000"}));
            }),
            "A must be invertible over GF(2) (got rank 2 of 3)"));
  CHECK(has(error_of([] {
              AffineRecoding(matrix_of({"110", "011"}), matrix_of({"000"}));
            }),
            "A must be square and b one row as long (got [2, 3] and [1, 3])"));
  CHECK(has(error_of([] { AffineRecoding(matrix_of({"10", "01"}), matrix_of({"000"})); }), "[2, 2] and [1, 3]"));
  CHECK(has(error_of([&] { swap(gt::substrate::id_code(4, 3)); }), "the codes must have 2 bits (got 3)"));
}

}  // namespace bit_code_test
