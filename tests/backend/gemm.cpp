// SPDX-License-Identifier: MIT
// Matrix products: every size of tile, every transpose and kind of output, against the definition in double; and the
// same bits whatever the shape around an element and the number of threads.
#include "gt/backend/cpu/gemm.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "gt/backend/ref/ref.hpp"
#include "gt/cpu.hpp"
#include "support/close.hpp"
#include "support/data.hpp"
#include "support/isas.hpp"

using gt::GemmOutput, gt::GemmShape, gt::MatrixRef;
using gt::test::close, gt::test::Grid, gt::test::loose, gt::test::normal, gt::test::Numbers, gt::test::tol;

namespace {

enum Mode { plain, with_bias, accumulate };
constexpr Mode modes[] = {plain, with_bias, accumulate};

/// Operands of a product, each stored by rows and by columns, and the product by its definition in double.
template <class T>
struct Product {
  std::int64_t m, n, k;
  Grid<double> a_exact{normal(m * k, 1), m, k}, b_exact{normal(k * n, 2), k, n}, sum{m, n};
  Numbers bias_exact = normal(n, 3), start = normal(m * n, 4);
  Grid<T> a{a_exact.values(), m, k, loose}, b{b_exact.values(), k, n, loose}, bias{bias_exact, 1, n, loose};
  Grid<T> a_columns{k, m, loose}, b_columns{n, k, loose};

  Product(std::int64_t rows, std::int64_t columns, std::int64_t depth) : m{rows}, n{columns}, k{depth} {
    for (std::int64_t i = 0; i < m; ++i) {
      for (std::int64_t x = 0; x < k; ++x) {
        a_columns(x, i) = a(i, x);
        for (std::int64_t j = 0; j < n; ++j) sum(i, j) += a_exact(i, x) * b_exact(x, j);
      }
    }
    for (std::int64_t x = 0; x < k; ++x) {
      for (std::int64_t j = 0; j < n; ++j) b_columns(j, x) = b(x, j);
    }
  }
  Numbers expected(Mode mode) const {
    auto all = sum.values();
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (mode == with_bias) all[i] += bias_exact[i % static_cast<std::size_t>(n)];
      if (mode == accumulate) all[i] += start[i];
    }
    return all;
  }
  /// Rows [row, row + rows) and the first `columns` columns of C, in memory of its own.
  Grid<T> output(std::int64_t row, std::int64_t rows, std::int64_t columns, Mode mode) const {
    Grid<T> const c(rows, columns, loose, 7);
    if (mode != accumulate) return c;
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = 0; j < columns; ++j) c(i, j) = T(start[static_cast<std::size_t>((row + i) * n + j)]);
    }
    return c;
  }
  MatrixRef<T> a_from(std::int64_t row, bool by_columns) const {
    return by_columns ? MatrixRef<T>(a_columns.data() + row, a_columns.view().stride(), 1).transposed()
                      : MatrixRef<T>(a.view().row(row), a.view().stride(), 1);
  }
  MatrixRef<T> b_from(bool by_columns) const {
    return by_columns ? MatrixRef<T>(b_columns.view()).transposed() : MatrixRef<T>(b.view());
  }
  GemmOutput<T> into(Grid<T> const& c, Mode mode) const {
    return {c.data(), c.view().stride(), mode == accumulate, mode == with_bias ? bias.data() : nullptr};
  }
  template <class B>
  Grid<T> run(B const& on, Mode mode, bool a_by_columns = false, bool b_by_columns = false) const {
    auto const c = output(0, m, n, mode);
    gemm(on, a_from(0, a_by_columns), b_from(b_by_columns), into(c, mode), GemmShape{m, n, k});
    return c;
  }
  /// Dot products of k normal numbers: of size sqrt(k), and one more for what they are added to.
  gt::test::Comparison agrees(Grid<T> const& c, Mode mode) const {
    double const depth = static_cast<double>(std::max<std::int64_t>(1, k));
    return close(c.values(), expected(mode), tol<T>(depth), std::sqrt(depth) + 1);
  }
};

/// The top left corner of `all` has the bits of `part`.
template <class T>
bool is_corner(Grid<T> const& part, gt::In<gt::Matrix<T const>> all) {
  for (std::int64_t i = 0; i < part.view().rows(); ++i) {
    std::span<T const> const row(part.view().row(i), static_cast<std::size_t>(part.view().columns()));
    if (!gt::test::bit_equal(row, std::span<T const>(all.row(i), row.size()))) return false;
  }
  return true;
}

