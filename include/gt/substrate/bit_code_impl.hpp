// SPDX-License-Identifier: MIT
// What gt/substrate/bit_code.hpp declares.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <unordered_set>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/base/philox.hpp"
#include "gt/fonts/bit_matrix.hpp"
#include "gt/substrate/bit_code.hpp"

namespace gt::inline GT_ABI::substrate {

GT_FN int bits_for(std::int64_t vocab, int d_model) {
  int bits = bits_for(vocab);
  check(d_model >= bits, "bits_for", "d_model must be at least the ", bits, " bits that ", vocab, " tokens need (got ",
        d_model, ")");
  while (d_model % bits != 0) ++bits;
  return bits;
}

namespace detail {

GT_FN void check_code(std::string_view where, std::int64_t vocab, int bits) {
  check(vocab >= 1, where, "needs at least one token (got ", vocab, ")");
  check(bits >= bits_for(vocab), where, "bits must be at least ", bits_for(vocab), " to tell ", vocab,
        " tokens apart (got ", bits, ")");
}

GT_FN void draw_row(fonts::BitMatrix& bits, std::int64_t row, Random const& random, std::uint64_t& next) {
  auto const bytes = bits.bytes(row);
  std::fill(bytes.begin(), bytes.end(), static_cast<unsigned char>(0));
  std::uint64_t word = 0;
  for (int j = 0; j < bits.columns(); ++j) {
    if (j % 64 == 0) word = random.bits(next++);
    if (word >> (j % 64) & 1) bits.set(row, j);
  }
}

}  // namespace detail

GT_FN fonts::BitMatrix id_code(std::int64_t vocab, int bits) {
  detail::check_code("id_code", vocab, bits);
  fonts::BitMatrix codes(vocab, bits);
  for (std::int64_t i = 0; i < vocab; ++i)
    for (int j = 0; j < bits_for(vocab); ++j)
      if (i >> j & 1) codes.set(i, j);
  return codes;
}

GT_FN fonts::BitMatrix random_code(std::int64_t vocab, int bits, Seed seed) {
  detail::check_code("random_code", vocab, bits);
  Random const random(seed, Purpose::substrate, 1);
  fonts::BitMatrix codes(vocab, bits);
  std::unordered_set<std::string_view> seen;
  std::uint64_t next = 0;
  for (std::int64_t i = 0; i < vocab; ++i) {
    do detail::draw_row(codes, i, random, next);
    while (!seen.insert(codes.key(i)).second);
  }
  return codes;
}

}  // namespace gt::substrate
