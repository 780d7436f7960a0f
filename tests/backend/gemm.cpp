// SPDX-License-Identifier: MIT
// Matrix products: every size of tile, every transpose and kind of output, against the definition in double; and the
// same bits whatever the shape around an element and the number of threads.
#include "gt/backend/cpu/gemm.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "backend/support.hpp"
#include "gt/backend/ref/ref.hpp"
#include "gt/cpu.hpp"
#include "support/close.hpp"
#include "support/data.hpp"
#include "support/isas.hpp"

namespace gemm_test {

using gt::ops::GemmOutput, gt::ops::GemmShape, gt::ops::MatrixRef;
using gt::test::Grid, gt::test::is_corner, gt::test::loose, gt::test::modes, gt::test::Numbers, gt::test::Product,
    gt::test::Witness;

namespace {

/// All sizes up to two tiles and a bit. The largest product is compared with the definition, for each kind of output
/// and transpose; the smaller ones, which take turns in kind and transpose, are corners of it, bit by bit.
template <class T, gt::Isa I>
void every_tile() {
  using Tile = gt::simd::GemmTile<I, T>;
  gt::Cpu<I> const on(1);
  for (std::int64_t const k : {0, 1, 255, 256, 257, 513}) {
    Product<T> const p(2 * Tile::mr + 1, 2 * Tile::nr + 3, k);
    std::vector<Grid<T>> whole;
    for (auto const mode : modes) {
      whole.push_back(p.run(on, mode));
      INFO("k ", k, ", mode ", mode);
      CHECK(p.agrees(whole.back(), mode));
      CHECK(whole.back().intact());
      for (int const turned : {1, 2, 3})
        CHECK(is_corner(p.run(on, mode, (turned & 1) != 0, (turned & 2) != 0), whole.back().view()));
    }
    for (std::int64_t m = 1; m <= p.m; ++m) {
      for (std::int64_t n = 1; n <= p.n; ++n) {
        auto const mode = modes[static_cast<std::size_t>(m + n) % std::size(modes)];
        auto const c = p.output(0, m, n, mode);
        gemm(on, p.a_from(0, m % 2 == 0), p.b_from(n % 2 == 0), p.into(c, mode), GemmShape{m, n, k});
        INFO("m ", m, ", n ", n, ", k ", k, ", mode ", mode);
        CHECK(is_corner(c, whole[static_cast<std::size_t>(mode)].view()));
        CHECK(c.intact());
      }
    }
  }
}

/// Sums so long that B is packed for one stretch of them after the other: each goes on where the last ended.
template <class T, gt::Isa I>
void deep_sums() {
  using Tile = gt::simd::GemmTile<I, T>;
  gt::Cpu<I> const on(1);
  for (std::int64_t const k : {1281, 2600}) {
    for (std::int64_t const m : {1, Tile::mr + 1}) {
      Product<T> const p(m, 5 * Tile::nr + 3, k);
      for (auto const mode : modes) {
        INFO("m ", m, ", k ", k, ", mode ", mode);
        auto const c = p.run(on, mode);
        CHECK(p.agrees(c, mode));
        CHECK(c.intact());
        for (int const turned : {1, 2, 3})
          CHECK(is_corner(p.run(on, mode, (turned & 1) != 0, (turned & 2) != 0), c.view()));
      }
    }
  }
}

/// A row is the same alone, where it goes by panels side by side, single panels and a part of one; first of a few; and
/// in the middle of many.
template <class T, gt::Isa I>
void rows_do_not_see_each_other() {
  gt::Cpu<I> const on(2);
  for (std::int64_t const k : {300, 1300}) {
    Product<T> const p(k == 300 ? 50 : 17, 6 * gt::simd::GemmTile<I, T>::nr + 5, k);
    for (auto const mode : modes) {
      auto const whole = p.run(on, mode);
      for (std::int64_t row = 0; row < p.m; ++row) {
        for (std::int64_t const rows : {std::int64_t{1}, std::min<std::int64_t>(3, p.m - row)}) {
          INFO("row ", row, ", rows ", rows, ", k ", k, ", mode ", mode);
          CHECK(is_corner(p.run_rows(on, mode, row, rows, true), whole.view().rows(row, rows)));
        }
      }
    }
  }
}

/// -0 + 0 (-1) + 0 (-1) ... is -0, in whatever tile, panel or part of one it lies.
template <class T, gt::Isa I>
void zeros_keep_their_sign() {
  using Tile = gt::simd::GemmTile<I, T>;
  std::int64_t const n = 6 * Tile::nr + 5;
  for (std::int64_t const k : {0, 3, 1300}) {
    for (std::int64_t const m : {1, Tile::mr + 1}) {
      Grid<T> const a(m, k, loose), b(k, n, loose, -1), c(m, n, loose, 7), addend(m, n, loose, -0.0);
      auto const out = GemmOutput<T>::sum(c.data(), c.view().stride(), addend.data(), addend.view().stride());
      gemm(gt::Cpu<I>(1), MatrixRef<T>(a.view()), MatrixRef<T>(b.view()), out, GemmShape{m, n, k});
      std::int64_t positive = 0;
      for (T const x : c.elements()) positive += !std::signbit(x);
      INFO("m ", m, ", k ", k);
      CHECK(positive == 0);
      CHECK(c.values() == Numbers(static_cast<std::size_t>(m * n)));
    }
  }
}

template <class T, gt::Isa I>
void conforms() {
  SUBCASE("tiles") { every_tile<T, I>(); }
  SUBCASE("deep sums") { deep_sums<T, I>(); }
  SUBCASE("rows") { rows_do_not_see_each_other<T, I>(); }
  SUBCASE("signs of zeros") { zeros_keep_their_sign<T, I>(); }
}

/// Large enough to be cut over threads: by rows and columns; by rows alone, in blocks large and small; thin; with k in
/// several passes; few rows with so many columns that jobs pack their own; one row; and small.
constexpr GemmShape shapes[] = {{200, 100, 257}, {1000, 40, 65},   {3, 300, 1000}, {100, 70, 1300}, {60, 33, 1281},
                                {2, 6600, 1281}, {40, 1000, 1100}, {1, 300, 4000}, {1, 6600, 1281}, {1, 33, 70},
                                {5, 6, 7},       {5, 6, 0},        {1, 70, 0}};

}  // namespace

TEST_CASE_TEMPLATE_DEFINE("gemm: every size of tile, transpose and kind of output, in float", B, float_tiles) {
  conforms<float, B::isa>();
}
TEST_CASE_TEMPLATE_APPLY(float_tiles, gt::test::AllCpus);

TEST_CASE("gemm: every size of tile, transpose and kind of output, in double") { conforms<double, gt::native_isa>(); }

TEST_CASE_TEMPLATE("gemm: the definition itself", T, float, double) {
  for (std::int64_t const k : {0, 1, 17}) {
    Product<T> const p(3, 5, k);
    for (auto const mode : modes) {
      auto const c = p.run(gt::Ref{}, mode);
      CHECK(p.agrees(c, mode));
      CHECK(c.intact());
      for (int const turned : {1, 2, 3})
        CHECK(is_corner(p.run(gt::Ref{}, mode, (turned & 1) != 0, (turned & 2) != 0), c.view()));
    }
  }
}

TEST_CASE("gemm: the same bits on 1, 2 and 4 threads, and serially") {
  for (GemmShape const s : shapes) {
    Product<float> const p(s.m, s.n, s.k);
    for (auto const mode : {gt::test::accumulate_with_bias, gt::test::with_addend_and_bias}) {
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

TEST_CASE("gemm: B in several blocks of packed memory is B in one") {
  std::int64_t const m = 16 * gt::simd::GemmTile<gt::native_isa, float>::mr + 1, n = 6600, k = 641;
  Grid<float> const a(gt::test::normal(m * k, 1), m, k), b(gt::test::normal(k * n, 2), k, n), c(m, n), serial(m, n);
  auto const into = [](Grid<float> const& x) { return GemmOutput<float>{x.data(), x.view().stride()}; };
  gemm(gt::Cpu<>(2), MatrixRef<float>(a.view()), MatrixRef<float>(b.view()), into(c), GemmShape{m, n, k});
  gemm_serial(gt::Cpu<>(1), MatrixRef<float>(a.view()), MatrixRef<float>(b.view()), into(serial), GemmShape{m, n, k});
  CHECK(is_corner(c, serial.view()));
  CHECK(c.intact());
}

TEST_CASE_TEMPLATE("gemm: the epilogue is shown each element of C once, at its end", T, float, double) {
  auto const shown = [](auto const& on, Product<T> const& p) {
    for (auto const mode : {gt::test::plain, gt::test::accumulate_with_bias}) {
      auto const c = p.output(0, p.m, p.n, mode);
      Witness const witness(c);
      gemm(on, p.a_from(0, false), p.b_from(true), p.into(c, mode), GemmShape{p.m, p.n, p.k}, witness);
      INFO("m ", p.m, ", n ", p.n, ", k ", p.k, ", mode ", mode, ", threads ", on.threads());
      CHECK(witness.saw_each_once());
      CHECK(witness.saw_the_end());
      CHECK(p.agrees(c, mode));
    }
  };
  for (GemmShape const s : shapes) {
    bool const wide = s.n >= 1000;
    if (wide && sizeof(T) == sizeof(double)) continue;  // takes long, and is the same code
    Product<T> const p(s.m, s.n, s.k);
    for (int const threads : {1, 4}) shown(gt::Cpu<>(threads), p);
    if (!wide) shown(gt::Ref{}, p);
  }
}

TEST_CASE("gemm: products without rows or columns touch nothing") {
  Product<float> const p(3, 5, 4);
  auto const mode = gt::test::plain;
  auto const c = p.output(0, 3, 5, mode);
  Witness const witness(c);
  for (GemmShape const s : {GemmShape{0, 5, 4}, GemmShape{3, 0, 4}}) {
    gemm(gt::Cpu<>(2), p.a_from(0, false), p.b_from(false), p.into(c, mode), s, witness);
    gemm_serial(gt::Cpu<>(2), p.a_from(0, false), p.b_from(false), p.into(c, mode), s);
    gemm(gt::Ref{}, p.a_from(0, false), p.b_from(false), p.into(c, mode), s, witness);
  }
  CHECK(c.values() == Numbers(15, 7));
}

}  // namespace gemm_test
