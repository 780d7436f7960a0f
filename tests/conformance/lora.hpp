// SPDX-License-Identifier: MIT
// The two halves of a low-rank adapter on a backend: their formula, and their gradients by the complex step.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>

#include "gt/backend/ref/ref.hpp"
#include "gt/ops/lora.hpp"
#include "support/close.hpp"
#include "support/complex_step.hpp"
#include "support/data.hpp"

namespace gt::test {

/// y = 3 + s (x A^T) B^T, forward and backward. Sums are of at most K, R, N or M terms, one behind the other.
template <class T, Backend B>
void lora_conforms(B const& on, std::int64_t width) {
  std::int64_t const M = 5, R = 3;
  double const s = 1.75;  // exact in any type
  for (std::int64_t const K : sizes_around(width)) {
    std::int64_t const N = K == width ? 2 : width + 1;
    auto const x = normal(M * K, 1), a = normal(R * K, 2), b = normal(N * R, 3), dy = normal(M * N, 4);
    auto const forward = [&](auto const& xs, auto const& as, auto const& bs) {
      using E = typename std::decay_t<decltype(xs)>::value_type;
      Grid<E> const u(M, R), y(M, N, {}, 3);
      ops::lora_down(Ref{}, Grid<E>(xs, M, K).view(), Grid<E>(as, R, K).view(), E(s), u.view());
      ops::lora_up(Ref{}, u.view(), Grid<E>(bs, N, R).view(), y.view(), true);
      return y.elements();
    };
    auto const loss = [&](auto const& xs, auto const& as, auto const& bs) {
      using Each = std::vector<Complex>;
      return dot(dy, forward(Each(xs.begin(), xs.end()), Each(as.begin(), as.end()), Each(bs.begin(), bs.end())));
    };
    auto const dx_exact = complex_step([&](auto const& z) { return loss(z, a, b); }, x);
    auto const da_exact = complex_step([&](auto const& z) { return loss(x, z, b); }, a);
    auto const db_exact = complex_step([&](auto const& z) { return loss(x, a, z); }, b);
    INFO("K ", K, ", N ", N);
    Grid<T> const xs(x, M, K), as(a, R, K), bs(b, N, R), dys(dy, M, N);
    Grid<T> const u(M, R), y(M, N, {}, 3), alone(M, N, {}, 9), du(M, R), dx(M, K), da(R, K), db(N, R);
    ops::lora_down<B, T>(on, xs.view(), as.view(), T(s), u.view());
    ops::lora_up<B, T>(on, u.view(), bs.view(), y.view(), true);
    ops::lora_up<B, T>(on, u.view(), bs.view(), alone.view(), false);
    double const n = static_cast<double>(K + N + M);
    Numbers expected = forward(x, a, b);
    CHECK(close(y.values(), expected, tol<T>(n)));
    for (double& v : expected) v -= 3;
    CHECK(close(alone.values(), expected, tol<T>(n)));
    ops::lora_up_backward<B, T>(on, dys.view(), u.view(), bs.view(), T(s), du.view(), db.view());
    ops::lora_down_backward<B, T>(on, du.view(), xs.view(), as.view(), dx.view(), da.view());
    CHECK(close(dx.values(), dx_exact, gradient_tol<T>(n)));
    CHECK(close(da.values(), da_exact, gradient_tol<T>(n)));
    CHECK(close(db.values(), db_exact, gradient_tol<T>(n)));
  }
}

}  // namespace gt::test
