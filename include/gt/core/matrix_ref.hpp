// SPDX-License-Identifier: MIT
// An operand of a matrix product: any strides, so that a transpose costs nothing.
#pragma once

#include <cstdint>

#include "gt/core/view.hpp"

namespace gt::inline GT_ABI::ops {

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
  /// The matrix that begins at element (i, j).
  constexpr MatrixRef from(std::int64_t i, std::int64_t j) const {
    return {data + i * row_stride + j * column_stride, row_stride, column_stride};
  }
  /// The same numbers with rows and columns exchanged.
  constexpr MatrixRef transposed() const { return {data, column_stride, row_stride}; }
};

/// The sizes of a product C [m, n] = A [m, k] B [k, n].
struct GemmShape {
  std::int64_t m, n, k;  ///< rows of C, columns of C, terms of each sum
};

/// What a product does with its result: C = addend + bias + A B; the sums begin with the addend and the bias.
template <class T>
struct GemmOutput {
  T* data = nullptr;               ///< C [m, n]
  std::int64_t stride = 0;         ///< elements from one row of C to the next
  bool accumulate = false;         ///< C += A B: the addend is C itself
  T const* bias = nullptr;         ///< [n], added to every row where not null
  T const* addend = nullptr;       ///< [m, n], where not null; not together with accumulate
  std::int64_t addend_stride = 0;  ///< elements from one row of it to the next

  /// Of a matrix that is written and one that is added.
  static constexpr GemmOutput sum(T* c, std::int64_t c_stride, T const* addend, std::int64_t addend_stride) {
    return {c, c_stride, false, nullptr, addend, addend_stride};
  }
  /// What each element's sum begins with, beside the bias: row 0; null for nothing.
  constexpr T const* start() const { return accumulate ? data : addend; }
  /// Elements from one row of that to the next.
  constexpr std::int64_t start_stride() const { return accumulate ? stride : addend_stride; }
  /// The columns from j on.
  constexpr GemmOutput from(std::int64_t j) const {
    return {data + j, stride, accumulate, bias ? bias + j : nullptr, addend ? addend + j : nullptr, addend_stride};
  }
};

/// What is done with a product's tiles when they are finished: `f(i, j, rows, columns)` of the function object that it
/// was made from, which must outlive the product; nothing by default. One type for all, so that a product is compiled
/// once.
class Epilogue {
 public:
  constexpr Epilogue() = default;
  /// Calls f, which is referred to and not copied.
  template <class F>
  constexpr Epilogue(F const& f) noexcept
      : of_{&f}, call_{[](void const* of, std::int64_t i, std::int64_t j, std::int64_t rows, std::int64_t columns) {
          (*static_cast<F const*>(of))(i, j, rows, columns);
        }} {}
  /// Rows [i, i + rows) and columns [j, j + columns) of C are finished.
  void operator()(std::int64_t i, std::int64_t j, std::int64_t rows, std::int64_t columns) const {
    if (call_) call_(of_, i, j, rows, columns);
  }

 private:
  void const* of_ = nullptr;
  void (*call_)(void const*, std::int64_t, std::int64_t, std::int64_t, std::int64_t) = nullptr;
};

}  // namespace gt::ops