/// All sizes up to two tiles and a bit. The largest product is compared with the definition, for each kind of output
/// and transpose; the smaller ones, which take turns in kind and transpose, are corners of it, bit by bit.
template <class T, gt::Isa I>
void every_tile() {
  using Tile = gt::GemmTile<I, T>;
  gt::Cpu<I> const on(1);
  for (std::int64_t const k : {0, 1, 255, 256, 257, 513}) {
    Product<T> const p(2 * Tile::mr + 1, 2 * Tile::nr + 3, k);
    std::vector<Grid<T>> whole;
    for (Mode const mode : modes) {
      whole.push_back(p.run(on, mode));
      CHECK(p.agrees(whole.back(), mode));
      CHECK(whole.back().intact());
      for (int const turned : {1, 2, 3})
        CHECK(is_corner(p.run(on, mode, (turned & 1) != 0, (turned & 2) != 0), whole.back().view()));
    }
    for (std::int64_t m = 1; m <= p.m; ++m) {
      for (std::int64_t n = 1; n <= p.n; ++n) {
        Mode const mode = modes[(m + n) % 3];
        auto const c = p.output(0, m, n, mode);
        gemm(on, p.a_from(0, m % 2 == 0), p.b_from(n % 2 == 0), p.into(c, mode), GemmShape{m, n, k});
        INFO("m ", m, ", n ", n, ", k ", k, ", mode ", mode);
        CHECK(is_corner(c, whole[static_cast<std::size_t>(mode)].view()));
        CHECK(c.intact());
      }
    }
  }
}

/// A row is the same alone, first of a few, and in the middle of fifty.
template <class T, gt::Isa I>
void rows_do_not_see_each_other() {
  gt::Cpu<I> const on(2);
  Product<T> const p(50, 40, 300);
  for (Mode const mode : modes) {
    auto const whole = p.run(on, mode);
    for (std::int64_t row = 0; row < p.m; ++row) {
      for (std::int64_t const rows : {std::int64_t{1}, std::min<std::int64_t>(3, p.m - row)}) {
        auto const some = p.output(row, rows, p.n, mode);
        gemm(on, p.a_from(row, false), p.b_from(true), p.into(some, mode), GemmShape{rows, p.n, p.k});
        INFO("row ", row, ", rows ", rows, ", mode ", mode);
        CHECK(is_corner(some, whole.view().rows(row, rows)));
      }
    }
  }
}

}  // namespace

TEST_CASE_TEMPLATE_DEFINE("gemm: every size of tile, transpose and kind of output, in float", B, float_tiles) {
  every_tile<float, B::isa>();
  rows_do_not_see_each_other<float, B::isa>();
}
TEST_CASE_TEMPLATE_APPLY(float_tiles, gt::test::AllCpus);

TEST_CASE("gemm: every size of tile, transpose and kind of output, in double") {
  every_tile<double, gt::native_isa>();
  rows_do_not_see_each_other<double, gt::native_isa>();
}

TEST_CASE_TEMPLATE("gemm: the definition itself", T, float, double) {
  for (std::int64_t const k : {0, 1, 17}) {
    Product<T> const p(3, 5, k);
    for (Mode const mode : modes) {
      auto const c = p.run(gt::Ref{}, mode);
      CHECK(p.agrees(c, mode));
      CHECK(c.intact());
      for (int const turned : {1, 2, 3})
        CHECK(is_corner(p.run(gt::Ref{}, mode, (turned & 1) != 0, (turned & 2) != 0), c.view()));
    }
  }
}

TEST_CASE("gemm: the same bits on 1, 2 and 4 threads, and serially") {
  // Large enough to be cut over threads; long enough for two blocks of B (4M elements); thin; and small.
  for (GemmShape const s : {GemmShape{200, 100, 257}, {3, 8200, 513}, {700, 33, 65}, {1, 300, 4000}, {5, 6, 7}}) {
    Product<float> const p(s.m, s.n, s.k);
    for (Mode const mode : modes) {
      INFO("m ", s.m, ", n ", s.n, ", k ", s.k, ", mode ", mode);
      auto const one = p.run(gt::Cpu<>(1), mode);
      CHECK(p.agrees(one, mode));
      CHECK(one.intact());
      for (int const threads : {2, 4}) CHECK(is_corner(p.run(gt::Cpu<>(threads), mode, true), one.view()));
      auto const serial = p.output(0, s.m, s.n, mode);
      gemm_serial(gt::Cpu<>(2), p.a_from(0, false), p.b_from(false), p.into(serial, mode), s);
      CHECK(is_corner(serial, one.view()));
    }
  }
}

TEST_CASE("gemm: products without rows or columns touch nothing") {
  Product<float> const p(3, 5, 4);
  auto const c = p.output(0, 3, 5, plain);
  for (GemmShape const s : {GemmShape{0, 5, 4}, GemmShape{3, 0, 4}}) {
    gemm(gt::Cpu<>(2), p.a_from(0, false), p.b_from(false), p.into(c, plain), s);
    gemm_serial(gt::Cpu<>(2), p.a_from(0, false), p.b_from(false), p.into(c, plain), s);
    gemm(gt::Ref{}, p.a_from(0, false), p.b_from(false), p.into(c, plain), s);
  }
  CHECK(c.values() == Numbers(15, 7));
}
