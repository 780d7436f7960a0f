// SPDX-License-Identifier: MIT
// The matrix product as its definition reads.
#pragma once

#include "gt/core/matrix_ref.hpp"
#include "gt/core/scalar.hpp"

namespace gt::inline GT_ABI {

/// C = addend + bias + A B; every element summed over k in ascending order.
template <class T>
void gemm_by_definition(ops::MatrixRef<T> a, ops::MatrixRef<T> b, ops::GemmOutput<T> c, ops::GemmShape shape) noexcept {
  for (std::int64_t i = 0; i < shape.m; ++i) {
    for (std::int64_t j = 0; j < shape.n; ++j) {
      T& out = c.data[i * c.stride + j];
      T total = c.start() ? c.start()[i * c.start_stride() + j] : T{};
      if (c.bias) total += c.bias[j];
      for (std::int64_t k = 0; k < shape.k; ++k) total = ops::multiply_add(a(i, k), b(k, j), total);
      out = total;
    }
  }
}

}  // namespace gt
