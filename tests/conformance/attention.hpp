// SPDX-License-Identifier: MIT
// attention on a backend against its formula, and its backward against the complex step.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "gt/backend/ref/ref.hpp"
#include "gt/ops/attention/attention.hpp"
#include "support/close.hpp"
#include "support/complex_step.hpp"
#include "support/data.hpp"

namespace gt::test {

/// q, k and v side by side in one matrix, as a block holds them: [B * Tk, 3 H D], and what attention makes of them.
template <class T>
struct AttentionCase {
  ops::AttentionShape shape;
  std::int64_t C = shape.heads * shape.d_head, rows = shape.batch * shape.keys();
  Layout layout = tight;
  Grid<T> qkv, o{shape.batch * shape.queries, C, layout, 7}, log_sum{1, shape.batch*shape.heads*shape.queries};

  template <class U>
  AttentionCase(ops::AttentionShape s, std::vector<U> const& numbers, Layout where = tight)
      : shape{s}, layout{where}, qkv(numbers, rows, 3 * C, where) {}
  Matrix<T> q() const { return qkv.view().columns(0, C).rows(rows - o.view().rows(), o.view().rows()); }
  Matrix<T> k() const { return qkv.view().columns(C, C); }
  Matrix<T> v() const { return qkv.view().columns(2 * C, C); }
  template <Backend B>
  void run(B const& on) const {
    ops::attention(on, q(), k(), v(), o.view(), log_sum.data(), shape);
  }
};

inline std::int64_t numbers_in(ops::AttentionShape s) { return s.batch * s.keys() * 3 * s.heads * s.d_head; }

template <class T, Backend B>
void attention_forward(B const& on, std::int64_t width) {
  std::vector<ops::AttentionShape> shapes;
  for (std::int64_t const tokens : sizes_around(width)) shapes.push_back({2, 2, 4, tokens, 0});
  for (std::int64_t const D : {2, 3, 16, 33, 64}) shapes.push_back({1, 3, D, 5, 0});
  for (std::int64_t const tokens : {63, 64, 65, 130}) shapes.push_back({1, 1, 8, tokens, 0});  // blocks of 64 queries
  for (std::int64_t const first : {1, 15, 63, 64}) shapes.push_back({1, 2, 8, 3, first});
  for (std::int64_t const tokens : {255, 256, 257, 515}) shapes.push_back({1, 1, 16, tokens, 0});  // blocks of 256 keys
  for (std::int64_t const D : {16, 32, 48, 128, 160, 20}) {  // one query: some heads at a time, where D suits
    for (std::int64_t const first : {0, 30, 256, 299}) shapes.push_back({1, 3, D, 1, first});
    shapes.push_back({1, 2, D, 11, 250});
  }
  shapes.push_back({3, 6, 16, 1, 0});
  for (ops::AttentionShape const s : shapes) {
    Grid<double> const x(normal(numbers_in(s), 1), s.batch * s.keys(), 3 * s.heads * s.d_head);
    std::int64_t const C = s.heads * s.d_head;
    Grid<double> const o(s.batch * s.queries, C), log_sum(1, s.batch * s.heads * s.queries);
    for (std::int64_t b = 0; b < s.batch; ++b) {
      for (std::int64_t h = 0; h < s.heads; ++h) {
        for (std::int64_t t = 0; t < s.queries; ++t) {
          std::int64_t const at = b * s.keys() + s.first + t, from = h * s.d_head;
          Numbers p;
          double sum = 0;
          for (std::int64_t j = 0; j <= s.first + t; ++j) {
            double score = 0;
            for (std::int64_t d = 0; d < s.d_head; ++d) score += x(at, from + d) * x(b * s.keys() + j, C + from + d);
            p.push_back(std::exp(score / std::sqrt(static_cast<double>(s.d_head))));
            sum += p.back();
          }
          log_sum[(b * s.heads + h) * s.queries + t] = std::log(sum);
          for (std::size_t j = 0; j < p.size(); ++j) {
            for (std::int64_t d = 0; d < s.d_head; ++d) {
              o(b * s.queries + t, from + d) +=
                  p[j] / sum * x(b * s.keys() + static_cast<std::int64_t>(j), 2 * C + from + d);
            }
          }
        }
      }
    }
    for (Layout const layout : layouts) {
      if (s.batch > 1 && s.first > 0) continue;
      INFO("batch ", s.batch, ", heads ", s.heads, ", D ", s.d_head, ", queries ", s.queries, ", first ", s.first,
           ", gap ", layout.gap);
      AttentionCase<T> const a(s, x.values(), layout);
      a.run(on);
      double const n = static_cast<double>(s.keys() + s.d_head);
      CHECK(close(a.o.values(), o.values(), tol<T>(n)));
      CHECK(close(a.log_sum.values(), log_sum.values(), tol<T>(n), 1 + max_abs(log_sum.values())));
      CHECK((a.o.intact() && a.qkv.intact()));
      AttentionCase<T> const unsaved(s, x.values(), layout);  // log_sum may be null
      ops::attention(on, unsaved.q(), unsaved.k(), unsaved.v(), unsaved.o.view(), static_cast<T*>(nullptr), s);
      CHECK(bit_equal(unsaved.o.elements(), a.o.elements()));
    }
  }
}

/// What comes later, and how many queries are asked at once, changes no bit of an output: full pass and cache agree.
template <class T, Backend B>
void attention_is_causal(B const& on, std::int64_t tokens, std::int64_t D, std::vector<std::int64_t> const& cuts) {
  ops::AttentionShape const s{1, 2, D, tokens, 0};
  auto const x = normal(numbers_in(s), 1);
  AttentionCase<T> const all(s, x);
  all.run(on);
  auto const rows = [&](AttentionCase<T> const& a, std::int64_t from, std::int64_t count) {
    auto const o = a.o.elements();
    return std::vector<T>(o.begin() + from * a.C, o.begin() + (from + count) * a.C);
  };
  for (std::int64_t const seen : cuts) {
    CAPTURE(seen);
    auto other = x;
    for (std::size_t i = static_cast<std::size_t>(seen * 3 * all.C); i < other.size(); ++i) other[i] = 5;
    AttentionCase<T> const changed(s, other);
    changed.run(on);
    CHECK(bit_equal(rows(changed, 0, seen), rows(all, 0, seen)));
    CHECK(!bit_equal(rows(changed, seen, 1), rows(all, seen, 1)));
    for (std::int64_t const queries : {1, 2, 4, 9}) {
      if (seen + queries > tokens) continue;
      CAPTURE(queries);
      AttentionCase<T> const cached({1, 2, D, queries, seen},
                                    Numbers(x.begin(), x.begin() + (seen + queries) * 3 * all.C));
      cached.run(on);
      CHECK(bit_equal(rows(cached, 0, queries), rows(all, seen, queries)));
      for (std::int64_t i = 0; i < 2 * queries; ++i)
        CHECK(bit_equal(Numbers{cached.log_sum[i]}, Numbers{all.log_sum[i / queries * tokens + seen + i % queries]}));
    }
  }
}

/// A cache has room behind the last key. What stands there is not read.
template <class T, Backend B>
void attention_in_a_cache(B const& on) {
  for (ops::AttentionShape const s :
       {ops::AttentionShape{1, 2, 16, 1, 36}, {1, 2, 16, 5, 0}, {1, 2, 8, 3, 2}, {1, 1, 5, 1, 3}}) {
    INFO("D ", s.d_head, ", queries ", s.queries, ", first ", s.first);
    ops::AttentionShape const room{1, s.heads, s.d_head, s.queries, s.first + 60};
    AttentionCase<T> const full(s, normal(numbers_in(s), 1));
    AttentionCase<T> roomy(room, Numbers(static_cast<std::size_t>(numbers_in(room)), std::nan("")));
    for (std::int64_t i = 0; i < full.rows; ++i) {
      for (std::int64_t j = 0; j < 3 * full.C; ++j) roomy.qkv(i, j) = full.qkv(i, j);
    }
    full.run(on);
    ops::attention(on, full.q(), roomy.k(), roomy.v(), roomy.o.view(), roomy.log_sum.data(), s);
    CHECK(bit_equal(roomy.o.elements(), full.o.elements()));
    CHECK(bit_equal(roomy.log_sum.elements(), full.log_sum.elements()));
  }
}

/// Softmax is stable, and its rows sum to one: with equal values, the output is that value.
template <class T, Backend B>
void attention_softmax(B const& on) {
  ops::AttentionShape const s{1, 1, 4, 40, 0};
  auto x = normal(numbers_in(s), 1);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = i % 12 < 8 ? 60 * x[i] : 3;  // scores in the thousands; v = 3
  AttentionCase<T> const a(s, x);
  a.run(on);
  CHECK(close(a.o.values(), Numbers(a.o.values().size(), 3), tol<T>(40)));
}

template <class T, Backend B>
void attention_gradient(B const& on, std::int64_t width) {
  std::vector<ops::AttentionShape> shapes{{2, 2, 2, 4, 0}, {1, 2, 3, 5, 0}, {1, 1, 2, 67, 0}};
  for (std::int64_t const tokens : sizes_around(width)) shapes.push_back({1, 1, 2, tokens, 0});
  shapes.push_back({1, 1, width + 1, 3, 0});
  for (ops::AttentionShape const s : shapes) {
    std::int64_t const C = s.heads * s.d_head, M = s.batch * s.queries;
    auto const x = normal(numbers_in(s), 1), d_out = normal(M * C, 2);
    auto const exact = complex_step(
        [&](auto const& z) {
          AttentionCase<Complex> const a(s, z);
          a.run(Ref{});
          return dot(d_out, a.o.elements());
        },
        x);
    for (Layout const layout : layouts) {
      INFO("batch ", s.batch, ", heads ", s.heads, ", D ", s.d_head, ", queries ", s.queries, ", gap ", layout.gap);
      AttentionCase<T> const a(s, x, layout);
      a.run(on);
      Grid<T> const dys(d_out, M, C, layout), dx(M, 3 * C, layout, 7);
      ops::attention_backward(on, dys.view(), a.q(), a.k(), a.v(), a.o.view(), a.log_sum.data(),
                              dx.view().columns(0, C), dx.view().columns(C, C), dx.view().columns(2 * C, C), s);
      CHECK(close(dx.values(), exact, gradient_tol<T>(static_cast<double>(s.queries + s.d_head))));
      CHECK(dx.intact());
    }
  }
}

/// The gradients of long sequences and of usual head widths, against the reference in double.
template <class T, Backend B>
void attention_gradient_in_blocks(B const& on) {
  for (ops::AttentionShape const s : {ops::AttentionShape{1, 2, 16, 130, 0},
                                      {2, 1, 32, 64, 0},
                                      {1, 1, 40, 71, 0},
                                      {1, 1, 64, 200, 0},
                                      {1, 2, 80, 9, 0}}) {
    INFO("batch ", s.batch, ", heads ", s.heads, ", D ", s.d_head, ", queries ", s.queries);
    std::int64_t const C = s.heads * s.d_head, M = s.batch * s.queries;
    auto const x = normal(numbers_in(s), 1), d_out = normal(M * C, 2);
    auto const gradient = [&](auto const& backend, auto zero) {
      using U = decltype(zero);
      AttentionCase<U> const a(s, x, loose);
      a.run(backend);
      Grid<U> const dys(d_out, M, C, loose), dx(M, 3 * C, loose, 7);
      ops::attention_backward(backend, dys.view(), a.q(), a.k(), a.v(), a.o.view(), a.log_sum.data(),
                              dx.view().columns(0, C), dx.view().columns(C, C), dx.view().columns(2 * C, C), s);
      CHECK(dx.intact());
      return dx.values();
    };
    CHECK(close(gradient(on, T{}), gradient(Ref{}, 0.0), gradient_tol<T>(static_cast<double>(s.queries + s.d_head))));
  }
}

template <class T, Backend B>
void attention_errors(B const& on) {
  ops::AttentionShape const s{2, 2, 4, 3, 0};
  Grid<T> const x(6, 8), low(5, 8), thin(6, 6), l(1, 12);
  auto const run = [&](auto const& q, auto const& k, auto const& v, auto const& o, ops::AttentionShape shape) {
    ops::attention(on, q.view(), k.view(), v.view(), o.view(), l.data(), shape);
  };
  Grid<T> const o(6, 8);
  CHECK_NOTHROW(run(x, x, x, o, s));
  CHECK_THROWS_WITH_AS(run(x, x, x, o, {2, 3, 4, 3, 0}),
                       "gt: attention: the width must be heads times head width (got 8 and 3 x 4)", Error);
  CHECK_THROWS_WITH_AS(run(x, x, x, o, {2, 0, 4, 3, 0}), doctest::Contains("heads times head width"), Error);
  CHECK_THROWS_WITH_AS(run(x, x, x, o, {2, 2, 4, 3, 1}), doctest::Contains("for one sequence (got a batch of 2)"),
                       Error);
  CHECK_THROWS_WITH_AS(run(low, x, x, o, s), doctest::Contains("q must hold batch x queries rows"), Error);
  CHECK_THROWS_WITH_AS(run(x, low, x, o, s), doctest::Contains("got 6 and 5 for 2 x 3 and 3"), Error);
  for (auto const* other : {&low, &thin}) {
    CHECK_THROWS_WITH_AS(run(x, x, *other, o, s), doctest::Contains("gt: attention: "), Error);
    CHECK_THROWS_WITH_AS(run(x, x, x, *other, s), doctest::Contains("gt: attention: "), Error);
  }
  CHECK_THROWS_WITH_AS(run(x, thin, x, o, s), doctest::Contains("gt: attention: "), Error);

  Grid<T> const dq(6, 8), dk(6, 8), dv(6, 8);
  auto const backward = [&](auto const& d_out, auto const& d_k, ops::AttentionShape shape) {
    ops::attention_backward(on, d_out.view(), x.view(), x.view(), x.view(), o.view(), l.data(), dq.view(), d_k.view(),
                            dv.view(), shape);
  };
  CHECK_NOTHROW(backward(x, dk, s));
  CHECK_THROWS_WITH_AS(backward(x, dk, {1, 2, 4, 5, 1}), doctest::Contains("gt: attention"), Error);
  for (auto const* other : {&low, &thin}) {
    CHECK_THROWS_WITH_AS(backward(*other, dk, s), doctest::Contains("gt: attention_backward: "), Error);
    CHECK_THROWS_WITH_AS(backward(x, *other, s), doctest::Contains("gt: attention_backward: "), Error);
  }
}

/// All of it, on one backend whose registers are `width` wide.
template <class T, Backend B>
void attention_conforms(B const& on, std::int64_t width) {
  SUBCASE("its formula") { attention_forward<T>(on, width); }
  SUBCASE("no bit depends on the future") {
    attention_is_causal<T>(on, 70, 8, {1, 17, 63, 64, 66});
    attention_is_causal<T>(on, 70, 16, {1, 17, 63, 64, 66});
    attention_is_causal<T>(on, 270, 32, {255, 256, 257, 269});
  }
  SUBCASE("what lies behind the last key is not read") { attention_in_a_cache<T>(on); }
  SUBCASE("softmax is stable") { attention_softmax<T>(on); }
  SUBCASE("gradients by the complex step") { attention_gradient<T>(on, width); }
  SUBCASE("gradients of many blocks") { attention_gradient_in_blocks<T>(on); }
  SUBCASE("errors") { attention_errors<T>(on); }
}

}  // namespace gt::test
