// SPDX-License-Identifier: MIT
// ops::linear_gelu on a backend against linear and gelu, and its formula; its backward against the complex step.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "conformance/gelu.hpp"
#include "gt/backend/ref/ref.hpp"
#include "gt/ops/gelu.hpp"
#include "gt/ops/linear.hpp"
#include "gt/ops/linear_gelu.hpp"
#include "support/close.hpp"
#include "support/complex_step.hpp"
#include "support/data.hpp"

namespace gt::test {

template <class T, Backend B>
void linear_gelu_is_linear_and_gelu(B const& on, std::int64_t width, std::int64_t M, std::int64_t K, Gelu form) {
  for (std::int64_t const N : sizes_around(2 * width)) {
    for (Layout const layout : layouts) {
      INFO("M ", M, ", K ", K, ", N ", N, ", gap ", layout.gap);
      auto const w = normal(N * K, 2);
      Grid<T> const xs(normal(M * K, 1), M, K, layout), ws(w, N, K, layout), bs(normal(N, 3), 1, N, layout);
      for (auto const& b : {bs.vector(), Vector<T>{}}) {
        Grid<T> const h(M, N, layout, 7), y(M, N, layout, 7), h_alone(M, N, layout, 7), y_alone(M, N, layout, 7);
        ops::linear_gelu(on, xs.view(), ws.view(), b, h.view(), y.view(), form);
        ops::linear(on, xs.view(), ws.view(), b, h_alone.view());
        ops::gelu(on, h_alone.view(), y_alone.view(), form);
        CHECK(bit_equal(h.elements(), h_alone.elements()));
        CHECK(bit_equal(y.elements(), y_alone.elements()));
        CHECK((h.intact() && y.intact()));
      }
    }
  }
}

/// A change of h changes y by at most 1.13 times as much, which the scale holds: h is of size sqrt(K) + 1.
template <class T, Backend B>
void linear_gelu_forward(B const& on, std::int64_t M, std::int64_t N, std::int64_t K, Gelu form) {
  Grid<double> const x(normal(M * K, 1), M, K), w(normal(N * K, 2), N, K), b(normal(N, 3), 1, N);
  Grid<double> const exact(M, N);
  for (std::int64_t i = 0; i < M; ++i) {
    for (std::int64_t j = 0; j < N; ++j) {
      double h = b[j];
      for (std::int64_t k = 0; k < K; ++k) h += x(i, k) * w(j, k);
      exact(i, j) = gelu_of(h, form);
    }
  }
  Grid<T> const xs(x.values(), M, K), ws(w.values(), N, K), bs(b.values(), 1, N), h(M, N), y(M, N);
  ops::linear_gelu(on, xs.view(), ws.view(), bs.vector(), h.view(), y.view(), form);
  double const n = static_cast<double>(K);
  CHECK(close(y.values(), exact.values(), tol<T>(n), std::sqrt(n) + 1));
}

template <class T, Backend B>
void gelu_linear_gradient(B const& on, std::int64_t width, Gelu form) {
  std::int64_t const M = 5;
  for (std::int64_t const K : sizes_around(width)) {
    std::int64_t const N = K == width ? 3 : width + 1;
    auto const h = normal(M * K, 1), w = normal(N * K, 2), b = normal(N, 3), dy = normal(M * N, 4);
    auto const loss = [&](auto const& hs, auto const& ws, auto const& bs) {
      Grid<Complex> const a(M, K), y(M, N);
      ops::gelu(Ref{}, Grid<Complex>(hs, M, K).view(), a.view(), form);
      ops::linear(Ref{}, a.view(), Grid<Complex>(ws, N, K).view(), Grid<Complex>(bs, 1, N).vector(), y.view());
      return dot(dy, y.elements());
    };
    auto const dh_exact = complex_step([&](auto const& z) { return loss(z, w, b); }, h);
    auto dw_exact = complex_step([&](auto const& z) { return loss(h, z, b); }, w);
    auto db_exact = complex_step([&](auto const& z) { return loss(h, w, z); }, b);
    for (double& d : dw_exact) d += 2;  // parameter gradients accumulate; activation gradients overwrite
    for (double& d : db_exact) d += 3;
    for (Layout const layout : layouts) {
      INFO("K ", K, ", N ", N, ", gap ", layout.gap);
      Grid<T> const hs(h, M, K, layout), ws(w, N, K, layout), dys(dy, M, N, layout), a(M, K, layout);
      ops::gelu(on, hs.view(), a.view(), form);
      Grid<T> const dh(M, K, layout, 7), dw(N, K, layout, 2), db(1, N, layout, 3);
      ops::gelu_linear_backward(on, dys.view(), hs.view(), a.view(), ws.view(), dh.view(), dw.view(), db.vector(),
                                form);
      double const n = static_cast<double>(M + N);
      CHECK(close(dh.values(), dh_exact, gradient_tol<T>(n)));
      CHECK(close(dw.values(), dw_exact, gradient_tol<T>(n)));
      CHECK(close(db.values(), db_exact, gradient_tol<T>(n)));
      CHECK((dh.intact() && dw.intact() && db.intact()));

      // The two ops that it stands for: the same bits.
      Grid<T> const da(M, K, layout, 7), dh2(M, K, layout, 7), dw2(N, K, layout, 2), db2(1, N, layout, 3);
      ops::linear_backward(on, dys.view(), a.view(), ws.view(), da.view(), dw2.view(), db2.vector());
      ops::gelu_backward(on, da.view(), hs.view(), dh2.view(), form);
      CHECK(bit_equal(dh.elements(), dh2.elements()));
      CHECK(bit_equal(dw.elements(), dw2.elements()));
      CHECK(bit_equal(db.elements(), db2.elements()));

      // dw or db or both null and skipped: the same bits.
      for (int const skipped : {1, 2, 3}) {
        CAPTURE(skipped);
        Grid<T> const dh1(M, K, layout, 7), dw1(N, K, layout, 2), db1(1, N, layout, 3);
        ops::gelu_linear_backward<B, T>(on, dys.view(), hs.view(), a.view(), ws.view(), dh1.view(),
                                        (skipped & 1) != 0 ? Matrix<T>{} : dw1.view(),
                                        (skipped & 2) != 0 ? Vector<T>{} : db1.vector(), form);
        CHECK(bit_equal(dh1.elements(), dh.elements()));
        if ((skipped & 1) == 0) CHECK(bit_equal(dw1.elements(), dw.elements()));
        if ((skipped & 2) == 0) CHECK(bit_equal(db1.elements(), db.elements()));
      }
    }
  }
}

template <class T, Backend B>
void linear_gelu_errors(B const& on) {
  Grid<T> const x(3, 4), w(5, 4), h(3, 5), y(3, 5), b(1, 5), short_b(1, 4), thin_w(5, 3), low_y(2, 5);
  auto const forward = [&](auto const& ws, auto const& bs, auto const& hs, auto const& ys) {
    ops::linear_gelu(on, x.view(), ws.view(), bs.vector(), hs.view(), ys.view());
  };
  CHECK_NOTHROW(forward(w, b, h, y));
  CHECK_THROWS_WITH_AS(forward(thin_w, b, h, y), doctest::Contains(": x [M, K], w [N, K] and y [M, N] must fit"),
                       Error);
  CHECK_THROWS_WITH_AS(forward(w, b, low_y, y), doctest::Contains("must fit (got [3, 4], [5, 4], [2, 5])"), Error);
  CHECK_THROWS_WITH_AS(forward(w, short_b, h, y), doctest::Contains("the bias must have N elements (got 4)"), Error);
  for (auto const* other : {&x, &low_y})
    CHECK_THROWS_WITH_AS(forward(w, b, h, *other), "gt: linear_gelu: h, y and the addend must have one shape", Error);

  Grid<T> const dh(3, 4), dw(5, 4);
  auto const backward = [&](auto const& dys, auto const& as, auto const& dhs, auto const& dws, auto const& dbs) {
    ops::gelu_linear_backward(on, dys.view(), x.view(), as.view(), w.view(), dhs.view(), dws.view(), dbs.vector());
  };
  char const* const sentence =
      "gt: gelu_linear_backward: dy [M, N], h, gelu(h), dh and addend [M, K], w and dw [N, K] and db [N] must fit";
  CHECK_NOTHROW(backward(y, x, dh, dw, b));
  CHECK_THROWS_WITH_AS(backward(x, x, dh, dw, b), sentence, Error);
  CHECK_THROWS_WITH_AS(backward(low_y, x, dh, dw, b), sentence, Error);
  CHECK_THROWS_WITH_AS(backward(y, y, dh, dw, b), sentence, Error);
  CHECK_THROWS_WITH_AS(backward(y, x, y, dw, b), sentence, Error);
  CHECK_THROWS_WITH_AS(backward(y, x, dh, thin_w, b), sentence, Error);
  CHECK_THROWS_WITH_AS(backward(y, x, dh, dw, short_b), sentence, Error);
}

/// All of it, on one backend whose registers are `width` wide.
template <class T, Backend B>
void linear_gelu_conforms(B const& on, std::int64_t width) {
  for (Gelu const form : gelu_forms) {
    CAPTURE(name_of(form));
    SUBCASE(("the bits of linear and gelu, " + name_of(form)).c_str()) {
      for (std::int64_t const M : {1, 2, 13, 67}) {
        for (std::int64_t const K : {std::int64_t{1}, width + 1})
          linear_gelu_is_linear_and_gelu<T>(on, width, M, K, form);
      }
      for (std::int64_t const M : {1, 20})
        linear_gelu_is_linear_and_gelu<T>(on, width, M, 1300, form);  // in several passes
    }
    SUBCASE(("its formula, " + name_of(form)).c_str()) {
      linear_gelu_forward<T>(on, 1, 5 * width + 3, 40, form);
      linear_gelu_forward<T>(on, 30, 5 * width + 3, 40, form);
    }
    SUBCASE(("gradients by the complex step, " + name_of(form)).c_str()) { gelu_linear_gradient<T>(on, width, form); }
  }
  SUBCASE("errors") { linear_gelu_errors<T>(on); }
}

}  // namespace gt::test
