// SPDX-License-Identifier: MIT
// The ops of a training step, forward and backward, against their plain loops: the same formulas on gt::Ref.
#include <array>
#include <cstring>

#include "gt/backend/ref/ref.hpp"
#include "gt/base/philox.hpp"
#include "gt/ops/adamw.hpp"
#include "gt/ops/embedding.hpp"
#include "gt/ops/gelu.hpp"
#include "gt/ops/layer_norm.hpp"
#include "gt/ops/residual.hpp"
#include "gt/ops/rope.hpp"
#include "gt/ops/rows.hpp"
#include "support.hpp"

namespace {

using namespace gt::bench;
using gt::Buffer;
using gt::Matrix;
using gt::Ref;
using gt::text;
using gt::Vector;
using Buffers = std::vector<Buffer<float>>;

constexpr std::int64_t M = 2048;  // B * T, the tokens of a batch

/// Calls `add_one(backend, name, threads)` for the plain loop and for the CPU backend.
template <class F>
void for_each_backend(F const& add_one) {
  add_one(Ref{}, "ref", 1);
  for (int const threads : thread_counts()) add_one(gt::Cpu<>(threads), cpu_name(threads), threads);
}

/// What an op cannot do without: passes over its largest buffers, and a sigmoid of each element. Buffers that are small
/// beside them do not count.
struct Least {
  std::size_t reads = 0;   ///< the first of its inputs
  std::size_t writes = 0;  ///< the first of its outputs
  bool in_place = false;   ///< those are read as well
  bool sigmoid = false;    ///< of each element
};

/// Those passes and nothing else, cut as ops of rows are. What is updated in place keeps its values.
template <Least L>
void pass(gt::Cpu<> const& on, Buffers const& in, Buffers const& out) {
  auto const lane = on.lane<float>();
  using V = decltype(lane)::V;
  float const volatile unknown = 0;  // to the compiler, which would not write what it has just read
  float const zero = unknown;
  auto const cut = gt::ops::elements_for_threads;
  gt::ops::for_each_run(on, (L.writes > 0 ? out : in)[0].size(), cut, [&](std::int64_t o, std::int64_t n) {
    std::array<float const*, L.reads> x{};
    std::array<float*, L.writes> y{};
    for (std::size_t k = 0; k < L.reads; ++k) x[k] = in[k].data() + o;
    for (std::size_t k = 0; k < L.writes; ++k) y[k] = out[k].data() + o;
    auto const sum = [=](auto i) {
      V s(zero);
      for (float const* const p : x) s += lane.load(p, i);
      return s;
    };
    if constexpr (L.writes == 0) {
      benchmark::DoNotOptimize(lane.sum(n, sum));
    } else if constexpr (L.writes == 1 && L.reads == 1 && !L.in_place) {
      std::memcpy(y[0], x[0], sizeof(float) * static_cast<std::size_t>(n));  // faster than registers by a tenth
    } else {
      lane.each(n, [=](auto i) {
        std::array<V, L.writes> v{};  // loads first: behind a store to the same place of another page they wait
        v.fill(sum(i));
        for (std::size_t k = 0; k < L.writes; ++k) {
          if (L.in_place) v[k] = lane.fma(v[k], V(zero), lane.load(y[k], i));
        }
        for (std::size_t k = 0; k < L.writes; ++k) lane.store(y[k], i, v[k]);
      });
    }
  });
}
/// x sigmoid(x) of as many numbers as x has, all from the first cache: one exponential and one quotient each.
void sigmoids(gt::Cpu<> const& on, Buffer<float> const& x) {
  auto const lane = on.lane<float>();
  using V = decltype(lane)::V;
  auto const cut = gt::ops::elements_for_threads;
  gt::ops::for_each_run(on, x.size(), cut, [&](std::int64_t, std::int64_t n) {
    std::array<float, 2048> y;
    for (std::int64_t const each = y.size(); n > 0; n -= each) {
      lane.each(std::min(n, each), [&, first = x.data()](auto i) {
        V const v = lane.load(first, i);
        lane.store(y.data(), i, v / (V(1) + lane.exp2(v * V(-1.44269504F))));
      });
      benchmark::DoNotOptimize(y);
    }
  });
}

/// An op that reads `in` and writes, or adds to, `out`: compared as a whole with the plain loop. `bytes` is what
/// passes, unless it is all of the buffers.
template <Least L, class B, class Op>
Case whole(B on, int threads, Buffers in, Buffers out, double terms, Op op, std::int64_t bytes = 0) {
  Work work;
  for (auto const& buffers : {in, out}) {
    for (auto const& b : buffers) work.memory += 4 * b.size();
  }
  work.bytes = static_cast<double>(bytes > 0 ? bytes : work.memory);
  auto const compare = [=] {
    Buffers expected;
    for (auto const& b : out) expected.push_back(b.clone());
    op(Ref{}, in, expected);
    op(on, in, out);
    double worst = 0;
    for (std::size_t i = 0; i < out.size(); ++i)
      worst = std::max(worst, error(out[i].span(), expected[i].span(), terms));
    return worst;
  };
  gt::Cpu<> const cpu(threads);
  Case c{[=] { op(on, in, out); }, compare, work, threads, {[=] { pass<L>(cpu, in, out); }}};
  if (L.sigmoid) c.floors.push_back([=] { sigmoids(cpu, in[0]); });
  return c;
}

void add_layer_norm(std::int64_t C) {
  std::int64_t const n = M * C;
  for_each_backend([=](auto on, std::string const& name, int threads) {
    add(text("layer_norm/", name, "/M", M, ",C", C), [=] {
      auto const op = [=](auto const& b, Buffers const& in, Buffers const& out) {
        gt::ops::layer_norm(b, rows(in[0], C), all(in[1]), all(in[2]), rows(out[0], C), all(out[1]), all(out[2]), 1e-5);
      };
      return whole<Least{.reads = 1, .writes = 1}>(on, threads, {numbers(n, 1), numbers(C, 2), numbers(C, 3)},
                                                   {Buffer<float>(n), Buffer<float>(M), Buffer<float>(M)},
                                                   static_cast<double>(C), op);
    });
    add(text("layer_norm_backward/", name, "/M", M, ",C", C), [=] {
      Buffer<float> const x = numbers(n, 1), g = numbers(C, 2), y(n), mean(M), rstd(M);
      gt::ops::layer_norm(Ref{}, rows(x, C), all(g), all(g), rows(y, C), all(mean), all(rstd), 1e-5);
      auto const op = [=](auto const& b, Buffers const& in, Buffers const& out) {
        gt::ops::layer_norm_backward(b, rows(in[0], C), rows(in[1], C), all(in[3]), all(in[4]), all(in[5]),
                                     rows(in[2], C), rows(out[0], C), all(out[1]), all(out[2]));
      };
      return whole<Least{.reads = 3, .writes = 1}>(on, threads, {numbers(n, 4), x, numbers(n, 5), g, mean, rstd},
                                                   {y, Buffer<float>(C), Buffer<float>(C)}, static_cast<double>(M), op);
    });
  });
}

void add_elementwise() {
  constexpr std::int64_t F = 1024, C = 256, D = 32, T = 256;
  for_each_backend([=](auto on, std::string const& name, int threads) {
    add(text("gelu/", name, "/M", M, ",F", F), [=] {
      auto const op = [=](auto const& b, Buffers const& in, Buffers const& out) {
        gt::ops::gelu(b, rows(in[0], F), rows(out[0], F));
      };
      return whole<Least{.reads = 1, .writes = 1, .sigmoid = true}>(on, threads, {numbers(M * F, 1)},
                                                                    {Buffer<float>(M * F)}, 1, op);
    });
    add(text("gelu_backward/", name, "/M", M, ",F", F), [=] {
      auto const op = [=](auto const& b, Buffers const& in, Buffers const& out) {
        gt::ops::gelu_backward(b, rows(in[0], F), rows(in[1], F), rows(out[0], F));
      };
      return whole<Least{.reads = 2, .writes = 1, .sigmoid = true}>(on, threads, {numbers(M * F, 1), numbers(M * F, 2)},
                                                                    {Buffer<float>(M * F)}, 1, op);
    });
    add(text("residual_add/", name, "/M", M, ",C", C), [=] {
      auto const op = [=](auto const& b, Buffers const& in, Buffers const& out) {
        gt::ops::residual_add(b, rows(in[0], C), rows(in[1], C), rows(out[0], C));
      };
      return whole<Least{.reads = 2, .writes = 1}>(on, threads, {numbers(M * C, 1), numbers(M * C, 2)},
                                                   {Buffer<float>(M * C)}, 1, op);
    });
    for (auto const turn : {gt::ops::Rotation::forward, gt::ops::Rotation::backward}) {
      std::string const op_name = turn == gt::ops::Rotation::forward ? "rope/" : "rope_backward/";
      add(text(op_name, name, "/M", M, ",C", 2 * C, ",D", D), [=] {  // queries and keys
        gt::ops::RopeTable<float> const table(T, D, 10000);
        auto const op = [=](auto const& b, Buffers const&, Buffers const& out) {
          gt::ops::rope(b, rows(out[0], 2 * C), table, T, 0, turn);
        };
        return whole<Least{.writes = 1, .in_place = true}>(on, threads, {}, {numbers(2 * M * C, 1)}, 1, op);
      });
    }
  });
}

template <Least L>
void add_embedding(std::int64_t n) {
  constexpr std::int64_t V = 8192, C = 256;
  for_each_backend([=](auto on, std::string const& name, int threads) {
    add(text("embedding/", name, "/M", M, ",V", V, ",n", n, ",C", C), [=] {
      auto const ids = ids_below(V, M, 2);
      auto const op = [=](auto const& b, Buffers const& in, Buffers const& out) {
        gt::ops::embedding(b, rows(in[0], n), all(ids), rows(out[0], C));
      };
      return whole<L>(on, threads, {numbers(V * n, 1)}, {Buffer<float>(M * C)}, 1, op, 4 * M * (n + C));
    });
  });
}

void add_adamw(std::int64_t n) {
  for_each_backend([=](auto on, std::string const& name, int threads) {
    add(text("adamw/", name, "/n", n), [=] {
      auto const op = [=](auto const& b, Buffers const& in, Buffers const& out) {
        gt::ops::adamw(b, out[0].data(), in[0].data(), out[1].data(), out[2].data(), n, {});
      };
      return whole<Least{.reads = 1, .writes = 3, .in_place = true}>(
          on, threads, {numbers(n, 1)}, {numbers(n, 2), Buffer<float>(n), Buffer<float>(n)}, 1, op);
    });
    add(text("sum_of_squares/", name, "/n", n), [=] {
      auto const op = [=](auto const& b, Buffers const& in, Buffers const& out) {
        out[0][0] = static_cast<float>(gt::ops::sum_of_squares(b, in[0].data(), n));
      };
      return whole<Least{.reads = 1}>(on, threads, {numbers(n, 1)}, {Buffer<float>(1)}, 16384, op);
    });
  });
}

}  // namespace

int main(int argc, char** argv) {
  add_limits();
  add_layer_norm(256);
  add_layer_norm(1024);
  add_elementwise();
  add_embedding<Least{.reads = 1, .writes = 1}>(256);
  add_embedding<Least{.writes = 1}>(16);  // reads a sixteenth of what it writes
  for (std::int64_t const n : {1 << 20, 1 << 23}) add_adamw(n);
  return run_all(argc, argv, "0.2");
}
