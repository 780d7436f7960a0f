// SPDX-License-Identifier: MIT
// What gt/substrate/affine_recoding.hpp declares.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/base/philox.hpp"
#include "gt/fonts/bit_matrix.hpp"
#include "gt/substrate/affine_recoding.hpp"
#include "gt/substrate/bit_code.hpp"

namespace gt::inline GT_ABI {

namespace detail {

GT_FN void xor_into(std::span<unsigned char> row, std::span<unsigned char const> other) {
  for (std::size_t k = 0; k < row.size(); ++k) row[k] = static_cast<unsigned char>(row[k] ^ other[k]);
}

}  // namespace detail

GT_FN int rank_gf2(fonts::BitMatrix matrix) {
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

GT_FN AffineRecoding AffineRecoding::draw(int bits, Seed seed) {
  check(bits >= 1, "AffineRecoding", "needs at least one bit (got ", bits, ")");
  Random const random(seed, Purpose::substrate, 2);
  std::uint64_t next = 0;
  fonts::BitMatrix a(bits, bits), b(1, bits);
  do
    for (int i = 0; i < bits; ++i) substrate::detail::draw_row(a, i, random, next);
  while (rank_gf2(a) < bits);
  substrate::detail::draw_row(b, 0, random, next);
  return AffineRecoding(std::move(a), std::move(b));
}

GT_FN AffineRecoding::AffineRecoding(fonts::BitMatrix a, fonts::BitMatrix b) : a_{std::move(a)}, b_{std::move(b)} {
  check(a_.rows() >= 1 && a_.rows() == a_.columns() && b_.rows() == 1 && b_.columns() == a_.columns(), "AffineRecoding",
        "A must be square and b one row as long (got [", a_.rows(), ", ", a_.columns(), "] and [", b_.rows(), ", ",
        b_.columns(), "])");
  check(rank_gf2(a_) == bits(), "AffineRecoding", "A must be invertible over GF(2) (got rank ", rank_gf2(a_), " of ",
        bits(), ")");
  columns_ = a_.transposed();
}

GT_FN fonts::BitMatrix AffineRecoding::operator()(fonts::BitMatrix const& codes) const {
  check(codes.columns() == bits(), "AffineRecoding", "the codes must have ", bits(), " bits (got ", codes.columns(),
        ")");
  fonts::BitMatrix renamed(codes.rows(), codes.columns());
  for (std::int64_t i = 0; i < codes.rows(); ++i) {
    detail::xor_into(renamed.bytes(i), b_.bytes(0));
    for (int j = 0; j < bits(); ++j)
      if (codes(i, j)) detail::xor_into(renamed.bytes(i), columns_.bytes(j));
  }
  return renamed;
}

}  // namespace gt
