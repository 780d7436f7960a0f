// SPDX-License-Identifier: MIT
// linear on a backend against its formula, and its backward against the complex step.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <string>

#include "gt/backend/ref/ref.hpp"
#include "gt/ops/linear.hpp"
#include "support/close.hpp"
#include "support/complex_step.hpp"
#include "support/data.hpp"

namespace gt::test {

template <class T, Backend B>
void linear_forward(B const& on, std::int64_t width) {
  for (std::int64_t const M : {1, 2, 13, 67}) {
    for (std::int64_t const K : sizes_around(width)) {
      for (std::int64_t const N : sizes_around(2 * width)) {
        Grid<double> const x(normal(M * K, 1), M, K), w(normal(N * K, 2), N, K), b(normal(N, 3), 1, N),
            addend(normal(M * N, 4), M, N);
        Grid<double> const product(M, N), sum(M, N), all(M, N);
        for (std::int64_t i = 0; i < M; ++i) {
          for (std::int64_t j = 0; j < N; ++j) {
            for (std::int64_t k = 0; k < K; ++k) product(i, j) += x(i, k) * w(j, k);
            sum(i, j) = product(i, j) + b[j];
            all(i, j) = sum(i, j) + addend(i, j);
          }
        }
        double const n = static_cast<double>(K), size = std::sqrt(n) + 1;  // of y, whose terms may cancel
        for (Layout const layout : layouts) {
          INFO("M ", M, ", K ", K, ", N ", N, ", gap ", layout.gap);
          Grid<T> const xs(x.values(), M, K, layout), ws(w.values(), N, K, layout), bs(b.values(), 1, N, layout);
          Grid<T> const with(M, N, layout, 7), without(M, N, layout, 7);
          ops::linear(on, xs.view(), ws.view(), bs.vector(), with.view());
          ops::linear(on, xs.view(), ws.view(), {}, without.view());
          CHECK(close(with.values(), sum.values(), tol<T>(n), size));
          CHECK(close(without.values(), product.values(), tol<T>(n), size));
          CHECK((with.intact() && without.intact()));

          Grid<T> const added(addend.values(), M, N, layout), apart(M, N, {.shift = 2, .gap = 5}, 7);
          ops::linear(on, xs.view(), ws.view(), bs.vector(), apart.view(), added.view());
          CHECK(close(apart.values(), all.values(), tol<T>(n), size));
          CHECK(added.values() == addend.values());
          ops::linear(on, xs.view(), ws.view(), bs.vector(), added.view(), added.view());  // the addend may be y
          CHECK(bit_equal(added.elements(), apart.elements()));
          CHECK((added.intact() && apart.intact()));
        }
      }
    }
  }
}

template <class T, Backend B>
void linear_gradient(B const& on, std::int64_t width) {
  std::int64_t const M = 5;
  for (std::int64_t const K : sizes_around(width)) {
    std::int64_t const N = K == width ? 3 : width + 1;
    auto const x = normal(M * K, 1), w = normal(N * K, 2), b = normal(N, 3), dy = normal(M * N, 4);
    auto const loss = [&](auto const& xs, auto const& ws, auto const& bs) {
      Grid<Complex> const y(M, N);
      ops::linear(Ref{}, Grid<Complex>(xs, M, K).view(), Grid<Complex>(ws, N, K).view(),
                  Grid<Complex>(bs, 1, N).vector(), y.view());
      return dot(dy, y.elements());
    };
    auto const dx_exact = complex_step([&](auto const& z) { return loss(z, w, b); }, x);
    auto dw_exact = complex_step([&](auto const& z) { return loss(x, z, b); }, w);
    auto db_exact = complex_step([&](auto const& z) { return loss(x, w, z); }, b);
    for (double& d : dw_exact) d += 2;  // parameter gradients accumulate; activation gradients overwrite
    for (double& d : db_exact) d += 3;
    for (Layout const layout : layouts) {
      INFO("K ", K, ", N ", N, ", gap ", layout.gap);
      Grid<T> const xs(x, M, K, layout), ws(w, N, K, layout), dys(dy, M, N, layout);
      Grid<T> const dx(M, K, layout, 7), dw(N, K, layout, 2), db(1, N, layout, 3);
      ops::linear_backward(on, dys.view(), xs.view(), ws.view(), dx.view(), dw.view(), db.vector());
      double const n = static_cast<double>(M + N);
      CHECK(close(dx.values(), dx_exact, gradient_tol<T>(n)));
      CHECK(close(dw.values(), dw_exact, gradient_tol<T>(n)));
      CHECK(close(db.values(), db_exact, gradient_tol<T>(n)));
      CHECK((dx.intact() && dw.intact() && db.intact()));

      // Each output alone, the others null and skipped: the same bits.
      Grid<T> const dx1(M, K, layout, 7), dw1(N, K, layout, 2), db1(1, N, layout, 3);
      ops::linear_backward<B, T>(on, dys.view(), xs.view(), ws.view(), dx1.view(), {}, {});
      ops::linear_backward<B, T>(on, dys.view(), xs.view(), ws.view(), {}, dw1.view(), {});
      ops::linear_backward<B, T>(on, dys.view(), xs.view(), ws.view(), {}, {}, db1.vector());
      CHECK(bit_equal(dx1.elements(), dx.elements()));
      CHECK(bit_equal(dw1.elements(), dw.elements()));
      CHECK(bit_equal(db1.elements(), db.elements()));

      // What another path has left of dx is added to.
      Numbers sum = dx_exact;
      for (double& d : sum) d += 5;
      Grid<T> const dx2(M, K, layout, 5);
      ops::linear_backward<B, T>(on, dys.view(), xs.view(), ws.view(), dx2.view(), {}, {}, dx2.view());
      CHECK(close(dx2.values(), sum, gradient_tol<T>(n)));
    }
  }
}

template <class T, Backend B>
void linear_errors(B const& on) {
  Grid<T> const x(3, 4), w(5, 4), y(3, 5), b(1, 5), short_b(1, 4), thin_w(5, 3), low_y(2, 5), dx(3, 4), dw(5, 4);
  auto const forward = [&](auto const& ws, auto const& bs, auto const& ys) {
    ops::linear(on, x.view(), ws.view(), bs.vector(), ys.view());
  };
  CHECK_NOTHROW(forward(w, b, y));
  CHECK_THROWS_WITH_AS(forward(thin_w, b, y), doctest::Contains("gt: linear: x [M, K], w [N, K] and y [M, N] must fit"),
                       Error);
  CHECK_THROWS_WITH_AS(forward(w, b, low_y), doctest::Contains("[2, 5]"), Error);
  CHECK_THROWS_WITH_AS(forward(w, short_b, y), doctest::Contains("the bias must have N elements (got 4)"), Error);

  for (auto const* addend : {&x, &low_y}) {
    std::string const got = text("[", addend->view().rows(), ", ", addend->view().columns(), "]");
    std::string const sentence = "gt: linear: the addend must have the shape of y (got " + got + ")";
    CHECK_THROWS_WITH_AS(ops::linear(on, x.view(), w.view(), {}, y.view(), addend->view()), sentence.c_str(), Error);
  }

  auto const backward = [&](auto const& dys, auto const& dxs, auto const& dws, auto const& dbs) {
    ops::linear_backward(on, dys.view(), x.view(), w.view(), dxs.view(), dws.view(), dbs.vector());
  };
  CHECK_NOTHROW(backward(y, dx, dw, b));
  CHECK_THROWS_WITH_AS(backward(x, dx, dw, b), doctest::Contains("gt: linear_backward: "), Error);
  CHECK_THROWS_WITH_AS(backward(low_y, dx, dw, b), doctest::Contains("gt: linear_backward: "), Error);
  CHECK_THROWS_WITH_AS(backward(y, low_y, dw, b), doctest::Contains("gt: linear_backward: "), Error);
  CHECK_THROWS_WITH_AS(backward(y, dx, thin_w, b), doctest::Contains("gt: linear_backward: "), Error);
  CHECK_THROWS_WITH_AS(backward(y, dx, dw, short_b), doctest::Contains("gt: linear_backward: "), Error);
}

/// All of it, on one backend whose registers are `width` wide.
template <class T, Backend B>
void linear_conforms(B const& on, std::int64_t width) {
  SUBCASE("its formula") { linear_forward<T>(on, width); }
  SUBCASE("gradients by the complex step") { linear_gradient<T>(on, width); }
  SUBCASE("errors") { linear_errors<T>(on); }
}

}  // namespace gt::test
