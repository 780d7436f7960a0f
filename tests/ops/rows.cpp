// SPDX-License-Identifier: MIT
// How row kernels are cut: every row once, small work in one job, sums of any shape.
#include "gt/ops/rows.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "gt/backend/ref/ref.hpp"
#include "gt/cpu.hpp"
#include "gt/ops/adamw.hpp"
#include "gt/ops/gelu.hpp"
#include "gt/ops/layer_norm.hpp"
#include "gt/ops/residual.hpp"
#include "gt/ops/rope.hpp"
#include "support/close.hpp"
#include "support/data.hpp"

namespace rows_test {

using gt::test::close, gt::test::Grid, gt::test::normal, gt::test::Numbers, gt::test::tol;

namespace {

/// The reference, which notes into how many jobs its work was cut.
struct Noting : gt::Ref {
  std::vector<std::int64_t>* jobs;
  template <class F>
  void parallel_for(std::int64_t n, F const& body) const {
    jobs->push_back(n);
    gt::Ref::parallel_for(n, body);
  }
};
static_assert(gt::Backend<Noting>);

struct Shape {
  std::int64_t rows, width;
};

}  // namespace

TEST_CASE("for_each_row and for_each_run: each row and each element once") {
  for (Shape const s : {Shape{0, 8}, {1, 1}, {7, 3}, {256, 1024}, {255, 1028}, {3, 100'000}, {300'000, 1}}) {
    std::int64_t const rows = s.rows, width = s.width;
    CAPTURE(rows);
    CAPTURE(width);
    std::vector<int> seen(static_cast<std::size_t>(rows)), runs(static_cast<std::size_t>(rows));
    gt::ops::for_each_row(gt::Cpu<>(2), rows, width, [&](std::int64_t i) { ++seen[static_cast<std::size_t>(i)]; });
    gt::ops::for_each_run(gt::Cpu<>(2), rows, gt::ops::elements_for_threads,
                          [&](std::int64_t first, std::int64_t count) {
                            for (std::int64_t i = first; i < first + count; ++i) ++runs[static_cast<std::size_t>(i)];
                          });
    CHECK(std::all_of(seen.begin(), seen.end(), [](int n) { return n == 1; }));
    CHECK(std::all_of(runs.begin(), runs.end(), [](int n) { return n == 1; }));
  }
}

TEST_CASE("small work is one job, which no second thread is woken for") {
  std::vector<std::int64_t> jobs;
  Noting const on{{}, &jobs};
  auto const run_all = [&](std::int64_t M, std::int64_t C) {
    Grid<float> const x(normal(M * C, 1), M, C), y(M, C), g(1, C, gt::test::tight, 1), dg(1, C), m(1, M), r(1, M);
    Grid<float> const f(M, 4 * C), df(M, 4 * C), db(1, 4 * C);
    gt::ops::layer_norm(on, x.view(), g.vector(), g.vector(), y.view(), m.vector(), r.vector(), 1e-5);
    gt::ops::layer_norm_backward<Noting, float>(on, y.view(), x.view(), g.vector(), m.vector(), r.vector(), {},
                                                y.view(), dg.vector(), dg.vector());
    gt::ops::gelu<Noting, float>(on, f.view(), df.view());
    gt::ops::gelu_backward<Noting, float>(on, df.view(), f.view(), df.view());
    gt::ops::residual_add<Noting, float>(on, x.view(), y.view(), y.view());
    gt::ops::rope(on, y.view(), gt::ops::RopeTable<float>(M, 8, 10000), M, 0, gt::ops::Rotation::forward);
    gt::ops::add_rows<Noting, float>(on, df.view(), db.data());
    gt::ops::adamw<Noting, float>(on, f.data(), df.data(), df.data(), df.data(), M * C, {});
    (void)gt::ops::sum_of_squares<Noting, float>(on, f.data(), 4 * M * C);
  };
  run_all(256, 32);  // B 16, T 16
  CHECK(jobs == std::vector<std::int64_t>(9, 1));
  jobs.clear();
  run_all(2048, 256);
  CHECK(jobs.size() == 9);
  CHECK(std::all_of(jobs.begin(), jobs.end(), [](auto n) { return n >= 8; }));
}

TEST_CASE_TEMPLATE("add_rows and sum_over_rows: column sums, the same bits on any number of threads", B, gt::Ref,
                   gt::Cpu<>) {
  for (Shape const s : {Shape{1, 1}, {3, 17}, {4, 16}, {5, 33}, {257, 40}, {4099, 70}, {130, 2100}, {9, 20'000}}) {
    std::int64_t const M = s.rows, N = s.width;
    CAPTURE(M);
    CAPTURE(N);
    Grid<float> const x(normal(M * N, 1), M, N, gt::test::loose), sum(1, N, gt::test::loose, 2), same(1, N, {}, 2);
    Numbers exact(static_cast<std::size_t>(N), 2);
    for (std::int64_t i = 0; i < M; ++i) {
      for (std::int64_t j = 0; j < N; ++j) exact[static_cast<std::size_t>(j)] += static_cast<double>(x(i, j));
    }
    gt::ops::add_rows<B, float>(B{}, x.view(), sum.data());
    double const scale = std::sqrt(static_cast<double>(M)) + 2;
    CHECK(close(sum.values(), exact, tol<float>(static_cast<double>(M)), scale));
    CHECK(sum.intact());
    auto const add = [&](std::int64_t i, float* total) {
      for (std::int64_t j = 0; j < N; ++j) total[j] += x(i, j);
    };
    gt::ops::sum_over_rows(B{}, M, N, add, same.data());
    CHECK(close(same.values(), exact, tol<float>(static_cast<double>(M)), scale));
    if constexpr (!std::is_same_v<B, gt::Ref>) {
      Grid<float> const one(1, N, {}, 2), two(1, N, {}, 2);
      gt::ops::add_rows<B, float>(B(1), x.view(), one.data());
      gt::ops::add_rows<B, float>(B(2), x.view(), two.data());
      CHECK(gt::test::bit_equal(one.elements(), two.elements()));
    }
  }
  float none = 7;
  gt::ops::add_rows<B, float>(B{}, gt::Matrix<float const>(&none, 0, 1), &none);  // no rows
  CHECK(none == 7);
}

TEST_CASE("layer_norm_backward and sum_of_squares: the same bits on any number of threads") {
  std::int64_t const M = 4099, C = 33, n = 1'100'000;  // enough to be cut
  Grid<float> const x(normal(M * C, 1), M, C), dy(normal(M * C, 2), M, C), g(normal(C, 3), 1, C), y(M, C);
  Grid<float> const mean(1, M), rstd(1, M), long_row(normal(n, 4), 1, n);
  gt::ops::layer_norm(gt::Cpu<>(1), x.view(), g.vector(), g.vector(), y.view(), mean.vector(), rstd.vector(), 1e-5);
  Grid<float> const dx(M, C), dg(1, C), db(1, C);
  auto const backward = [&](int threads, Grid<float> const& dxs, Grid<float> const& dgs, Grid<float> const& dbs) {
    gt::ops::layer_norm_backward(gt::Cpu<>(threads), dy.view(), x.view(), g.vector(), mean.vector(), rstd.vector(),
                                 y.view(), dxs.view(), dgs.vector(), dbs.vector());
  };
  backward(1, dx, dg, db);
  double const sum = gt::ops::sum_of_squares<gt::Cpu<>, float>(gt::Cpu<>(1), long_row.data(), n);
  for (int const threads : {2, 3}) {
    Grid<float> const dx2(M, C), dg2(1, C), db2(1, C);
    backward(threads, dx2, dg2, db2);
    CHECK(gt::test::bit_equal(dx2.elements(), dx.elements()));
    CHECK(gt::test::bit_equal(dg2.elements(), dg.elements()));
    CHECK(gt::test::bit_equal(db2.elements(), db.elements()));
    CHECK(gt::ops::sum_of_squares<gt::Cpu<>, float>(gt::Cpu<>(threads), long_row.data(), n) == sum);
  }
}

}  // namespace rows_test
