// SPDX-License-Identifier: MIT
// Matrix products with all that their sums may begin with, what they must be, and who sees them end.
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "gt/base/bf16.hpp"
#include "gt/core/backend.hpp"
#include "gt/core/matrix_ref.hpp"
#include "support/close.hpp"
#include "support/data.hpp"

namespace gt::test {

/// What the sums of a product begin with. `in_place`: the addend is C itself, together with a bias.
enum Mode { plain, with_bias, accumulate, accumulate_with_bias, with_addend, with_addend_and_bias, in_place };
inline constexpr Mode modes[] = {
    plain, with_bias, accumulate, accumulate_with_bias, with_addend, with_addend_and_bias, in_place};
constexpr bool has_bias(Mode mode) { return mode != plain && mode != accumulate && mode != with_addend; }
constexpr bool begins_in_c(Mode mode) { return mode == accumulate || mode == accumulate_with_bias || mode == in_place; }
constexpr bool begins_in_addend(Mode mode) { return mode == with_addend || mode == with_addend_and_bias; }

/// |a_i - b_i| <= limit_i for all i; where that is not so, the one furthest beyond its limit.
inline Comparison within(Numbers const& a, Numbers const& b, Numbers const& limit) {
  if (a.size() != b.size()) return {false, 0, static_cast<double>(a.size()), static_cast<double>(b.size()), 0};
  Comparison worst;
  double most = -1;
  for (std::size_t i = 0; i < a.size(); ++i) {
    double const share = std::abs(a[i] - b[i]) / limit[i];
    if (share <= most) continue;
    worst = {share <= 1, i, a[i], b[i], limit[i]};
    if (std::isnan(share)) break;
    most = share;
  }
  return worst;
}

/// Operands of a product, each stored by rows and by columns, and the product by its definition in double: of the
/// operands as they are, or of what bf16 makes of them.
template <class T>
class Product {
 public:
  std::int64_t const m, n, k;

  Product(std::int64_t rows, std::int64_t columns, std::int64_t depth, Products products = Products::fp32)
      : m{rows}, n{columns}, k{depth} {
    auto const used = [&](Grid<T> const& grid) {
      auto x = grid.values();
      for (double& v : x) v = products == Products::bf16 ? double{Bf16(static_cast<float>(v))} : v;
      return x;
    };
    auto const as = used(a_), bs = used(b_);
    for (std::int64_t i = 0; i < m; ++i) {
      for (std::int64_t x = 0; x < k; ++x) {
        a_columns_(x, i) = a_(i, x);
        double const ax = as[static_cast<std::size_t>(i * k + x)];
        double const* const row = bs.data() + x * n;
        double *const sum = sum_.data() + i * n, *const size = size_.data() + i * n;
        for (std::int64_t j = 0; j < n; ++j) sum[j] += ax * row[j], size[j] += std::abs(ax * row[j]);
      }
    }
    for (std::int64_t x = 0; x < k; ++x) {
      for (std::int64_t j = 0; j < n; ++j) b_columns_(j, x) = b_(x, j);
    }
  }

  Numbers expected(Mode mode) const {
    auto all = sum_;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (has_bias(mode)) all[i] += bias_exact_[i % static_cast<std::size_t>(n)];
      if (begins_in_c(mode) || begins_in_addend(mode)) all[i] += start_[i];
    }
    return all;
  }
  /// Rows [row, row + rows) and the first `columns` columns of C, in memory of its own.
  Grid<T> output(std::int64_t row, std::int64_t rows, std::int64_t columns, Mode mode) const {
    Grid<T> const c(rows, columns, loose, 7);
    for (std::int64_t i = 0; begins_in_c(mode) && i < rows; ++i) {
      for (std::int64_t j = 0; j < columns; ++j) c(i, j) = addend_(row + i, j);
    }
    return c;
  }
  ops::MatrixRef<T> a_from(std::int64_t row, bool by_columns) const {
    return by_columns ? ops::MatrixRef<T>(a_columns_.data() + row, a_columns_.view().stride(), 1).transposed()
                      : ops::MatrixRef<T>(a_.view().row(row), a_.view().stride(), 1);
  }
  ops::MatrixRef<T> b_from(bool by_columns) const {
    return by_columns ? ops::MatrixRef<T>(b_columns_.view()).transposed() : ops::MatrixRef<T>(b_.view());
  }
  /// The memory in which B lies.
  ConstantMemory b_memory(bool by_columns) const {
    auto const view = by_columns ? b_columns_.view() : b_.view();
    return {view.data(), view.rows() * view.stride() * static_cast<std::int64_t>(sizeof(T))};
  }
  T& b(std::int64_t x, std::int64_t j) const { return b_(x, j); }
  /// To c, whose first row is row `row` of the product.
  ops::GemmOutput<T> into(Grid<T> const& c, Mode mode, std::int64_t row = 0) const {
    ops::GemmOutput<T> out{c.data(), c.view().stride(), begins_in_c(mode) && mode != in_place};
    if (has_bias(mode)) out.bias = bias_.data();
    if (mode == in_place) out.addend = out.data, out.addend_stride = out.stride;
    if (begins_in_addend(mode)) out.addend = addend_.view().row(row), out.addend_stride = addend_.view().stride();
    return out;
  }
  template <Backend B>
  Grid<T> run(B const& on, Mode mode, bool a_by_columns = false, bool b_by_columns = false) const {
    auto const c = output(0, m, n, mode);
    gemm(on, a_from(0, a_by_columns), b_from(b_by_columns), into(c, mode), ops::GemmShape{m, n, k});
    return c;
  }
  /// Rows [row, row + rows) alone.
  template <Backend B>
  Grid<T> run_rows(B const& on, Mode mode, std::int64_t row, std::int64_t rows, bool b_by_columns = false) const {
    auto const c = output(row, rows, n, mode);
    gemm(on, a_from(row, false), b_from(b_by_columns), into(c, mode, row), ops::GemmShape{rows, n, k});
    return c;
  }

