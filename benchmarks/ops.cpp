// SPDX-License-Identifier: MIT
// The ops of a training step, forward and backward, against their plain loops: the same formulas on gt::Ref.
#include "gt/backend/ref/ref.hpp"
#include "gt/base/philox.hpp"
#include "gt/ops/adamw.hpp"
#include "gt/ops/embedding.hpp"
#include "gt/ops/gelu.hpp"
#include "gt/ops/layer_norm.hpp"
#include "gt/ops/residual.hpp"
#include "gt/ops/rope.hpp"
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

/// An op that reads `in` and writes, or adds to, `out`: compared as a whole with the plain loop. `bytes` is what
/// passes, unless it is all of the buffers.
template <class B, class Op>
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
  return {[=] { op(on, in, out); }, compare, work, threads};
}

void add_layer_norm(std::int64_t C) {
  std::int64_t const n = M * C;
  for_each_backend([=](auto on, std::string const& name, int threads) {
    add(text("layer_norm/", name, "/M", M, ",C", C), [=] {
      auto const op = [=](auto const& b, Buffers const& in, Buffers const& out) {
        gt::layer_norm(b, rows(in[0], C), all(in[1]), all(in[2]), rows(out[0], C), all(out[1]), all(out[2]), 1e-5);
      };
      return whole(on, threads, {numbers(n, 1), numbers(C, 2), numbers(C, 3)},
                   {Buffer<float>(n), Buffer<float>(M), Buffer<float>(M)}, static_cast<double>(C), op);
    });
    add(text("layer_norm_backward/", name, "/M", M, ",C", C), [=] {
      Buffer<float> const x = numbers(n, 1), g = numbers(C, 2), y(n), mean(M), rstd(M);
      gt::layer_norm(Ref{}, rows(x, C), all(g), all(g), rows(y, C), all(mean), all(rstd), 1e-5);
      auto const op = [=](auto const& b, Buffers const& in, Buffers const& out) {
        gt::layer_norm_backward(b, rows(in[0], C), rows(in[1], C), all(in[2]), all(in[3]), all(in[4]), rows(in[5], C),
                                rows(out[0], C), all(out[1]), all(out[2]));
      };
      return whole(on, threads, {numbers(n, 4), x, g, mean, rstd, numbers(n, 5)},
                   {y, Buffer<float>(C), Buffer<float>(C)}, static_cast<double>(M), op);
    });
  });
}

void add_elementwise() {
  constexpr std::int64_t F = 1024, C = 256, D = 32, T = 256;
  for_each_backend([=](auto on, std::string const& name, int threads) {
    add(text("gelu/", name, "/M", M, ",F", F), [=] {
      auto const op = [=](auto const& b, Buffers const& in, Buffers const& out) {
        gt::gelu(b, rows(in[0], F), rows(out[0], F));
      };
      return whole(on, threads, {numbers(M * F, 1)}, {Buffer<float>(M * F)}, 1, op);
    });
    add(text("gelu_backward/", name, "/M", M, ",F", F), [=] {
      auto const op = [=](auto const& b, Buffers const& in, Buffers const& out) {
        gt::gelu_backward(b, rows(in[0], F), rows(in[1], F), rows(out[0], F));
      };
      return whole(on, threads, {numbers(M * F, 1), numbers(M * F, 2)}, {Buffer<float>(M * F)}, 1, op);
    });
    add(text("residual_add/", name, "/M", M, ",C", C), [=] {
      auto const op = [=](auto const& b, Buffers const& in, Buffers const& out) {
        gt::residual_add(b, rows(in[0], C), rows(in[1], C), rows(out[0], C));
      };
      return whole(on, threads, {numbers(M * C, 1), numbers(M * C, 2)}, {Buffer<float>(M * C)}, 1, op);
    });
    for (auto const turn : {gt::Rotation::forward, gt::Rotation::backward}) {
      std::string const op_name = turn == gt::Rotation::forward ? "rope/" : "rope_backward/";
      add(text(op_name, name, "/M", M, ",C", 2 * C, ",D", D), [=] {  // queries and keys
        gt::RopeTable<float> const table(T, D, 10000);
        auto const op = [=](auto const& b, Buffers const&, Buffers const& out) {
          gt::rope(b, rows(out[0], 2 * C), table, T, 0, turn);
        };
        return whole(on, threads, {}, {numbers(2 * M * C, 1)}, 1, op);
      });
    }
  });
}

void add_embedding(std::int64_t n) {
  constexpr std::int64_t V = 8192, C = 256;
  for_each_backend([=](auto on, std::string const& name, int threads) {
    add(text("embedding/", name, "/M", M, ",V", V, ",n", n, ",C", C), [=] {
      auto const ids = ids_below(V, M, 2);
      auto const op = [=](auto const& b, Buffers const& in, Buffers const& out) {
        gt::embedding(b, rows(in[0], n), all(ids), rows(out[0], C));
      };
      return whole(on, threads, {numbers(V * n, 1)}, {Buffer<float>(M * C)}, 1, op, 4 * M * (n + C));
    });
  });
}

void add_adamw(std::int64_t n) {
  for_each_backend([=](auto on, std::string const& name, int threads) {
    add(text("adamw/", name, "/n", n), [=] {
      auto const op = [=](auto const& b, Buffers const& in, Buffers const& out) {
        gt::adamw(b, out[0].data(), in[0].data(), out[1].data(), out[2].data(), n, {});
      };
      return whole(on, threads, {numbers(n, 1)}, {numbers(n, 2), Buffer<float>(n), Buffer<float>(n)}, 1, op);
    });
    add(text("sum_of_squares/", name, "/n", n), [=] {
      auto const op = [=](auto const& b, Buffers const& in, Buffers const& out) {
        out[0][0] = static_cast<float>(gt::sum_of_squares(b, in[0].data(), n));
      };
      return whole(on, threads, {numbers(n, 1)}, {Buffer<float>(1)}, 16384, op);
    });
  });
}

}  // namespace

int main(int argc, char** argv) {
  add_limits();
  add_layer_norm(256);
  add_layer_norm(1024);
  add_elementwise();
  for (std::int64_t const n : {256, 16}) add_embedding(n);
  for (std::int64_t const n : {1 << 20, 1 << 23}) add_adamw(n);
  return run_all(argc, argv, "0.1");
}
