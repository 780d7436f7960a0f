// SPDX-License-Identifier: MIT
// Other names for the same codes: an invertible affine map of bits, c' = A c xor b.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "gt/base/error.hpp"
#include "gt/base/philox.hpp"
#include "gt/fonts/bit_matrix.hpp"
#include "gt/substrate/bit_code.hpp"

namespace gt::inline GT_ABI {

namespace detail {
inline void xor_into(std::span<unsigned char> row, std::span<unsigned char const> other) {
  for (std::size_t k = 0; k < row.size(); ++k) row[k] = static_cast<unsigned char>(row[k] ^ other[k]);
}
}  // namespace detail

/// The rank of a matrix of bits over GF(2), where 1 + 1 = 0, by elimination: O(rows * columns * rank / 8) bytes.
inline int rank_gf2(BitMatrix matrix) {
  std::int64_t rank = 0;
  for (int j = 0; j < matrix.columns() && rank < matrix.rows(); ++j) {
    std::int64_t pivot = rank;
    while (pivot < matrix.rows() && !matrix(pivot, j)) ++pivot;
    if (pivot == matrix.rows()) continue;
    if (pivot != rank) detail::xor_into(matrix.bytes(rank), matrix.bytes(pivot));  // now it has a bit in this column
    for (std::int64_t i = rank + 1; i < matrix.rows(); ++i)
      if (matrix(i, j)) detail::xor_into(matrix.bytes(i), matrix.bytes(rank));
    ++rank;
  }
  return static_cast<int>(rank);
}

/// c' = A c xor b over GF(2):  c'_i = (sum over j of A_ij c_j + b_i) mod 2.
/// Shapes: A [n, n], invertible; b [1, n]; codes [V, n]. Being one to one, it keeps all codes apart; being linear over
/// GF(2) and not over the reals, it gives a model rows with other angles: names that are as good, if names are all.
/// Source: the table-free control of Bochkov 2026, arXiv:2605.09751.
class AffineRecoding {
 public:
  /// A uniform among the invertible matrices (drawn until one is; of all matrices at least 29 % are), b uniform; from
  /// the stream (seed, Purpose::substrate, 2).   Errors: less than one bit.
  static AffineRecoding draw(int bits, Seed seed) {
    check(bits >= 1, "AffineRecoding", "needs at least one bit (got ", bits, ")");
    Random const random(seed, Purpose::substrate, 2);
    std::uint64_t next = 0;
    BitMatrix a(bits, bits), b(1, bits);
    do
      for (int i = 0; i < bits; ++i) detail::draw_row(a, i, random, next);
    while (rank_gf2(a) < bits);
    detail::draw_row(b, 0, random, next);
    return AffineRecoding(std::move(a), std::move(b));
  }
  /// With A and b as given.   Errors: shapes other than [n, n] and [1, n], a matrix that is not invertible.
  AffineRecoding(BitMatrix a, BitMatrix b) : a_{std::move(a)}, b_{std::move(b)} {
    check(a_.rows() >= 1 && a_.rows() == a_.columns() && b_.rows() == 1 && b_.columns() == a_.columns(),
          "AffineRecoding", "A must be square and b one row as long (got [", a_.rows(), ", ", a_.columns(), "] and [",
          b_.rows(), ", ", b_.columns(), "])");
    check(rank_gf2(a_) == bits(), "AffineRecoding", "A must be invertible over GF(2) (got rank ", rank_gf2(a_), " of ",
          bits(), ")");
    columns_ = a_.transposed();
  }

  int bits() const noexcept { return a_.columns(); }       ///< n
  BitMatrix const& matrix() const noexcept { return a_; }  ///< A, [n, n]
  BitMatrix const& offset() const noexcept { return b_; }  ///< b, [1, n]

  /// The codes under their new names, [V, n].   Errors: codes of another width.
  BitMatrix operator()(BitMatrix const& codes) const {
    check(codes.columns() == bits(), "AffineRecoding", "the codes must have ", bits(), " bits (got ", codes.columns(),
          ")");
    BitMatrix renamed(codes.rows(), codes.columns());
    for (std::int64_t i = 0; i < codes.rows(); ++i) {
      detail::xor_into(renamed.bytes(i), b_.bytes(0));
      for (int j = 0; j < bits(); ++j)
        if (codes(i, j)) detail::xor_into(renamed.bytes(i), columns_.bytes(j));
    }
    return renamed;
  }

 private:
  BitMatrix a_, b_, columns_;  // columns_: A transposed, so that a column of A is a row
};

}  // namespace gt
