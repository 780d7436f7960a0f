// SPDX-License-Identifier: MIT
// Codes of tokens: a row of n bits for each, all different, from the id or at random.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <string_view>
#include <unordered_set>

#include "gt/base/error.hpp"
#include "gt/base/philox.hpp"
#include "gt/fonts/bit_matrix.hpp"

namespace gt::inline GT_ABI {

/// The fewest bits that tell `vocab` tokens apart: ceil(log2 V), and 1 for a vocabulary of one.
constexpr int bits_for(std::int64_t vocab) {
  return vocab <= 2 ? 1 : static_cast<int>(std::bit_width(static_cast<std::uint64_t>(vocab - 1)));
}
/// The fewest bits that also divide `d_model`, as the lift needs: 16 for V = 2048 (which needs 11) and d_model = 256.
inline int bits_for(std::int64_t vocab, int d_model) {
  int bits = bits_for(vocab);
  check(d_model >= bits, "bits_for", "d_model must be at least the ", bits, " bits that ", vocab, " tokens need (got ",
        d_model, ")");
  while (d_model % bits != 0) ++bits;
  return bits;
}

namespace detail {

inline void check_code(std::string_view where, std::int64_t vocab, int bits) {
  check(vocab >= 1, where, "needs at least one token (got ", vocab, ")");
  check(bits >= bits_for(vocab), where, "bits must be at least ", bits_for(vocab), " to tell ", vocab,
        " tokens apart (got ", bits, ")");
}

/// Sets row `row` to the next bits of a stream, 64 a number, the lowest first; `next` counts the numbers used.
inline void draw_row(BitMatrix& bits, std::int64_t row, Random const& random, std::uint64_t& next) {
  auto const bytes = bits.bytes(row);
  std::fill(bytes.begin(), bytes.end(), static_cast<unsigned char>(0));
  std::uint64_t word = 0;
  for (int j = 0; j < bits.columns(); ++j) {
    if (j % 64 == 0) word = random.bits(next++);
    if (word >> (j % 64) & 1) bits.set(row, j);
  }
}

}  // namespace detail

/// The binary number of the id: bit j of i in row i, column j, the lowest first [V, n].
/// Source: Bochkov 2025, arXiv:2507.07129, the 16-bit code. Errors: no token, more tokens than n bits can tell apart.
inline BitMatrix id_code(std::int64_t vocab, int bits) {
  detail::check_code("id_code", vocab, bits);
  BitMatrix codes(vocab, bits);
  for (std::int64_t i = 0; i < vocab; ++i)
    for (int j = 0; j < bits_for(vocab); ++j)
      if (i >> j & 1) codes.set(i, j);
  return codes;
}

/// n fair coins a token [V, n], of the stream (seed, Purpose::substrate, 1). A row that has come before is drawn again,
/// so that all differ; row i is the same whatever V is. At V = 2^n that takes about V ln V draws.
/// Source: the codes of 64, 256 and 1024 bits of arXiv:2507.04886. Errors: as `id_code`.
inline BitMatrix random_code(std::int64_t vocab, int bits, Seed seed) {
  detail::check_code("random_code", vocab, bits);
  Random const random(seed, Purpose::substrate, 1);
  BitMatrix codes(vocab, bits);
  std::unordered_set<std::string_view> seen;
  std::uint64_t next = 0;
  for (std::int64_t i = 0; i < vocab; ++i) {
    do detail::draw_row(codes, i, random, next);
    while (!seen.insert(codes.key(i)).second);
  }
  return codes;
}

}  // namespace gt
