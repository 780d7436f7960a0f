// SPDX-License-Identifier: MIT
// Views: what converts to what, where rows and columns lie, and transposes of matrix operands.
#include "gt/core/view.hpp"

#include <doctest/doctest.h>

#include <array>
#include <concepts>
#include <cstdint>
#include <numeric>

#include "gt/core/matrix_ref.hpp"

namespace view_test {

using gt::dyn, gt::In, gt::Matrix, gt::ops::MatrixRef, gt::Vector, gt::View;

// Static knowledge may be lost or asserted, and numbers become read-only, never the other way.
static_assert(std::convertible_to<View<float, 8>, Vector<float>>);
static_assert(std::convertible_to<View<float, 4, 8>, Matrix<float const>>);
static_assert(std::convertible_to<Matrix<float>, View<float, 4, dyn>>);
static_assert(std::convertible_to<Matrix<float>, Matrix<float const>>);
static_assert(!std::convertible_to<Matrix<float const>, Matrix<float>>);
static_assert(!std::convertible_to<View<float, 8>, View<float, 9>>);
static_assert(!std::convertible_to<View<float, 4, 8>, View<float, 8, 4>>);
static_assert(!std::convertible_to<Vector<float>, Matrix<float>>);
static_assert(!std::convertible_to<Matrix<float>, Matrix<double>>);
static_assert(!std::convertible_to<float*, Vector<float>>);
static_assert(!std::constructible_from<Matrix<float>, float*, int>);

namespace {
template <int N>
constexpr std::array<int, N> counting() {
  std::array<int, N> numbers{};
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}
}  // namespace

TEST_CASE("View: rows lie one behind the other, of any rank") {
  auto numbers = counting<24>();
  Matrix<int> const m(numbers.data(), 4, 6);
  CHECK((m.rows() == 4 && m.columns() == 6 && m.stride() == 6 && m.size() == 24));
  CHECK(m(2, 3) == 15);
  CHECK(*m.row(3) == 18);
  View<int, 2, 3, 4> const cube(numbers.data(), 2, 3, 4);
  CHECK((cube.stride() == 12 && cube.size() == 24 && cube.extent(1) == 3));
  CHECK(*cube.row(1) == 12);
  Vector<int> const v(numbers.data() + 1, 3);
  CHECK((v[2] == 3 && v.extent(0) == 3 && v.stride() == 1));
  m(0, 1) = 99;
  CHECK(v[0] == 99);
}

TEST_CASE("View: columns and rows of a matrix, and of those again") {
  auto numbers = counting<24>();
  Matrix<int> const m(numbers.data(), 4, 6);
  auto const middle = m.columns(2, 3);
  CHECK((middle.rows() == 4 && middle.columns() == 3 && middle.stride() == 6));
  CHECK(middle(3, 0) == 20);
  auto const corner = middle.rows(1, 2).columns(1, 2);
  CHECK((corner.rows() == 2 && corner.columns() == 2 && corner.stride() == 6 && corner.size() == 4));
  CHECK((corner(0, 0) == 9 && corner(1, 1) == 16));
  CHECK(m.rows(2, 0).size() == 0);
  auto const apart = Matrix<int>::with_stride(numbers.data() + 1, 3, 2, 7);
  CHECK((apart(0, 0) == 1 && apart(2, 1) == 16));
}

TEST_CASE("View: a conversion keeps place, extents and stride") {
  auto numbers = counting<24>();
  Matrix<int const> const part = Matrix<int>(numbers.data(), 4, 6).columns(1, 2);
  CHECK((part.data() == numbers.data() + 1 && part.rows() == 4 && part.columns() == 2 && part.stride() == 6));
  View<int const, 4, 2> const known = part;
  CHECK((known(3, 1) == 20 && known.stride() == 6));
}

TEST_CASE("View: a default view is null, and a null view says so") {
  Matrix<float> const none;
  CHECK(none.is_null());
  CHECK(!none);
  CHECK((none.size() == 0 && none.rows() == 0 && none.columns() == 0));
  float number = 1;
  CHECK(Vector<float>(&number, 1));
}

TEST_CASE("View: usable at compile time") {
  constexpr auto sum = [] {
    auto numbers = counting<6>();
    Matrix<int> const m(numbers.data(), 2, 3);
    return m(1, 0) + m.columns(2, 1)(1, 0) + m.rows(1, 1)(0, 1);
  }();
  static_assert(sum == 3 + 5 + 4);
}

TEST_CASE("same_shape: extents alone count") {
  auto numbers = counting<24>();
  Matrix<int> const m(numbers.data(), 4, 6);
  CHECK(gt::same_shape(m.columns(0, 2), Matrix<int const>(numbers.data(), 4, 2)));
  CHECK(!gt::same_shape(m, Matrix<int>(numbers.data(), 6, 4)));
  CHECK(!gt::same_shape(m, m.rows(0, 3)));
}

TEST_CASE("MatrixRef: a transpose exchanges strides and copies nothing") {
  auto numbers = counting<24>();
  MatrixRef<int> const a(Matrix<int>(numbers.data(), 4, 6).columns(1, 3));
  auto const t = a.transposed();
  for (std::int64_t i = 0; i < 4; ++i) {
    for (std::int64_t j = 0; j < 3; ++j) {
      CHECK(a(i, j) == static_cast<int>(i * 6 + j + 1));
      CHECK(&t(j, i) == &a(i, j));
    }
  }
}

}  // namespace view_test
