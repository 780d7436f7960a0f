// SPDX-License-Identifier: MIT
// ops::head_cross_entropy on a backend against its formula, and its gradients against the complex step.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "gt/backend/ref/ref.hpp"
#include "gt/ops/cross_entropy.hpp"
#include "support/close.hpp"
#include "support/complex_step.hpp"
#include "support/data.hpp"

namespace gt::test {

/// One call with all of its operands. The outputs start at values that tell adding from overwriting.
template <class T>
struct HeadCase {
  std::int64_t M, C, V;
  Grid<T> x, w, b, nll, dx, dw, db;

  template <class U, class W, class X>
  HeadCase(std::vector<U> const& xs, std::vector<W> const& ws, std::vector<X> const& bs, std::int64_t rows,
           Layout layout = tight)
      : M{rows},
        C{static_cast<std::int64_t>(xs.size()) / rows},
        V{static_cast<std::int64_t>(bs.size())},
        x(xs, M, C, layout),
        w(ws, V, C, layout),
        b(bs, 1, V, layout),
        nll(1, M, layout, 7),
        dx(M, C, layout, 7),
        dw(V, C, layout, 2),
        db(1, V, layout, 3) {}

  template <Backend B>
  void run(B const& on, std::vector<std::int32_t> const& targets, T scale) const {
    ops::head_cross_entropy(on, x.view(), w.view(), b.vector(), view_of(targets), nll.vector(), scale, dx.view(),
                            dw.view(), db.vector());
  }
};

/// Every third position has no target.
inline std::vector<std::int32_t> targets_below(std::int64_t V, std::int64_t M) {
  auto targets = ids_below(V, M, 9);
  for (std::size_t i = 2; i < targets.size(); i += 3) targets[i] = no_target;
  return targets;
}

/// nll and its gradients, each gradient of scale sum(nll), as the definition reads.
struct HeadOracle {
  Numbers nll, dx, dw, db;
  HeadOracle(HeadCase<double> const& c, std::vector<std::int32_t> const& targets, double scale) {
    Grid<double> const d_x(c.M, c.C), d_w(c.V, c.C, tight, 2), d_b(1, c.V, tight, 3);
    for (std::int64_t i = 0; i < c.M; ++i) {
      auto const target = targets[static_cast<std::size_t>(i)];
      nll.push_back(0);
      if (target == no_target) continue;
      Numbers z;
      for (std::int64_t j = 0; j < c.V; ++j) {
        z.push_back(c.b[j]);
        for (std::int64_t k = 0; k < c.C; ++k) z.back() += c.x(i, k) * c.w(j, k);
      }
      double sum = 0;
      for (double const v : z) sum += std::exp(v);
      nll.back() = std::log(sum) - z[static_cast<std::size_t>(target)];
      for (std::int64_t j = 0; j < c.V; ++j) {
        double const d = scale * (std::exp(z[static_cast<std::size_t>(j)]) / sum - (j == target ? 1 : 0));
        d_b[j] += d;
        for (std::int64_t k = 0; k < c.C; ++k) d_x(i, k) += d * c.w(j, k), d_w(j, k) += d * c.x(i, k);
      }
    }
    dx = d_x.values(), dw = d_w.values(), db = d_b.values();
  }
};

template <class T, Backend B>
void head_cross_entropy_forward(B const& on, std::int64_t width) {
  for (std::int64_t const M : {1, 5, 67}) {
    for (std::int64_t const C : {std::int64_t{2}, width + 1}) {
      for (std::int64_t const V : sizes_around(width)) {
        auto const targets = targets_below(V, M);
        double const scale = 0.25;
        auto const x = normal(M * C, 1), w = normal(V * C, 2), b = normal(V, 3);
        HeadOracle const exact(HeadCase<double>(x, w, b, M), targets, scale);
        double const n = static_cast<double>(C + V + M);
        for (Layout const layout : layouts) {
          INFO("M ", M, ", C ", C, ", V ", V, ", gap ", layout.gap);
          HeadCase<T> const c(x, w, b, M, layout);
          c.run(on, targets, static_cast<T>(scale));
          CHECK(close(c.nll.values(), exact.nll, tol<T>(n), 1 + max_abs(exact.nll)));
          CHECK(close(c.dx.values(), exact.dx, tol<T>(n), std::max(scale, max_abs(exact.dx))));
          CHECK(close(c.dw.values(), exact.dw, tol<T>(n)));
          CHECK(close(c.db.values(), exact.db, tol<T>(n)));
          CHECK((c.nll.intact() && c.dx.intact() && c.dw.intact() && c.db.intact()));
          for (std::int64_t i = 2; i < M; i += 3) {
            CHECK(c.nll[i] == 0);
            CHECK(std::all_of(c.dx.view().row(i), c.dx.view().row(i) + C, [](T d) { return d == 0; }));
          }
        }
      }
    }
  }
}

/// So many rows that the logits exist for some of them at a time.
template <class T, Backend B>
void head_cross_entropy_in_runs(B const& on) {
  std::int64_t const C = 2, V = 140'000, M = ops::detail::logit_rows(V) + 5;
  auto const targets = targets_below(V, M);
  auto const x = normal(M * C, 1), w = normal(V * C, 2), b = normal(V, 3);
  HeadOracle const exact(HeadCase<double>(x, w, b, M), targets, 1);
  HeadCase<T> const c(x, w, b, M);
  c.run(on, targets, T(1));
  double const n = static_cast<double>(V);
  CHECK(close(c.nll.values(), exact.nll, tol<T>(n)));
  CHECK(close(c.dw.values(), exact.dw, tol<T>(n)));
  CHECK(close(c.db.values(), exact.db, tol<T>(n)));
  // dx = sum_j d_j w_j, a chain of V terms most of which are smaller than half the last digit of the sum: they are
  // lost, all that have one sign with one sign, so that rounding does not average out. What holds is the bound of a
  // chain, V eps / 2 sum_j |d_j w_j| (Higham 2002, Accuracy and Stability of Numerical Algorithms, section 3.1), where
  // sum_j |d_j| <= 2. In double it is 1e-10.
  double const chain = n * static_cast<double>(std::numeric_limits<T>::epsilon()) / 2;
  CHECK(close(c.dx.values(), exact.dx, chain, 2 * max_abs(w)));
}

template <class T, Backend B>
void head_cross_entropy_gradient(B const& on, std::int64_t width) {
  std::int64_t const M = 4;
  double const scale = 0.5;
  for (std::int64_t const V : sizes_around(width)) {
    std::int64_t const C = V == width ? width + 1 : 3;
    CAPTURE(V);
    auto const targets = targets_below(V, M);
    auto const x = normal(M * C, 1), w = normal(V * C, 2), b = normal(V, 3);
    auto const loss = [&](auto const& xs, auto const& ws, auto const& bs) {
      HeadCase<Complex> const c(xs, ws, bs, M);
      ops::head_cross_entropy(Ref{}, c.x.view(), c.w.view(), c.b.vector(), view_of(targets), c.nll.vector(), {}, {}, {},
                              {});
      return scale * dot(Numbers(static_cast<std::size_t>(M), 1), c.nll.elements());
    };
    auto const dx = complex_step([&](auto const& z) { return loss(z, w, b); }, x);
    auto dw = complex_step([&](auto const& z) { return loss(x, z, b); }, w);
    auto db = complex_step([&](auto const& z) { return loss(x, w, z); }, b);
    for (double& d : dw) d += 2;
    for (double& d : db) d += 3;
    HeadCase<T> const c(x, w, b, M, loose);
    c.run(on, targets, static_cast<T>(scale));
    double const n = static_cast<double>(C + V + M);
    if (V > 1) CHECK(close(c.dx.values(), dx, gradient_tol<T>(n)));
    if (V == 1) CHECK(c.dx.values() == Numbers(static_cast<std::size_t>(M * C)));  // one token is certain
    CHECK(close(c.dw.values(), dw, gradient_tol<T>(n)));
    CHECK(close(c.db.values(), db, gradient_tol<T>(n)));

    HeadCase<T> const only_dx(x, w, b, M, loose), only_w(x, w, b, M, loose), none(x, w, b, M, loose);
    ops::head_cross_entropy(on, c.x.view(), c.w.view(), c.b.vector(), view_of(targets), only_dx.nll.vector(), T(scale),
                            only_dx.dx.view(), {}, {});
    ops::head_cross_entropy(on, c.x.view(), c.w.view(), c.b.vector(), view_of(targets), only_w.nll.vector(), T(scale),
                            {}, only_w.dw.view(), {});
    none.run(on, targets, T(0));  // a scale of zero asks for the losses alone
    CHECK(bit_equal(only_dx.dx.elements(), c.dx.elements()));
    CHECK(bit_equal(only_w.dw.elements(), c.dw.elements()));
    CHECK(bit_equal(none.nll.elements(), c.nll.elements()));
    CHECK(none.dx.values() == Numbers(static_cast<std::size_t>(M * C), 7));
    CHECK(none.dw.values() == Numbers(static_cast<std::size_t>(V * C), 2));
    CHECK(none.db.values() == Numbers(static_cast<std::size_t>(V), 3));
  }
}

/// Adding a number to all logits changes nothing, however large they get; a row's gradients sum to zero.
template <class T, Backend B>
void head_cross_entropy_ignores_shifts(B const& on) {
  std::int64_t const M = 5, C = 3, V = 37;
  auto const targets = targets_below(V, M);
  auto const x = normal(M * C, 1), w = normal(V * C, 2);
  Numbers const zero(static_cast<std::size_t>(V)), high(zero.size(), 512), low(zero.size(), -512);
  HeadCase<T> const at_zero(x, w, zero, M), at_high(x, w, high, M), at_low(x, w, low, M);
  for (auto const* c : {&at_zero, &at_high, &at_low}) {
    c->run(on, targets, T(1));
    CHECK(close(c->nll.values(), at_zero.nll.values(), tol<T>(1), 512));
    double sum = 0;
    for (double const d : c->db.values()) sum += d - 3;
    CHECK(std::abs(sum) <= tol<T>(M) * 3 * static_cast<double>(V));
  }
}

template <class T, Backend B>
void head_cross_entropy_errors(B const& on) {
  Grid<T> const x(3, 4), w(5, 4), thin(5, 3), b(1, 5), nll(1, 3), short_nll(1, 2), dx(3, 4), dw(5, 4), db(1, 5);
  auto const run = [&](auto const& ws, auto const& bs, std::vector<std::int32_t> const& targets, auto const& losses,
                       auto const& dxs, auto const& dws, auto const& dbs) {
    ops::head_cross_entropy(on, x.view(), ws.view(), bs.vector(), view_of(targets), losses.vector(), T(1), dxs.view(),
                            dws.view(), dbs.vector());
  };
  CHECK_NOTHROW(run(w, b, {0, 4, no_target}, nll, dx, dw, db));
  CHECK_THROWS_WITH_AS(run(w, b, {0, 5, 1}, nll, dx, dw, db),
                       "gt: head_cross_entropy: targets must lie in 0 ... 4 (got 5)", Error);
  CHECK_THROWS_WITH_AS(run(w, b, {0, -2, 1}, nll, dx, dw, db), doctest::Contains("0 ... 4 (got -2)"), Error);
  auto const text = doctest::Contains("gt: head_cross_entropy: x [M, C], w [V, C], targets [M] and nll [M] must fit");
  CHECK_THROWS_WITH_AS(run(thin, b, {0, 1, 2}, nll, dx, dw, db), text, Error);
  CHECK_THROWS_WITH_AS(run(w, b, {0, 1}, nll, dx, dw, db), text, Error);
  CHECK_THROWS_WITH_AS(run(w, b, {0, 1, 2}, short_nll, dx, dw, db), text, Error);
  CHECK_THROWS_WITH_AS(run(w, nll, {0, 1, 2}, nll, dx, dw, db), doctest::Contains("must have V elements (got 3)"),
                       Error);
  auto const gradients = doctest::Contains("dx, dw and db must have the shapes of x, w and the bias");
  CHECK_THROWS_WITH_AS(run(w, b, {0, 1, 2}, nll, Grid<T>(2, 4), dw, db), gradients, Error);
  CHECK_THROWS_WITH_AS(run(w, b, {0, 1, 2}, nll, dx, thin, db), gradients, Error);
  CHECK_THROWS_WITH_AS(run(w, b, {0, 1, 2}, nll, dx, dw, nll), gradients, Error);
}

/// All of it, on one backend whose registers are `width` wide.
template <class T, Backend B>
void head_cross_entropy_conforms(B const& on, std::int64_t width) {
  SUBCASE("its formula") { head_cross_entropy_forward<T>(on, width); }
  SUBCASE("a few rows at a time") { head_cross_entropy_in_runs<T>(on); }
  SUBCASE("gradients by the complex step") { head_cross_entropy_gradient<T>(on, width); }
  SUBCASE("shifts do not count") { head_cross_entropy_ignores_shifts<T>(on); }
  SUBCASE("errors") { head_cross_entropy_errors<T>(on); }
}

}  // namespace gt::test
