// SPDX-License-Identifier: MIT
// embedding on a backend: the row of each id, every number repeated.
#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "gt/ops/embedding.hpp"
#include "support/close.hpp"
#include "support/data.hpp"

namespace gt::test {

template <class T, Backend B>
void embedding_forward(B const& on, std::int64_t width) {
  std::int64_t const V = 9;
  for (std::int64_t const M : {1, 5, 67}) {
    for (std::int64_t const n : sizes_around(width)) {
      for (std::int64_t const lift : {1, 2, 5}) {
        for (Layout const layout : layouts) {
          INFO("M ", M, ", n ", n, ", lift ", lift, ", gap ", layout.gap);
          auto ids = ids_below(V, M, 1);
          ids.front() = V - 1;
          Grid<T> const table(normal(V * n, 1), V, n, layout), y(M, n * lift, layout, 7);
          ops::embedding(on, table.view(), view_of(ids), y.view());
          std::int64_t wrong = 0;
          for (std::int64_t i = 0; i < M; ++i) {
            for (std::int64_t c = 0; c < n * lift; ++c)
              wrong += y(i, c) != table(ids[static_cast<std::size_t>(i)], c / lift);
          }
          CHECK(wrong == 0);
          CHECK(y.intact());
        }
      }
    }
  }
}

// Against its formula in double; n = 130 is cut into three jobs. Up to M lift terms are added to what was there.
template <class T, Backend B>
void embedding_gradient(B const& on, std::int64_t width) {
  std::int64_t const V = 9;
  for (std::int64_t const M : {1, 5, 67}) {
    for (std::int64_t const n : {std::int64_t{1}, width + 1, std::int64_t{130}}) {
      for (std::int64_t const lift : {1, 3}) {
        for (Layout const layout : layouts) {
          INFO("M ", M, ", n ", n, ", lift ", lift, ", gap ", layout.gap);
          auto const ids = ids_below(V, M, 1);
          auto const dy = normal(M * n * lift, 2);
          Numbers expected(static_cast<std::size_t>(V * n), 7);  // it accumulates
          for (std::int64_t i = 0; i < M; ++i) {
            for (std::int64_t c = 0; c < n * lift; ++c)
              expected[static_cast<std::size_t>(ids[static_cast<std::size_t>(i)] * n + c / lift)] +=
                  dy[static_cast<std::size_t>(i * n * lift + c)];
          }
          Grid<T> const dys(dy, M, n * lift, layout), dtable(V, n, layout, 7);
          ops::embedding_backward<B, T>(on, dys.view(), view_of(ids), dtable.view());
          CHECK(close(dtable.values(), expected, tol<T>(static_cast<double>(M * lift + 1))));
          CHECK(dtable.intact());
        }
      }
    }
  }
}

template <class T, Backend B>
void embedding_errors(B const& on) {
  Grid<T> const table(9, 4), y(2, 8), odd(2, 6), low(1, 8);
  auto const look_up = [&](std::vector<std::int32_t> const& ids, auto const& ys) {
    ops::embedding(on, table.view(), view_of(ids), ys.view());
  };
  CHECK_NOTHROW(look_up({0, 8}, y));
  CHECK_THROWS_WITH_AS(look_up({0, 9}, y), "gt: embedding: ids must lie in 0 ... 8 (got 9)", Error);
  CHECK_THROWS_WITH_AS(look_up({-1, 0}, y), "gt: embedding: ids must lie in 0 ... 8 (got -1)", Error);
  CHECK_THROWS_WITH_AS(look_up({0, 8}, odd), "gt: embedding: the table's width must divide the model's (got 4 and 6)",
                       Error);
  CHECK_THROWS_WITH_AS(look_up({0, 8}, low), "gt: embedding: there must be one row for each id (got 2 and 1)", Error);
  Grid<T> const dtable(9, 4);
  CHECK_THROWS_WITH_AS(
      (ops::embedding_backward<B, T>(on, y.view(), view_of(std::vector<std::int32_t>{0, 9}), dtable.view())),
      "gt: embedding_backward: ids must lie in 0 ... 8 (got 9)", Error);
  CHECK_THROWS_WITH_AS(
      (ops::embedding_backward<B, T>(on, odd.view(), view_of(std::vector<std::int32_t>{0, 8}), dtable.view())),
      doctest::Contains("with n a divisor of C"), Error);
}

/// All of it, on one backend whose registers are `width` wide.
template <class T, Backend B>
void embedding_conforms(B const& on, std::int64_t width) {
  SUBCASE("the row of each id") { embedding_forward<T>(on, width); }
  SUBCASE("its gradient") { embedding_gradient<T>(on, width); }
  SUBCASE("errors") { embedding_errors<T>(on); }
}

}  // namespace gt::test
