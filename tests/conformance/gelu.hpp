// SPDX-License-Identifier: MIT
// gelu on a backend against its formula, and its backward against the complex step.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>

#include "gt/backend/ref/ref.hpp"
#include "gt/ops/gelu.hpp"
#include "support/close.hpp"
#include "support/complex_step.hpp"
#include "support/data.hpp"

namespace gt::test {

inline constexpr Gelu gelu_forms[] = {Gelu::tanh, Gelu::erf};
inline std::string name_of(Gelu form) { return form == Gelu::tanh ? "tanh" : "erf"; }

/// torch.nn.functional.gelu(x, approximate="tanh"), or "none"
inline double gelu_of(double x, Gelu form) {
  if (form == Gelu::erf) return x * 0.5 * std::erfc(-x / std::sqrt(2.0));
  return 0.5 * x * (1 + std::tanh(std::sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x)));
}

template <class T, Backend B>
void gelu_forward(B const& on, std::int64_t width, Gelu form) {
  for (std::int64_t const M : {1, 3, 67}) {
    for (std::int64_t const F : sizes_around(width)) {
      for (Layout const layout : layouts) {
        INFO("M ", M, ", F ", F, ", gap ", layout.gap);
        auto x = normal(M * F, 1);
        for (double& v : x) v *= 2;
        Numbers y = x;
        for (double& v : y) v = gelu_of(v, form);
        Grid<T> const xs(x, M, F, layout), ys(M, F, layout, 7);
        ops::gelu(on, xs.view(), ys.view(), form);
        CHECK(close(ys.values(), y, tol<T>(1)));
        CHECK(ys.intact());
        ops::gelu(on, xs.view(), xs.view(), form);  // y may be x
        CHECK(bit_equal(xs.elements(), ys.elements()));
      }
    }
  }
}

/// Where the exponential overflows or vanishes: 0 on the left, x on the right; slopes of 0 and 1.
template <class T, Backend B>
void gelu_tails(B const& on, Gelu form) {
  Numbers const x{0, -0.0, 1e-30, -1e-30, 8, -8, 50, -50, 1e4, -1e4, 1e9, -1e9};
  auto const n = static_cast<std::int64_t>(x.size());
  Grid<T> const xs(x, 1, n), ys(1, n), one(1, n, tight, 1), dx(1, n);
  ops::gelu(on, xs.view(), ys.view(), form);
  ops::gelu_backward(on, one.view(), xs.view(), dx.view(), form);
  for (std::int64_t i = 0; i < n; ++i) {
    double const v = x[static_cast<std::size_t>(i)];
    CAPTURE(v);
    bool const small = std::abs(v) < 1;
    CHECK(close(static_cast<double>(ys[i]), small ? v / 2 : v > 0 ? v : 0, tol<T>(1), std::abs(v)));
    double const hump = form == Gelu::erf ? v * std::exp(-v * v / 2) * 0.3989422804014327 : 0;  // 4e-14 at 8
    CHECK(close(static_cast<double>(dx[i]), small ? 0.5 : (v > 0 ? 1 : 0) + hump, tol<T>(1), 1));
  }
}

template <class T, Backend B>
void gelu_gradient(B const& on, std::int64_t width, Gelu form) {
  std::int64_t const M = 3;
  for (std::int64_t const F : sizes_around(width)) {
    for (Layout const layout : layouts) {
      INFO("F ", F, ", gap ", layout.gap);
      auto const x = normal(M * F, 1), dy = normal(M * F, 2);
      auto const loss = [&](auto const& z) {
        Grid<Complex> const y(M, F);
        ops::gelu(Ref{}, Grid<Complex>(z, M, F).view(), y.view(), form);
        return dot(dy, y.elements());
      };
      Grid<T> const xs(x, M, F, layout), dys(dy, M, F, layout), dx(M, F, layout, 7);
      ops::gelu_backward(on, dys.view(), xs.view(), dx.view(), form);
      CHECK(close(dx.values(), complex_step(loss, x), gradient_tol<T>(1)));
      CHECK(dx.intact());
      ops::gelu_backward(on, dys.view(), xs.view(), dys.view(), form);  // dx may be dy
      CHECK(bit_equal(dys.elements(), dx.elements()));
    }
  }
}

template <class T, Backend B>
void gelu_errors(B const& on) {
  Grid<T> const x(3, 4), y(3, 4), thin(3, 3), low(2, 4);
  for (auto const* other : {&thin, &low}) {
    CHECK_THROWS_WITH_AS(ops::gelu(on, x.view(), other->view()), "gt: gelu: x and y must have one shape", Error);
    CHECK_THROWS_WITH_AS(ops::gelu_backward(on, other->view(), x.view(), y.view()),
                         doctest::Contains("gt: gelu_backward: "), Error);
    CHECK_THROWS_WITH_AS(ops::gelu_backward(on, y.view(), x.view(), other->view()),
                         doctest::Contains("gt: gelu_backward: "), Error);
  }
}

/// All of it, on one backend whose registers are `width` wide.
template <class T, Backend B>
void gelu_conforms(B const& on, std::int64_t width) {
  for (Gelu const form : gelu_forms) {
    CAPTURE(name_of(form));
    SUBCASE(("its formula, " + name_of(form)).c_str()) { gelu_forward<T>(on, width, form); }
    SUBCASE(("far from zero, " + name_of(form)).c_str()) { gelu_tails<T>(on, form); }
    SUBCASE(("gradients by the complex step, " + name_of(form)).c_str()) { gelu_gradient<T>(on, width, form); }
  }
  SUBCASE("errors") { gelu_errors<T>(on); }
}

}  // namespace gt::test
