// SPDX-License-Identifier: MIT
// The ops of a training step, forward and backward, against their plain loops: the same formulas on gt::Ref.
#include "gt/backend/ref/ref.hpp"
#include "gt/base/philox.hpp"
#include "gt/ops/adamw.hpp"
#include "gt/ops/attention.hpp"
#include "gt/ops/cross_entropy.hpp"
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
Matrix<float> rows(Buffer<float> const& b, std::int64_t columns) {
  return Matrix<float>(b.data(), b.size() / columns, columns);
}
Vector<float> all(Buffer<float> const& b) { return Vector<float>(b.data(), b.size()); }
Vector<std::int32_t const> all(std::vector<std::int32_t> const& ids) {
  return Vector<std::int32_t const>(ids.data(), static_cast<std::int64_t>(ids.size()));
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

/// Attention of a batch of 2,048 tokens, 256 wide. Counted: the causal half of two products forward, 2 T^2 D a head,
/// and of four backward. Its last head is compared with the plain loop.
template <class B>
void add_attention(B on, std::string const& name, int threads, std::int64_t T, std::int64_t D, bool backward) {
  constexpr std::int64_t C = 256;
  gt::AttentionShape const shape{M / T, C / D, D, T, 0}, one{1, 1, D, T, 0};
  auto const make = [=] {
    Buffer<float> const qkv = numbers(M * 3 * C, 1), o(M * C), log_sum(M * C / D), d_out = numbers(M * C, 2),
                        d_qkv(M * 3 * C);
    auto const part = [=](Buffer<float> const& b, int i) { return rows(b, 3 * C).columns(i * C, C); };
    auto const forward = [=] {
      gt::attention(on, part(qkv, 0), part(qkv, 1), part(qkv, 2), rows(o, C), log_sum.data(), shape);
    };
    auto const run_backward = [=] {
      gt::attention_backward(on, rows(d_out, C), part(qkv, 0), part(qkv, 1), part(qkv, 2), rows(o, C), log_sum.data(),
                             part(d_qkv, 0), part(d_qkv, 1), part(d_qkv, 2), shape);
    };
    auto const compare = [=] {
      auto const last = [=](Matrix<float> m) { return m.rows(M - T, T).columns(C - D, D); };
      auto const q = last(part(qkv, 0)), k = last(part(qkv, 1)), v = last(part(qkv, 2));
      Buffer<float> const eo(T * D), el(T), eq(T * D), ek(T * D), ev(T * D), copy(T * D);
      auto const off = [&](Matrix<float> actual, Buffer<float> const& expected) {
        for (std::int64_t t = 0; t < T; ++t) std::copy_n(actual.row(t), D, copy.data() + t * D);
        return error(copy.span(), expected.span(), static_cast<double>(T));
      };
      forward();
      gt::attention(Ref{}, q, k, v, rows(eo, D), el.data(), one);
      double worst = off(last(rows(o, C)), eo);
      if (!backward) return worst;
      run_backward();
      gt::attention_backward(Ref{}, last(rows(d_out, C)), q, k, v, rows(eo, D), el.data(), rows(eq, D), rows(ek, D),
                             rows(ev, D), one);
      worst = std::max({worst, off(last(part(d_qkv, 0)), eq), off(last(part(d_qkv, 1)), ek)});
      return std::max(worst, off(last(part(d_qkv, 2)), ev));
    };
    double const flops = (backward ? 4.0 : 2.0) * static_cast<double>(M * T * C);
    if (backward) return Case{run_backward, compare, {.flops = flops}, threads};
    return Case{forward, compare, {.flops = flops}, threads};
  };
  add(text(backward ? "attention_backward/" : "attention/", name, "/M", M, ",T", T, ",D", D), make);
}

/// The head with its loss; `gradients` adds those of x and W. Counted: 2 M V C for each of one or three products.
/// Four rows are compared with the plain loop, and three rows of dW with dW_v = sum_i scale (p_iv - [t_i = v]) x_i,
/// p_iv = exp(w_v x_i - z_i), z_i = nll_i + w_{t_i} x_i.
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
      gt::head_cross_entropy<B, float>(on, rows(x, C), rows(w, C), {}, all(targets), all(nll), scale,
                                       gradients ? rows(dx, C) : none, gradients ? rows(dw, C) : none, {});
    };
    auto const dot = [=](std::int64_t v, std::int64_t i) {
      double sum = 0;
      for (std::int64_t c = 0; c < C; ++c) sum += static_cast<double>(w[v * C + c]) * static_cast<double>(x[i * C + c]);
      return sum;
    };
    auto const compare = [=] {
      run();
      Buffer<float> const expected_nll(some), expected_dx(some * C);
      std::int64_t const first = m - some;
      gt::head_cross_entropy<Ref, float>(Ref{}, rows(x, C).rows(first, some), rows(w, C), {},
                                         Vector<std::int32_t const>(targets.data() + first, some), all(expected_nll),
                                         scale, gradients ? rows(expected_dx, C) : none, {}, {});
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
    return Case{run, compare, {.flops = flops}, threads};
  };
  add(text(gradients ? "head_cross_entropy_backward/" : "head_cross_entropy/", name, "/M", rows_of_x, ",V", V, ",C", C),
      make);
}

}  // namespace

int main(int argc, char** argv) {
  add_limits();
  add_layer_norm(256);
  add_layer_norm(1024);
  add_elementwise();
  for (std::int64_t const n : {256, 16}) add_embedding(n);
  for (std::int64_t const n : {1 << 20, 1 << 23}) add_adamw(n);
  for (std::int64_t const D : {32, 64}) {
    for (bool const backward : {false, true}) {
      for_each_backend([=](auto on, std::string const& name, int threads) {
        for (std::int64_t const T : {256, 512, 1024}) {
          bool const slow = std::is_same_v<decltype(on), Ref> && T > 256;  // a second and more
          if (!slow) add_attention(on, name, threads, T, D, backward);
        }
      });
    }
  }
  for (bool const gradients : {false, true}) {
    add_head(Ref{}, "ref", 1, 64, 2048, gradients);
    for (int const threads : thread_counts()) {
      for (auto const& [m, V] :
           {std::pair{64, 2048}, std::pair{2048, 2048}, std::pair{2048, 8192}, std::pair{512, 65536}}) {
        add_head(gt::Cpu<>(threads), cpu_name(threads), threads, m, V, gradients);
      }
    }
  }
  return run_all(argc, argv, "0.1");
}
