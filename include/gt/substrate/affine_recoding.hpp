// SPDX-License-Identifier: MIT
// Other names for the same codes: an invertible affine map of bits, c' = A c xor b.
#pragma once

#include "gt/base/philox.hpp"
#include "gt/fonts/bit_matrix.hpp"

namespace gt::inline GT_ABI {

/// The rank of a matrix of bits over GF(2), where 1 + 1 = 0, by elimination: O(rows * columns * rank / 8) bytes.
int rank_gf2(fonts::BitMatrix matrix);

/// c' = A c xor b over GF(2):  c'_i = (sum over j of A_ij c_j + b_i) mod 2.
/// Shapes: A [n, n], invertible; b [1, n]; codes [V, n]. Being one to one, it keeps all codes apart; being linear over
/// GF(2) and not over the reals, it gives a model rows with other angles: names that are as good, if names are all.
/// Source: the table-free control of Bochkov 2026, arXiv:2605.09751.
class AffineRecoding {
 public:
  /// A uniform among the invertible matrices (drawn until one is; of all matrices at least 29 % are), b uniform; from
  /// the stream (seed, Purpose::substrate, 2).   Errors: less than one bit.
  static AffineRecoding draw(int bits, Seed seed);
  /// With A and b as given.   Errors: shapes other than [n, n] and [1, n], a matrix that is not invertible.
  AffineRecoding(fonts::BitMatrix a, fonts::BitMatrix b);

  int bits() const noexcept { return a_.columns(); }              ///< n
  fonts::BitMatrix const& matrix() const noexcept { return a_; }  ///< A, [n, n]
  fonts::BitMatrix const& offset() const noexcept { return b_; }  ///< b, [1, n]

  /// The codes under their new names, [V, n].   Errors: codes of another width.
  fonts::BitMatrix operator()(fonts::BitMatrix const& codes) const;

 private:
  fonts::BitMatrix a_, b_, columns_;  // columns_: A transposed, so that a column of A is a row
};

}  // namespace gt

#if !defined(GT_PREBUILT)
  #include "gt/substrate/affine_recoding_impl.hpp"
#endif
