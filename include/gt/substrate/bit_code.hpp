// SPDX-License-Identifier: MIT
// Codes of tokens: a row of n bits for each, all different, from the id or at random.
#pragma once

#include <bit>
#include <cstdint>

#include "gt/base/philox.hpp"
#include "gt/fonts/bit_matrix.hpp"

namespace gt::inline GT_ABI::substrate {

/// The fewest bits that tell `vocab` tokens apart: ceil(log2 V), and 1 for a vocabulary of one.
constexpr int bits_for(std::int64_t vocab) {
  return vocab <= 2 ? 1 : static_cast<int>(std::bit_width(static_cast<std::uint64_t>(vocab - 1)));
}
/// The fewest bits that also divide `d_model`, as the lift needs: 16 for V = 2048 (which needs 11) and d_model = 256.
int bits_for(std::int64_t vocab, int d_model);

namespace detail {

/// Sets row `row` to the next bits of a stream, 64 a number, the lowest first; `next` counts the numbers used.
void draw_row(fonts::BitMatrix& bits, std::int64_t row, Random const& random, std::uint64_t& next);

}  // namespace detail

/// The binary number of the id: bit j of i in row i, column j, the lowest first [V, n].
/// Source: Bochkov 2025, arXiv:2507.07129, the 16-bit code. Errors: no token, more tokens than n bits can tell apart.
fonts::BitMatrix id_code(std::int64_t vocab, int bits);

/// n fair coins a token [V, n], of the stream (seed, Purpose::substrate, 1). A row that has come before is drawn again,
/// so that all differ; row i is the same whatever V is. At V = 2^n that takes about V ln V draws.
/// Source: the codes of 64, 256 and 1024 bits of arXiv:2507.04886. Errors: as `id_code`.
fonts::BitMatrix random_code(std::int64_t vocab, int bits, Seed seed);

}  // namespace gt::substrate

#if !defined(GT_PREBUILT)
  #include "gt/substrate/bit_code_impl.hpp"
#endif
