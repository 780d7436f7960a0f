// SPDX-License-Identifier: MIT
// The output head with its loss, forward and backward, and the memory it takes beside its inputs and outputs.
#include <atomic>
#include <cstdlib>
#include <new>
#include <thread>

#include "gt/backend/ref/ref.hpp"
#include "gt/ops/cross_entropy.hpp"
#include "support.hpp"

namespace {
std::atomic<std::size_t> taken{0};  // by aligned `new`, which all of gt's memory comes from
}
// Not inlined: the compiler would pair the halves wrongly.
[[gnu::noinline]] void* operator new(std::size_t bytes, std::align_val_t to) {
  taken += bytes;
  auto const a = static_cast<std::size_t>(to);
  if (void* const p = std::aligned_alloc(a, (bytes + a - 1) / a * a)) return p;
  throw std::bad_alloc{};
}
[[gnu::noinline]] void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }

namespace {

using namespace gt::bench;
using gt::Buffer;
using gt::Matrix;
using gt::Ref;
using gt::text;
using gt::Vector;

/// Bytes that a run takes on threads that have no scratch memory yet: those of a new thread and of its own workers.
template <class F>
double scratch_bytes(F const& run) {
  std::size_t const before = taken;
  std::thread(run).join();
  return static_cast<double>(taken - before);
}

/// The head with its loss; `gradients` adds those of x and W. Counted: 2 M V C for each of one or three products. Four
/// rows are compared with the plain loop, and three rows of dW with dW_v = sum_i scale (p_iv - [t_i = v]) x_i, p_iv =
/// exp(w_v x_i - z_i), z_i = nll_i + w_{t_i} x_i.
template <class B>
void add_head(B on, std::string const& name, int threads, std::int64_t rows_of_x, std::int64_t V, bool gradients) {
  constexpr std::int64_t C = 256, some = 4;
  float const scale = gradients ? 1.0F / static_cast<float>(rows_of_x) : 0.0F;
  auto const make = [=] {
    std::int64_t const m = rows_of_x;
    Buffer<float> const x = numbers(m * C, 1), w = numbers(V * C, 2), nll(m), dx(m * C), dw(V * C);
    for (float& v : w) v *= 0.1F;
    auto const targets = ids_below(V, m, 3);
    Matrix<float> const none;
    auto const run = [=] {
      gt::ops::head_cross_entropy<B, float>(on, rows(x, C), rows(w, C), {}, all(targets), all(nll), scale,
                                            gradients ? rows(dx, C) : none, gradients ? rows(dw, C) : none, {});
    };
    auto const dot = [=](std::int64_t v, std::int64_t i) {
      double sum = 0;
      for (std::int64_t c = 0; c < C; ++c) sum += static_cast<double>(w[v * C + c]) * static_cast<double>(x[i * C + c]);
      return sum;
    };
    auto const compare = [=] {
      std::fill(dw.begin(), dw.end(), 0.0F);  // gradients add up
      run();
      Buffer<float> const expected_nll(some), expected_dx(some * C);
      std::int64_t const first = m - some;
      gt::ops::head_cross_entropy<Ref, float>(
          Ref{}, rows(x, C).rows(first, some), rows(w, C), {}, Vector<std::int32_t const>(targets.data() + first, some),
          all(expected_nll), scale, gradients ? rows(expected_dx, C) : none, {}, {});
      double const terms = static_cast<double>(C + V);
      auto const n = static_cast<std::size_t>(some);
      double worst = error(nll.span().last(n), expected_nll.span(), terms);
      if (!gradients) return worst;
      worst = std::max(worst, error(dx.span().last(n * C), expected_dx.span(), terms));
      for (std::int64_t const v : {std::int64_t{0}, V - 1, std::int64_t{targets[0]}}) {
        std::vector<double> sum(C);
        std::vector<float> row(C);
        for (std::int64_t i = 0; i < m; ++i) {
          auto const target = targets[static_cast<std::size_t>(i)];
          double const log_sum = static_cast<double>(nll[i]) + dot(target, i);
          double const d = static_cast<double>(scale) * (std::exp(dot(v, i) - log_sum) - (target == v ? 1 : 0));
          for (std::size_t c = 0; c < C; ++c)
            sum[c] += d * static_cast<double>(x.span()[static_cast<std::size_t>(i) * C + c]);
        }
        for (std::size_t c = 0; c < C; ++c) row[c] = static_cast<float>(sum[c]);
        worst = std::max(worst, error(dw.span().subspan(static_cast<std::size_t>(v) * C, C), row, terms));
      }
      return worst;
    };
    double const flops = (gradients ? 6.0 : 2.0) * static_cast<double>(m * V * C);
    return Case{run, compare, {.flops = flops, .extra_bytes = scratch_bytes(run)}, threads};
  };
  add(text(gradients ? "head_cross_entropy_backward/" : "head_cross_entropy/", name, "/M", rows_of_x, ",V", V, ",C", C),
      make);
}

}  // namespace

int main(int argc, char** argv) {
  add_limits();
  for (bool const gradients : {false, true}) {
    add_head(Ref{}, "ref", 1, 64, 2048, gradients);
    for (int const threads : thread_counts()) {
      for (auto const& [m, V] : {std::pair{2048, 2048}, std::pair{2048, 8192}, std::pair{512, 65536}})
        add_head(gt::Cpu<>(threads), cpu_name(threads), threads, m, V, gradients);
    }
  }
  return run_all(argc, argv, "0.3");
}
