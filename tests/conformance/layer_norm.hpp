// SPDX-License-Identifier: MIT
// ops::layer_norm on a backend against its formula, and its backward against the complex step.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "gt/backend/ref/ref.hpp"
#include "gt/ops/layer_norm.hpp"
#include "support/close.hpp"
#include "support/complex_step.hpp"
#include "support/data.hpp"

namespace gt::test {

template <class T, Backend B>
void layer_norm_forward(B const& on, std::int64_t width) {
  double const eps = 1e-5;
  auto sizes = sizes_around(width);
  sizes.push_back(ops::detail::narrow_row + 5);
  for (std::int64_t const M : {1, 5, 67}) {
    for (std::int64_t const C : sizes) {
      Grid<double> const x(normal(M * C, 1), M, C), g(normal(C, 2), 1, C), b(normal(C, 3), 1, C);
      Grid<double> const y(M, C), mean(1, M), rstd(1, M);
      for (std::int64_t i = 0; i < M; ++i) {
        double variance = 0;
        for (std::int64_t j = 0; j < C; ++j) mean[i] += x(i, j) / static_cast<double>(C);
        for (std::int64_t j = 0; j < C; ++j) variance += std::pow(x(i, j) - mean[i], 2) / static_cast<double>(C);
        rstd[i] = 1 / std::sqrt(variance + eps);
        for (std::int64_t j = 0; j < C; ++j) y(i, j) = (x(i, j) - mean[i]) * rstd[i] * g[j] + b[j];
      }
      double const n = static_cast<double>(C);
      for (Layout const layout : layouts) {
        INFO("M ", M, ", C ", C, ", gap ", layout.gap);
        Grid<T> const xs(x.values(), M, C, layout), gs(g.values(), 1, C, layout), bs(b.values(), 1, C, layout);
        Grid<T> const ys(M, C, layout, 7), means(1, M, layout), rstds(1, M, layout);
        ops::layer_norm(on, xs.view(), gs.vector(), bs.vector(), ys.view(), means.vector(), rstds.vector(), eps);
        CHECK(close(ys.values(), y.values(), tol<T>(n)));
        CHECK(close(means.values(), mean.values(), tol<T>(n), 1));
        CHECK(close(rstds.values(), rstd.values(), tol<T>(n)));
        CHECK((ys.intact() && means.intact() && rstds.intact()));
        // y may be x.
        ops::layer_norm(on, xs.view(), gs.vector(), bs.vector(), xs.view(), means.vector(), rstds.vector(), eps);
        CHECK(bit_equal(xs.elements(), ys.elements()));
      }
    }
  }
}

/// A row far from zero: the variance must be of the differences, not the difference of mean squares.
template <class T, Backend B>
void layer_norm_far_from_zero(B const& on) {
  std::int64_t const C = 64;
  Numbers near = normal(C, 1), far = near;
  for (double& v : near) v = std::round(v * 64) / 64;  // so that the shift is exact in float
  for (std::size_t j = 0; j < far.size(); ++j) far[j] = near[j] + 4096;
  Grid<T> const x(near, 1, C), shifted(far, 1, C), one(1, C, tight, 1), zero(1, C), y(1, C), z(1, C), m(1, 1), r(1, 1);
  ops::layer_norm(on, x.view(), one.vector(), zero.vector(), y.view(), m.vector(), r.vector(), 1e-5);
  ops::layer_norm(on, shifted.view(), one.vector(), zero.vector(), z.view(), m.vector(), r.vector(), 1e-5);
  CHECK(close(z.values(), y.values(), tol<T>(C), 4096));
}

template <class T, Backend B>
void layer_norm_gradient(B const& on, std::int64_t width) {
  double const eps = 1e-5;
  std::int64_t const M = 3;
  for (std::int64_t const C : sizes_around(width)) {
    auto const x = normal(M * C, 1), g = normal(C, 2), b = normal(C, 3), dy = normal(M * C, 4),
               bypass = normal(M * C, 5);
    auto const loss = [&](auto const& xs, auto const& gs, auto const& bs) {
      Grid<Complex> const y(M, C), mean(1, M), rstd(1, M);
      ops::layer_norm(Ref{}, Grid<Complex>(xs, M, C).view(), Grid<Complex>(gs, 1, C).vector(),
                      Grid<Complex>(bs, 1, C).vector(), y.view(), mean.vector(), rstd.vector(), eps);
      return dot(dy, y.elements());
    };
    auto const dx_exact = complex_step([&](auto const& z) { return loss(z, g, b); }, x);
    auto dg_exact = complex_step([&](auto const& z) { return loss(x, z, b); }, g);
    auto db_exact = complex_step([&](auto const& z) { return loss(x, g, z); }, b);
    for (double& d : dg_exact) d += 2;
    for (double& d : db_exact) d += 3;
    Numbers both = dx_exact;
    for (std::size_t i = 0; i < both.size(); ++i) both[i] += bypass[i];

    for (Layout const layout : layouts) {
      INFO("C ", C, ", gap ", layout.gap);
      Grid<T> const xs(x, M, C, layout), gs(g, 1, C, layout), bs(b, 1, C, layout), y(M, C), mean(1, M), rstd(1, M);
      ops::layer_norm(on, xs.view(), gs.vector(), bs.vector(), y.view(), mean.vector(), rstd.vector(), eps);
      auto const backward = [&](auto dy_view, auto residual, auto dx, auto dg, auto db) {
        ops::layer_norm_backward<B, T>(on, dy_view, xs.view(), gs.vector(), mean.vector(), rstd.vector(), residual, dx,
                                       dg, db);
      };
      Grid<T> const dys(dy, M, C, layout), bypasses(bypass, M, C, layout);
      Grid<T> const dx(M, C, layout, 7), dg(1, C, layout, 2), db(1, C, layout, 3);
      backward(dys.view(), Matrix<T>{}, dx.view(), dg.vector(), db.vector());
      // dx is a difference of terms of the size of r g dy.
      double const n = static_cast<double>(C), terms = max_abs(rstd.values()) * max_abs(g) * max_abs(dy);
      CHECK(close(dx.values(), dx_exact, gradient_tol<T>(n), sizeof(T) == sizeof(double) ? max_abs(dx_exact) : terms));
      CHECK(close(dg.values(), dg_exact, gradient_tol<T>(n)));
      CHECK(close(db.values(), db_exact, gradient_tol<T>(n)));
      CHECK((dx.intact() && dg.intact() && db.intact()));

      Grid<T> const sum(M, C, layout, 7), dg1(1, C, layout, 2), db1(1, C, layout, 3);
      backward(dys.view(), bypasses.view(), sum.view(), Vector<T>{}, Vector<T>{});
      CHECK(close(sum.values(), both, gradient_tol<T>(n), std::max(terms, max_abs(both))));
      backward(dys.view(), Matrix<T>{}, Matrix<T>{}, dg1.vector(), Vector<T>{});  // null outputs are skipped
      backward(dys.view(), Matrix<T>{}, Matrix<T>{}, Vector<T>{}, db1.vector());
      CHECK(bit_equal(dg1.elements(), dg.elements()));
      CHECK(bit_equal(db1.elements(), db.elements()));

      backward(dys.view(), bypasses.view(), bypasses.view(), Vector<T>{}, Vector<T>{});  // dx may be the residual,
      CHECK(bit_equal(bypasses.elements(), sum.elements()));
      Grid<T> const dg2(1, C, layout, 2), db2(1, C, layout, 3);
      backward(dys.view(), Matrix<T>{}, dys.view(), dg2.vector(), db2.vector());  // and it may be dy
      CHECK(bit_equal(dys.elements(), dx.elements()));
      CHECK(bit_equal(dg2.elements(), dg.elements()));
      CHECK(bit_equal(db2.elements(), db.elements()));
    }
  }
}

/// Many rows: gain's and bias's gradients are sums over runs of rows.
template <class T, Backend B>
void layer_norm_sums_over_rows(B const& on) {
  std::int64_t const M = 4099, C = 33;
  Grid<double> const x(normal(M * C, 1), M, C), dy(normal(M * C, 2), M, C), dg(1, C), db(1, C);
  Grid<T> const xs(x.values(), M, C), dys(dy.values(), M, C), one(1, C, tight, 1), zero(1, C);
  Grid<T> const y(M, C), mean(1, M), rstd(1, M), dgs(1, C), dbs(1, C);
  ops::layer_norm(on, xs.view(), one.vector(), zero.vector(), y.view(), mean.vector(), rstd.vector(), 1e-5);
  for (std::int64_t i = 0; i < M; ++i) {
    for (std::int64_t j = 0; j < C; ++j) {
      dg[j] += dy(i, j) * static_cast<double>(y(i, j));  // gain 1, bias 0: y is xhat
      db[j] += dy(i, j);
    }
  }
  ops::layer_norm_backward<B, T>(on, dys.view(), xs.view(), one.vector(), mean.vector(), rstd.vector(), {}, {},
                                 dgs.vector(), dbs.vector());
  double const n = static_cast<double>(M);
  CHECK(close(dgs.values(), dg.values(), tol<T>(n), std::sqrt(n)));
  CHECK(close(dbs.values(), db.values(), tol<T>(n), std::sqrt(n)));
}

/// What a row becomes does not depend on the rows beside it.
template <class T, Backend B>
void layer_norm_row_by_row(B const& on) {
  std::int64_t const M = 5;
  for (std::int64_t const C : {std::int64_t{33}, ops::detail::narrow_row + 5}) {
    CAPTURE(C);
    Grid<T> const x(normal(M * C, 1), M, C), g(normal(C, 2), 1, C), b(normal(C, 3), 1, C), dy(normal(M * C, 4), M, C);
    Grid<T> const y(M, C), mean(1, M), rstd(1, M), dx(M, C), alone(M, C), alone_dx(M, C), m(1, M), r(1, M), dg(1, C);
    ops::layer_norm(on, x.view(), g.vector(), b.vector(), y.view(), mean.vector(), rstd.vector(), 1e-5);
    ops::layer_norm_backward<B, T>(on, dy.view(), x.view(), g.vector(), mean.vector(), rstd.vector(), {}, dx.view(),
                                   dg.vector(), {});
    for (std::int64_t i = 0; i < M; ++i) {
      Vector<T> const mi(m.data() + i, 1), ri(r.data() + i, 1);
      ops::layer_norm(on, x.view().rows(i, 1), g.vector(), b.vector(), alone.view().rows(i, 1), mi, ri, 1e-5);
      ops::layer_norm_backward<B, T>(on, dy.view().rows(i, 1), x.view().rows(i, 1), g.vector(), mi, ri, {},
                                     alone_dx.view().rows(i, 1), {}, {});
    }
    CHECK(bit_equal(alone.elements(), y.elements()));
    CHECK(bit_equal(m.elements(), mean.elements()));
    CHECK(bit_equal(r.elements(), rstd.elements()));
    CHECK(bit_equal(alone_dx.elements(), dx.elements()));
  }
}

template <class T, Backend B>
void layer_norm_errors(B const& on) {
  Grid<T> const x(3, 4), y(3, 4), thin(3, 3), low(2, 4), g(1, 4), short_g(1, 3), m(1, 3), short_m(1, 2);
  auto const forward = [&](auto const& ys, auto const& gs, auto const& bs, auto const& ms, auto const& rs) {
    ops::layer_norm(on, x.view(), gs.vector(), bs.vector(), ys.view(), ms.vector(), rs.vector(), 1e-5);
  };
  CHECK_NOTHROW(forward(y, g, g, m, m));
  auto const text = doctest::Contains("gt: layer_norm: x and y must be [M, C], gain and bias [C]");
  CHECK_THROWS_WITH_AS(forward(thin, g, g, m, m), text, Error);
  CHECK_THROWS_WITH_AS(forward(low, g, g, m, m), text, Error);
  CHECK_THROWS_WITH_AS(forward(y, short_g, g, m, m), text, Error);
  CHECK_THROWS_WITH_AS(forward(y, g, short_g, m, m), text, Error);
  CHECK_THROWS_WITH_AS(forward(y, g, g, short_m, m), doctest::Contains("gt: layer_norm: "), Error);
  CHECK_THROWS_WITH_AS(forward(y, g, g, m, short_m), doctest::Contains("gt: layer_norm: "), Error);

  auto const backward = [&](auto const& dys, auto const& dxs, auto const& dgs, auto const& ms) {
    ops::layer_norm_backward<B, T>(on, dys.view(), x.view(), g.vector(), ms.vector(), m.vector(), {}, dxs.view(),
                                   dgs.vector(), {});
  };
  CHECK_NOTHROW(backward(y, y, g, m));
  auto const gradient_text = doctest::Contains("gt: layer_norm_backward: ");
  CHECK_THROWS_WITH_AS(backward(thin, y, g, m), gradient_text, Error);
  CHECK_THROWS_WITH_AS(backward(low, y, g, m), gradient_text, Error);
  CHECK_THROWS_WITH_AS(backward(y, thin, g, m), gradient_text, Error);
  CHECK_THROWS_WITH_AS(backward(y, low, g, m), gradient_text, Error);
  CHECK_THROWS_WITH_AS(backward(y, y, short_g, m), gradient_text, Error);
  CHECK_THROWS_WITH_AS(backward(y, y, g, short_m), gradient_text, Error);
}

/// All of it, on one backend whose registers are `width` wide.
template <class T, Backend B>
void layer_norm_conforms(B const& on, std::int64_t width) {
  SUBCASE("its formula") { layer_norm_forward<T>(on, width); }
  SUBCASE("rows far from zero") { layer_norm_far_from_zero<T>(on); }
  SUBCASE("gradients by the complex step") { layer_norm_gradient<T>(on, width); }
  SUBCASE("row by row") { layer_norm_row_by_row<T>(on); }
  SUBCASE("sums over many rows") { layer_norm_sums_over_rows<T>(on); }
  SUBCASE("errors") { layer_norm_errors<T>(on); }
}

}  // namespace gt::test
