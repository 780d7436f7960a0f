// SPDX-License-Identifier: MIT
// An operand of a matrix product: any strides, so that a transpose costs nothing.
#pragma once

#include <cstdint>

#include "gt/core/view.hpp"

namespace gt {

/// Element (i, j) is `data[i * row_stride + j * column_stride]`.
template <class T>
struct MatrixRef {
  T const* data = nullptr;         ///< element (0, 0)
  std::int64_t row_stride = 0;     ///< elements from (i, j) to (i + 1, j)
  std::int64_t column_stride = 1;  ///< elements from (i, j) to (i, j + 1)

  constexpr MatrixRef() = default;
  /// Rows and columns that lie these many elements apart.
  constexpr MatrixRef(T const* p, std::int64_t rows_apart, std::int64_t columns_apart)
      : data{p}, row_stride{rows_apart}, column_stride{columns_apart} {}
  /// The numbers of a view.
  template <class U, std::int64_t M, std::int64_t N>
  constexpr MatrixRef(View<U, M, N> const& m) : data{m.data()}, row_stride{m.stride()} {}

  /// Element (i, j).
  constexpr T const& operator()(std::int64_t i, std::int64_t j) const {
    return data[i * row_stride + j * column_stride];
  }
  /// The same numbers with rows and columns exchanged.
  constexpr MatrixRef transposed() const { return {data, column_stride, row_stride}; }
};

/// The sizes of a product C [m, n] = A [m, k] B [k, n].
struct GemmShape {
  std::int64_t m, n, k;  ///< rows of C, columns of C, terms of each sum
};

/// What a product does with its result: C = A B, C = A B + bias (one number a column), or C += A B.
template <class T>
struct GemmOutput {
  T* data = nullptr;        ///< C [m, n]
  std::int64_t stride = 0;  ///< elements from one row of C to the next
  bool accumulate = false;  ///< C += A B
  T const* bias = nullptr;  ///< [N], added where not null; not together with accumulate
};

}  // namespace gt