  /// Dot products of k normal numbers: of size sqrt(k), and one more for what they are added to.
  Comparison agrees(Grid<T> const& c, Mode mode) const {
    double const depth = static_cast<double>(std::max<std::int64_t>(1, k));
    return close(c.values(), expected(mode), tol<T>(depth), std::sqrt(depth) + 1);
  }
  /// Whatever the order of a sum, n roundings by u = 2^-24 change it by at most n u / (1 - n u) times the sum of its
  /// terms' absolute values (Higham 2002, Accuracy and Stability of Numerical Algorithms, section 3.1). Here n = k + 2:
  /// products of two bf16 numbers are exact in fp32; each pair of them, (k + 1) / 2 pairs, is added in two roundings,
  /// and one more adds the bias. A rounding to a subnormal number gives zero, off by less than 2^-126.
  Comparison agrees_in_bf16(Grid<T> const& c, Mode mode) const {
    double const nu = static_cast<double>(k + 2) * 0x1p-24;
    auto limit = size_;
    for (std::size_t i = 0; i < limit.size(); ++i) {
      if (has_bias(mode)) limit[i] += std::abs(bias_exact_[i % static_cast<std::size_t>(n)]);
      if (begins_in_c(mode) || begins_in_addend(mode)) limit[i] += std::abs(start_[i]);
      limit[i] = limit[i] * nu / (1 - nu) + static_cast<double>(k + 2) * 0x1p-126;
    }
    return within(c.values(), expected(mode), limit);
  }

 private:
  Grid<T> a_{normal(m * k, 1), m, k, loose}, b_{normal(k * n, 2), k, n, loose};
  Grid<T> a_columns_{k, m, loose}, b_columns_{n, k, loose};
  Numbers bias_exact_ = normal(n, 3), start_ = normal(m * n, 4);
  Grid<T> bias_{bias_exact_, 1, n, loose}, addend_{start_, m, n, loose};
  Numbers sum_ = Numbers(static_cast<std::size_t>(m * n)), size_ = sum_;  // of the terms, and of their absolute values
};

/// The top left corner of `all` has the bits of `part`.
template <class T>
bool is_corner(Grid<T> const& part, In<Matrix<T const>> all) {
  for (std::int64_t i = 0; i < part.view().rows(); ++i) {
    std::span<T const> const row(part.view().row(i), static_cast<std::size_t>(part.view().columns()));
    if (!bit_equal(row, std::span<T const>(all.row(i), row.size()))) return false;
  }
  return true;
}

/// An epilogue that remembers how often it was shown each element of C, and what it saw there.
template <class T>
class Witness {
 public:
  explicit Witness(Grid<T> const& c)
      : c_{c.view()}, calls_(static_cast<std::size_t>(c_.size())), saw_(c_.rows(), c_.columns()) {}
  void operator()(std::int64_t i, std::int64_t j, std::int64_t rows, std::int64_t columns) const noexcept {
    if (i < 0 || j < 0 || rows < 0 || columns < 0 || i + rows > c_.rows() || j + columns > c_.columns()) {
      ++outside_;
      return;
    }
    for (std::int64_t r = i; r < i + rows; ++r) {
      for (std::int64_t x = j; x < j + columns; ++x) {
        ++calls_[static_cast<std::size_t>(r * c_.columns() + x)];
        saw_(r, x) = c_(r, x);
      }
    }
  }
  /// Every element once and none beside C.
  bool saw_each_once() const {
    return outside_ == 0 && std::all_of(calls_.begin(), calls_.end(), [](auto const& n) { return n == 1; });
  }
  /// What was there is what is there now.
  bool saw_the_end() const { return is_corner<T>(saw_, c_); }

 private:
  Matrix<T> c_;
  std::vector<std::atomic<int>> mutable calls_;
  std::atomic<int> mutable outside_{0};
  Grid<T> saw_;
};

}  // namespace gt::test
