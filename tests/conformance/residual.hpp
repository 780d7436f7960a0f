// SPDX-License-Identifier: MIT
// ops::residual_add on a backend: one rounding, so exactly the rounded sum.
#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>

#include "gt/ops/residual.hpp"
#include "support/close.hpp"
#include "support/data.hpp"

namespace gt::test {

template <class T, Backend B>
void residual_forward(B const& on, std::int64_t width) {
  for (std::int64_t const M : {1, 5, 67}) {
    for (std::int64_t const C : sizes_around(width)) {
      for (Layout const layout : layouts) {
        INFO("M ", M, ", C ", C, ", gap ", layout.gap);
        auto const x = normal(M * C, 1), y = normal(M * C, 2);
        Numbers z = x;
        for (std::size_t i = 0; i < z.size(); ++i) z[i] = static_cast<double>(static_cast<T>(x[i] + y[i]));
        Grid<T> const xs(x, M, C, layout), ys(y, M, C, layout), zs(M, C, layout, 7);
        ops::residual_add(on, xs.view(), ys.view(), zs.view());
        CHECK(zs.values() == z);
        CHECK(zs.intact());
        Grid<T> const into_x(x, M, C, layout), into_y(y, M, C, layout);  // z may be x or y
        ops::residual_add(on, into_x.view(), ys.view(), into_x.view());
        ops::residual_add(on, xs.view(), into_y.view(), into_y.view());
        CHECK(into_x.values() == z);
        CHECK(into_y.values() == z);
      }
    }
  }
}

template <class T, Backend B>
void residual_errors(B const& on) {
  Grid<T> const x(3, 4), y(3, 4), thin(3, 3), low(2, 4);
  for (auto const* other : {&thin, &low}) {
    char const* const text = "gt: residual_add: x, y and z must have one shape";
    CHECK_THROWS_WITH_AS(ops::residual_add(on, other->view(), x.view(), y.view()), text, Error);
    CHECK_THROWS_WITH_AS(ops::residual_add(on, x.view(), other->view(), y.view()), text, Error);
    CHECK_THROWS_WITH_AS(ops::residual_add(on, x.view(), y.view(), other->view()), text, Error);
  }
}

/// All of it, on one backend whose registers are `width` wide.
template <class T, Backend B>
void residual_conforms(B const& on, std::int64_t width) {
  SUBCASE("the rounded sum") { residual_forward<T>(on, width); }
  SUBCASE("errors") { residual_errors<T>(on); }
}

}  // namespace gt::test
