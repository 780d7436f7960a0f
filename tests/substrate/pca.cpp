// SPDX-License-Identifier: MIT
#include "gt/substrate/pca.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "fonts/fonts.hpp"
#include "gt/base/philox.hpp"

namespace pca_test {

using gt::fonts::BitMatrix;

namespace {

BitMatrix random_bits(std::int64_t rows, int columns) {
  gt::Random const random(gt::seed(3), gt::Purpose::test);
  BitMatrix bits(rows, columns);
  for (std::int64_t i = 0; i < rows; ++i)
    for (int j = 0; j < columns; ++j) {
      double const density = 0.1 + 0.8 * j / columns;  // unequal variances, and means that are not 1/2
      if (random.uniform(static_cast<std::uint64_t>(i * columns + j)) < density) bits.set(i, j);
    }
  return bits;
}

// The centred bits in double, [V, P].
std::vector<double> centred(BitMatrix const& bits) {
  auto const P = bits.columns();
  std::vector<double> x(static_cast<std::size_t>(bits.rows() * P));
  for (int j = 0; j < P; ++j) {
    double mean = 0;
    for (std::int64_t i = 0; i < bits.rows(); ++i) mean += bits(i, j) / static_cast<double>(bits.rows());
    for (std::int64_t i = 0; i < bits.rows(); ++i) x[static_cast<std::size_t>(i * P + j)] = bits(i, j) - mean;
  }
  return x;
}
template <class T>
double dot(T const* a, T const* b, int n) {
  double sum = 0;
  for (int k = 0; k < n; ++k) sum += double{a[k]} * double{b[k]};
  return sum;
}
double cosine(float const* a, float const* b, int n) { return dot(a, b, n) / std::sqrt(dot(a, a, n) * dot(b, b, n)); }
double cosine(double const* a, double const* b, int n) { return dot(a, b, n) / std::sqrt(dot(a, a, n) * dot(b, b, n)); }

}  // namespace

TEST_CASE("principal_components: at full width all angles stay, on either side of V = P") {
  for (auto const& size : std::vector<std::pair<int, int>>{{200, 48}, {60, 150}, {65, 64}, {64, 64}}) {
    int const V = size.first, P = size.second;
    CAPTURE(V);
    CAPTURE(P);
    auto const bits = random_bits(V, P);
    int const n = std::min(V - 1, P);
    auto const y = gt::substrate::principal_components(bits, n);
    auto const x = centred(bits);
    REQUIRE(y.rows.size() == V * n);
    double worst = 0, length = 0;
    for (int i = 0; i < V; ++i)
      for (int j = 0; j <= i; ++j) {
        double const before = cosine(x.data() + i * P, x.data() + j * P, P);
        worst = std::max(worst, std::abs(before - cosine(y.rows.data() + i * n, y.rows.data() + j * n, n)));
        length = std::max(length, std::abs(dot(x.data() + i * P, x.data() + j * P, P) -
                                           dot(y.rows.data() + i * n, y.rows.data() + j * n, n)));
      }
    CHECK(worst < 1e-5);
    CHECK(length < 1e-4);
    CHECK(std::accumulate(y.variance.begin(), y.variance.end(), 0.0) == doctest::Approx(y.total_variance));
  }
}

TEST_CASE("principal_components: components are uncorrelated, fall, and repeat bit for bit") {
  auto const bits = random_bits(150, 64);
  auto const y = gt::substrate::principal_components(bits, 10);
  CHECK(std::is_sorted(y.variance.rbegin(), y.variance.rend()));
  for (int a = 0; a < 10; ++a)
    for (int b = 0; b < 10; ++b) {
      double sum = 0, mean = 0;
      for (int i = 0; i < 150; ++i) {
        sum += double{y.rows[i * 10 + a]} * double{y.rows[i * 10 + b]} / 149;
        mean += double{y.rows[i * 10 + a]} / 150;
      }
      CHECK(std::abs(mean) < 1e-5);
      CHECK(std::abs(sum - (a == b ? y.variance[static_cast<std::size_t>(a)] : 0.0)) < 1e-5);
    }
  auto const again = gt::substrate::principal_components(bits, 10);
  CHECK(std::equal(y.rows.begin(), y.rows.end(), again.rows.begin()));
  auto const fewer =
      gt::substrate::principal_components(bits, 3);  // the first components do not depend on how many are asked for
  for (int i = 0; i < 150; ++i)
    for (int k = 0; k < 3; ++k) CHECK(std::abs(fewer.rows[i * 3 + k] - y.rows[i * 10 + k]) < 1e-6f);
}

TEST_CASE("principal_components: the largest loading is positive, whichever matrix is diagonalised") {
  BitMatrix wide(4, 6), tall(6, 3);  // the first pixel varies most, and is black in the upper half
  for (int i = 0; i < 2; ++i) wide.set(i, 0), wide.set(i, 1), wide.set(i, 2);
  wide.set(3, 5);
  auto const y = gt::substrate::principal_components(wide, 2);
  CHECK(y.rows[0] > 0);
  CHECK(y.rows[2 * 2] < 0);
  for (int i = 0; i < 3; ++i) tall.set(i, 0), tall.set(i, 1);
  tall.set(5, 2);
  auto const z = gt::substrate::principal_components(tall, 1);
  CHECK(z.rows[0] > 0);
  CHECK(z.rows[3] < 0);
}

TEST_CASE("principal_components: what has no variance is exactly zero, never NaN") {
  BitMatrix const blank(5, 16);
  auto const y = gt::substrate::principal_components(blank, 4);
  for (float const v : y.rows) CHECK(v == 0);
  CHECK(y.total_variance == 0);

  BitMatrix rank_one(40, 16);  // half of the rows have one picture, half another
  for (int i = 0; i < 20; ++i) rank_one.set(i, 3), rank_one.set(i, 7);
  auto const z = gt::substrate::principal_components(rank_one, 5);
  for (int i = 0; i < 40; ++i) {
    CHECK(z.rows[i * 5] == doctest::Approx(i < 20 ? std::sqrt(0.5) : -std::sqrt(0.5)));
    for (int k = 1; k < 5; ++k) CHECK(z.rows[i * 5 + k] == 0);
  }
}

TEST_CASE("principal_components: width is limited by pixels and by tokens less one") {
  auto const said = [](std::int64_t V, int P, int n) {
    return test::error_of([=] { gt::substrate::principal_components(random_bits(V, P), n); });
  };
  CHECK(test::has(said(100, 16, 17), "number of pixels, 16 (got 17)"));
  CHECK(test::has(said(10, 64, 10), "tokens less one, 9 (got 10)"));
  CHECK(test::has(said(1, 64, 1), "tokens less one, 0 (got 1)"));
  CHECK(test::has(said(10, 64, 0), "at least 1"));
  CHECK(said(10, 64, 9).empty());
}

}  // namespace pca_test
