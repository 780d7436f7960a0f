// SPDX-License-Identifier: MIT
// ops::rms_norm on a backend against its formula, and its backward against the complex step.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "gt/backend/ref/ref.hpp"
#include "gt/ops/rms_norm.hpp"
#include "support/close.hpp"
#include "support/complex_step.hpp"
#include "support/data.hpp"

namespace gt::test {

template <class T, Backend B>
void rms_norm_forward(B const& on, std::int64_t width) {
  double const eps = 1e-5;
  for (std::int64_t const M : {1, 5, 67}) {
    for (std::int64_t const C : sizes_around(width)) {
      Grid<double> const x(normal(M * C, 1), M, C), g(normal(C, 2), 1, C), y(M, C), rstd(1, M);
      for (std::int64_t i = 0; i < M; ++i) {
        double square = 0;
        for (std::int64_t j = 0; j < C; ++j) square += x(i, j) * x(i, j) / static_cast<double>(C);
        rstd[i] = 1 / std::sqrt(square + eps);
        for (std::int64_t j = 0; j < C; ++j) y(i, j) = x(i, j) * rstd[i] * g[j];
      }
      double const n = static_cast<double>(C);
      for (Layout const layout : layouts) {
        INFO("M ", M, ", C ", C, ", gap ", layout.gap);
        Grid<T> const xs(x.values(), M, C, layout), gs(g.values(), 1, C, layout);
        Grid<T> const ys(M, C, layout, 7), rstds(1, M, layout);
        ops::rms_norm(on, xs.view(), gs.vector(), ys.view(), rstds.vector(), eps);
        CHECK(close(ys.values(), y.values(), tol<T>(n)));
        CHECK(close(rstds.values(), rstd.values(), tol<T>(n)));
        CHECK((ys.intact() && rstds.intact()));
        // A row alone becomes the same.
        Grid<T> const alone(1, C, layout, 7), r(1, 1);
        ops::rms_norm(on, xs.view().rows(M - 1, 1), gs.vector(), alone.view(), r.vector(), eps);
        CHECK(std::equal(alone.view().row(0), alone.view().row(0) + C, ys.view().row(M - 1)));
        ops::rms_norm(on, xs.view(), gs.vector(), xs.view(), rstds.vector(), eps);  // y may be x
        CHECK(bit_equal(xs.elements(), ys.elements()));
      }
    }
  }
}

template <class T, Backend B>
void rms_norm_gradient(B const& on, std::int64_t width) {
  double const eps = 1e-5;
  std::int64_t const M = 3;
  for (std::int64_t const C : sizes_around(width)) {
    auto const x = normal(M * C, 1), g = normal(C, 2), dy = normal(M * C, 4), bypass = normal(M * C, 5);
    auto const loss = [&](auto const& xs, auto const& gs) {
      Grid<Complex> const y(M, C), rstd(1, M);
      ops::rms_norm(Ref{}, Grid<Complex>(xs, M, C).view(), Grid<Complex>(gs, 1, C).vector(), y.view(), rstd.vector(),
                    eps);
      return dot(dy, y.elements());
    };
    auto const dx_exact = complex_step([&](auto const& z) { return loss(z, g); }, x);
    auto dg_exact = complex_step([&](auto const& z) { return loss(x, z); }, g);
    for (double& d : dg_exact) d += 2;
    Numbers both = dx_exact;
    for (std::size_t i = 0; i < both.size(); ++i) both[i] += bypass[i];

    for (Layout const layout : layouts) {
      INFO("C ", C, ", gap ", layout.gap);
      Grid<T> const xs(x, M, C, layout), gs(g, 1, C, layout), y(M, C), rstd(1, M);
      ops::rms_norm(on, xs.view(), gs.vector(), y.view(), rstd.vector(), eps);
      auto const backward = [&](auto dy_view, auto residual, auto dx, auto dg) {
        ops::rms_norm_backward<B, T>(on, dy_view, xs.view(), gs.vector(), rstd.vector(), residual, dx, dg);
      };
      Grid<T> const dys(dy, M, C, layout), bypasses(bypass, M, C, layout), dx(M, C, layout, 7), dg(1, C, layout, 2);
      backward(dys.view(), Matrix<T>{}, dx.view(), dg.vector());
      // dx is a difference of terms of the size of r g dy.
      double const n = static_cast<double>(C), terms = max_abs(rstd.values()) * max_abs(g) * max_abs(dy);
      CHECK(close(dx.values(), dx_exact, gradient_tol<T>(n), std::max(terms, max_abs(dx_exact))));
      CHECK(close(dg.values(), dg_exact, gradient_tol<T>(n)));
      CHECK((dx.intact() && dg.intact()));

      Grid<T> const sum(M, C, layout, 7), dg1(1, C, layout, 2), dg2(1, C, layout, 2);
      backward(dys.view(), bypasses.view(), sum.view(), Vector<T>{});
      CHECK(close(sum.values(), both, gradient_tol<T>(n), std::max(terms, max_abs(both))));
      backward(dys.view(), Matrix<T>{}, Matrix<T>{}, dg1.vector());  // null outputs are skipped
      CHECK(bit_equal(dg1.elements(), dg.elements()));
      backward(dys.view(), bypasses.view(), bypasses.view(), Vector<T>{});  // dx may be the residual,
      CHECK(bit_equal(bypasses.elements(), sum.elements()));
      backward(dys.view(), Matrix<T>{}, dys.view(), dg2.vector());  // and it may be dy
      CHECK(bit_equal(dys.elements(), dx.elements()));
      CHECK(bit_equal(dg2.elements(), dg.elements()));
    }
  }
}

/// Many rows: the gain's gradient is a sum over runs of rows.
template <class T, Backend B>
void rms_norm_sums_over_rows(B const& on) {
  std::int64_t const M = 4099, C = 33;
  Grid<T> const xs(normal(M * C, 1), M, C), dys(normal(M * C, 2), M, C), one(1, C, tight, 1);
  Grid<T> const y(M, C), rstd(1, M), dg(1, C);
  ops::rms_norm(on, xs.view(), one.vector(), y.view(), rstd.vector(), 1e-5);
  Numbers exact(static_cast<std::size_t>(C));
  for (std::int64_t i = 0; i < M; ++i) {
    for (std::int64_t j = 0; j < C; ++j)  // gain 1: y is xhat
      exact[static_cast<std::size_t>(j)] += static_cast<double>(dys(i, j)) * static_cast<double>(y(i, j));
  }
  ops::rms_norm_backward<B, T>(on, dys.view(), xs.view(), one.vector(), rstd.vector(), {}, {}, dg.vector());
  double const n = static_cast<double>(M);
  CHECK(close(dg.values(), exact, tol<T>(n), std::sqrt(n)));
}

template <class T, Backend B>
void rms_norm_errors(B const& on) {
  Grid<T> const x(3, 4), y(3, 4), thin(3, 3), low(2, 4), g(1, 4), short_g(1, 3), r(1, 3), short_r(1, 2);
  auto const forward = [&](auto const& ys, auto const& gs, auto const& rs) {
    ops::rms_norm(on, x.view(), gs.vector(), ys.view(), rs.vector(), 1e-5);
  };
  CHECK_NOTHROW(forward(y, g, r));
  auto const text = doctest::Contains("gt: rms_norm: x and y must be [M, C], the gain [C]");
  CHECK_THROWS_WITH_AS(forward(thin, g, r), text, Error);
  CHECK_THROWS_WITH_AS(forward(low, g, r), text, Error);
  CHECK_THROWS_WITH_AS(forward(y, short_g, r), text, Error);
  CHECK_THROWS_WITH_AS(forward(y, g, short_r), "gt: rms_norm: rstd must be [M] (got M 3, 2)", Error);

  auto const backward = [&](auto const& dys, auto const& dxs, auto const& dgs, auto const& rs) {
    ops::rms_norm_backward<B, T>(on, dys.view(), x.view(), g.vector(), rs.vector(), {}, dxs.view(), dgs.vector());
  };
  CHECK_NOTHROW(backward(y, y, g, r));
  auto const gradient_text = doctest::Contains("gt: rms_norm_backward: ");
  CHECK_THROWS_WITH_AS(backward(thin, y, g, r), gradient_text, Error);
  CHECK_THROWS_WITH_AS(backward(low, y, g, r), gradient_text, Error);
  CHECK_THROWS_WITH_AS(backward(y, thin, g, r), gradient_text, Error);
  CHECK_THROWS_WITH_AS(backward(y, y, short_g, r), gradient_text, Error);
  CHECK_THROWS_WITH_AS(backward(y, y, g, short_r), gradient_text, Error);
}

/// All of it, on one backend whose registers are `width` wide.
template <class T, Backend B>
void rms_norm_conforms(B const& on, std::int64_t width) {
  SUBCASE("its formula") { rms_norm_forward<T>(on, width); }
  SUBCASE("gradients by the complex step") { rms_norm_gradient<T>(on, width); }
  SUBCASE("sums over many rows") { rms_norm_sums_over_rows<T>(on); }
  SUBCASE("errors") { rms_norm_errors<T>(on); }
}

}  // namespace gt::test
