// SPDX-License-Identifier: MIT
// Lanes: every element once and none beyond, whatever the length and wherever it begins.
#include "gt/backend/cpu/lane.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "gt/backend/ref/lane.hpp"
#include "gt/cpu.hpp"
#include "support/close.hpp"
#include "support/data.hpp"
#include "support/isas.hpp"

namespace lane_test {

using gt::test::Grid, gt::test::normal, gt::test::Numbers;

namespace {

/// Around one register, and around the four that a sum runs over.
std::vector<std::int64_t> lengths(std::int64_t width) {
  auto all = gt::test::sizes_around(width);
  for (std::int64_t n = 3 * width - 1; n <= 5 * width + 1; ++n) all.push_back(n);
  all.push_back(13 * width + width / 2);
  return all;
}

template <class Lane>
void visits_each_once(Lane lane) {
  using T = typename Lane::value_type;
  for (std::int64_t const n : lengths(Lane::width)) {
    for (std::int64_t const shift : {0, 1, 3}) {
      INFO("n ", n, ", shift ", shift);
      auto const x = normal(n, 1);
      Grid<T> const xs(x, 1, n, {.shift = shift}), ys(1, n, {.shift = shift, .gap = 20});
      lane.each(n, [&](auto i) { lane.store(ys.data(), i, lane.load(ys.data(), i) + lane.load(xs.data(), i)); });
      CHECK(ys.values() == x);
      CHECK(ys.intact());
    }
  }
  lane.each(0, [](auto) { FAIL("a body ran for nothing"); });
}

template <class Lane>
void sums(Lane lane) {
  using T = typename Lane::value_type;
  for (std::int64_t const n : lengths(Lane::width)) {
    CAPTURE(n);
    Numbers counting;  // small integers, whose sums are exact
    for (std::int64_t i = 1; i <= n; ++i) counting.push_back(static_cast<double>(i));
    Grid<T> const xs(counting, 1, n);
    // The term is not zero behind the last element: those must not count.
    T const sum = lane.sum(n, [&](auto i) { return lane.load(xs.data(), i) + T(1); });
    CHECK(sum == static_cast<T>(n * (n + 1) / 2 + n));

    auto const x = normal(n, 1);
    double exact = 0;
    for (double const v : x) exact += v * v;
    auto const squares = [&](Grid<T> const& at) {
      return lane.sum(n, [&](auto i) { return lane.load(at.data(), i) * lane.load(at.data(), i); });
    };
    T const aligned = squares(Grid<T>(x, 1, n)), shifted = squares(Grid<T>(x, 1, n, {.shift = 1}));
    CHECK(gt::test::close(static_cast<double>(aligned), exact, gt::test::tol<T>(static_cast<double>(n)), exact));
    CHECK(aligned == shifted);
  }
  CHECK(lane.sum(0, [](auto) { return T(1); }) == 0);
}

template <class Lane>
void pairs_of_sums(Lane lane) {
  using T = typename Lane::value_type;
  for (std::int64_t n = 0; n <= 5 * Lane::width + 1; ++n) {
    CAPTURE(n);
    Numbers counting;  // small integers, whose sums are exact
    for (std::int64_t i = 1; i <= n; ++i) counting.push_back(static_cast<double>(i));
    Grid<T> const xs(counting, 1, n, {.shift = 1}), seen(1, n);
    auto const [sum, squares] = lane.sum_pair(n, [&](auto i, auto& of_x, auto& of_squares) {
      auto const x = lane.load(xs.data(), i);
      of_x = of_x + (x + T(1));  // not zero behind the last element: those must not count
      of_squares = lane.fma(x, x, of_squares + T(2));
      lane.store(seen.data(), i, lane.load(seen.data(), i) + x);
    });
    CHECK(sum == static_cast<T>(n * (n + 1) / 2 + n));
    CHECK(squares == static_cast<T>(n * (n + 1) * (2 * n + 1) / 6 + 2 * n));
    CHECK(seen.values() == counting);  // each once
  }
}

/// What a lane computes of numbers is what <cmath> computes; how nearly, simd_math.cpp tests.
template <class Lane>
void functions(Lane lane) {
  using T = typename Lane::value_type;
  std::int64_t const n = 2 * Lane::width + 1;
  auto const x = normal(n, 1);
  Grid<T> const xs(x, 1, n), e(1, n), two(1, n), root(1, n), over(1, n), fused(1, n);
  lane.each(n, [&](auto i) {
    auto const v = lane.load(xs.data(), i);
    lane.store(e.data(), i, lane.exp(v));
    lane.store(two.data(), i, lane.exp2(v));
    lane.store(root.data(), i, lane.sqrt(v * v));
    lane.store(over.data(), i, lane.reciprocal(v));
    lane.store(fused.data(), i, lane.fma(v, v, v));
  });
  for (std::int64_t i = 0; i < n; ++i) {
    double const v = x[static_cast<std::size_t>(i)];
    auto const is = [&](T got, double expected) {
      return gt::test::close(static_cast<double>(got), expected, gt::test::tol<T>(1, 1), std::abs(expected));
    };
    CHECK(is(e[i], std::exp(v)));
    CHECK(is(two[i], std::exp2(v)));
    CHECK(is(root[i], std::abs(v)));
    CHECK(is(over[i], 1 / v));
    CHECK(gt::test::close(static_cast<double>(fused[i]), v * v + v, gt::test::tol<T>(1, 1), v * v + std::abs(v)));
  }
}

template <class Lane>
void maxima(Lane lane) {
  using T = typename Lane::value_type;
  for (std::int64_t const n : lengths(Lane::width)) {
    for (std::int64_t at = 0; at < n; ++at) {
      INFO("n ", n, ", at ", at);
      Grid<T> const xs(1, n, {.shift = 1}, -7);
      xs[at] = T(-5);  // all are negative: zeros behind the last element must not win
      CHECK(lane.max(n, [&](auto i) { return lane.load(xs.data(), i); }) == T(-5));
    }
  }
  Grid<T> const lowest(1, 3, {}, -std::numeric_limits<double>::infinity());
  CHECK(lane.max(3, [&](auto i) { return lane.load(lowest.data(), i); }) == -std::numeric_limits<T>::infinity());
}

}  // namespace

TEST_CASE_TEMPLATE_DEFINE("SimdLane: each, sums and max at every length around its registers", B, lanes) {
  visits_each_once(gt::simd::Lane<B::isa, float>{});
  sums(gt::simd::Lane<B::isa, float>{});
  pairs_of_sums(gt::simd::Lane<B::isa, float>{});
  functions(gt::simd::Lane<B::isa, float>{});
  maxima(gt::simd::Lane<B::isa, float>{});
}
TEST_CASE_TEMPLATE_APPLY(lanes, gt::test::AllCpus);

TEST_CASE("SimdLane: without registers for a type, one element at a time") {
  static_assert(gt::simd::Lane<gt::native_isa, double>::width == 1);
  visits_each_once(gt::simd::Lane<gt::native_isa, double>{});
  sums(gt::simd::Lane<gt::native_isa, double>{});
  pairs_of_sums(gt::simd::Lane<gt::native_isa, double>{});
  functions(gt::simd::Lane<gt::native_isa, double>{});
  maxima(gt::simd::Lane<gt::native_isa, double>{});
}

TEST_CASE_TEMPLATE("ScalarLane: each, sums and max", T, float, double) {
  visits_each_once(gt::ScalarLane<T>{});
  sums(gt::ScalarLane<T>{});
  pairs_of_sums(gt::ScalarLane<T>{});
  functions(gt::ScalarLane<T>{});
  maxima(gt::ScalarLane<T>{});
}

TEST_CASE("ScalarLane: complex numbers are compared by their real parts") {
  using Z = std::complex<double>;
  std::vector<Z> const z{{1, 9}, {3, -1}, {2, 5}, {3, 4}};
  gt::ScalarLane<Z> const lane;
  CHECK(lane.max(4, [&](auto i) { return z[static_cast<std::size_t>(i)]; }) == Z(3, -1));
  CHECK(lane.sum(4, [&](auto i) { return z[static_cast<std::size_t>(i)]; }) == Z(9, 17));
  Z const root = lane.exp2(Z(0.5, 1e-30));  // and its derivative
  double const exact = std::exp2(0.5), slope = 1e-30 * std::log(2.0) * exact;
  CHECK(gt::test::close(root.real(), exact, gt::test::tol<double>(1), exact));
  CHECK(gt::test::close(root.imag(), slope, gt::test::tol<double>(1), slope));
}

}  // namespace lane_test
