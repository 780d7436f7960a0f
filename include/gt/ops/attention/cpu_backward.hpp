// SPDX-License-Identifier: MIT
// The backward pass of causal attention on SIMD registers: tiles of P and dS, made once for all three gradients.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <utility>

#include "gt/backend/cpu/gemm.hpp"
#include "gt/backend/cpu/isa.hpp"
#include "gt/core/backend.hpp"
#include "gt/core/kernels.hpp"
#include "gt/core/view.hpp"
#include "gt/ops/attention/cpu_softmax.hpp"
#include "gt/ops/attention/cpu_tile.hpp"
#include "gt/ops/attention/shape.hpp"

namespace gt::inline GT_ABI::ops::detail {

/// P and dS of a tile: P = 2^(q' K^T - l) where a key is seen, dS = P (do V^T - delta), with q' = q log2(e) / sqrt(D)
/// and l = log2(e) log_sum. Row i sees the first seen + i of the keys. `Masked`: not all of them.
template <Isa I, int Registers, bool Masked>
void gradient_tile(std::int64_t depth, float const* q, float const* d_out, std::int64_t stride, float const* kt,
                   float const* vt, float const* l, float const* delta, std::int64_t seen, float* p, float* ds,
                   std::int64_t p_stride) noexcept {
  using Tile = AttentionTile<I>;
  using V = typename Tile::V;
  constexpr int W = Tile::width;
  // to(i, v, a b - start_i) for each row i and register v of the tile.
  auto const products = [=](float const* a, float const* b, float const* start, auto const& to) {
    V acc[Tile::rows][Registers];
#pragma GCC unroll 8
    for (int i = 0; i < Tile::rows; ++i) {
#pragma GCC unroll 2
      for (int v = 0; v < Registers; ++v) acc[i][v] = V(-start[i]);
    }
    multiply<false>(depth, a, stride, b, Tile::panel, acc);
#pragma GCC unroll 8
    for (int i = 0; i < Tile::rows; ++i) {
#pragma GCC unroll 2
      for (int v = 0; v < Registers; ++v) to(i, v, acc[i][v]);
    }
  };
  products(q, kt, l, [=](int i, int v, V const& score) {
    V e = simd::exp2(score);
    if constexpr (Masked) e = simd::keep_first(e, std::clamp<std::int64_t>(seen + i - v * W, 0, W), 0.0F);
    simd::store(p + i * p_stride + v * W, e);
  });
  products(d_out, vt, delta, [=](int i, int v, V const& d) {
    simd::store(ds + i * p_stride + v * W, V(simd::load<V>(p + i * p_stride + v * W) * d));
  });
}

/// One (sequence, head). Blocks of keys outside, blocks of queries inside: P and dS of a pair of blocks stay in L1.
template <Isa I>
class AttentionHeadGradient {
  using Tile = AttentionTile<I>;
  using V = typename Tile::V;
  static constexpr std::int64_t block = 64;

 public:
  HeadRows<float const> d_out, q, k, v, o;
  float const* log_sum;  // of query 0
  HeadRows<float> dq, dk, dv;
  std::int64_t D, tokens;

  /// Elements of scratch memory.
  std::int64_t scratch_size() const {
    return (3 * padded() + 3 * block) * width() + 2 * block * D + 2 * block * block + 2 * padded();
  }
  void run(float* scratch) const noexcept {
    std::int64_t const n = width();
    auto const take = [&scratch](std::int64_t count) { return std::exchange(scratch, scratch + count); };
    Memory const m{take(padded() * n), take(padded() * n), take(padded() * n),  take(padded()),
                   take(padded()),     take(block * n),    take(block * D),     take(block * D),
                   take(block * n),    take(block * n),    take(block * block), take(block * block)};
    for (std::int64_t k0 = 0; k0 < tokens; k0 += block) {
      std::int64_t const k1 = std::min(tokens, k0 + block);
      pack_columns<I>(k, k0, k1, D, m.kt);
      pack_columns<I>(v, k0, k1, D, m.vt);
      pack_rows<I>(k, k0, k1, k1 - k0, D, 1.0F, m.k, n);
      for (std::int64_t t0 = k0; t0 < tokens; t0 += block) {
        if (k0 == 0) pack_queries(m, t0, std::min(padded(), t0 + block));
        scores(m, k0, k1, t0, std::min(padded(), t0 + block));
        keys(m, k0, k1, t0, std::min(padded(), t0 + block));
      }
      double const scale = 1 / std::sqrt(static_cast<double>(D));
      for (std::int64_t t = k0; t < k1; ++t) {  // nothing is added to them any more
        unpack_row<I>(m.dv + (t - k0) * n, D, 1.0F, dv[t]);
        unpack_row<I>(m.dk + (t - k0) * n, D, std::numbers::ln2_v<float>, dk[t]);  // of a q that log2(e) is part of
        unpack_row<I>(m.dq + t * n, D, static_cast<float>(scale), dq[t]);
      }
    }
  }

 private:
  struct Memory {
    float *q, *d_out, *dq;   // [padded, n]; q is scaled
    float *log_sum, *delta;  // [padded]; log_sum to the base 2
    float *k, *kt, *vt;      // of a block of keys: [block, n], and panels [block / panel][D][panel]
    float *dk, *dv;          // [block, n]
    float *p, *ds;           // [block, block], queries by keys
  };
  std::int64_t width() const { return round_up(D, Tile::width); }
  std::int64_t padded() const { return round_up(tokens, std::max<int>(Tile::rows, Tile::width)); }

  /// Queries behind the last are zero, and so is all that they give.
  void pack_queries(Memory const& m, std::int64_t t0, std::int64_t t1) const noexcept {
    std::int64_t const n = width(), end = std::min(t1, tokens);
    pack_rows<I>(q, t0, end, t1 - t0, D, score_scale(D), m.q + t0 * n, n);
    pack_rows<I>(d_out, t0, end, t1 - t0, D, 1.0F, m.d_out + t0 * n, n);
    for (std::int64_t t = t0; t < t1; ++t) {
      m.log_sum[t] = t < tokens ? log_sum[t] * std::numbers::log2e_v<float> : 0.0F;
      m.delta[t] = t < tokens ? dot(m.d_out + t * n, o[t]) : 0.0F;
    }
  }

  /// P and dS of queries [t0, t1) and keys [k0, k1), and what they add to dq.
  void scores(Memory const& m, std::int64_t k0, std::int64_t k1, std::int64_t t0, std::int64_t t1) const noexcept {
    constexpr int rows = Tile::rows;
    std::int64_t const n = width();
    for (std::int64_t t = t0; t < t1; t += rows) {
      prefetch(k0, t0, t);
      std::int64_t const count = std::min(k1, t + rows) - k0;
      float *const p = m.p + (t - t0) * block, *const ds = m.ds + (t - t0) * block;
      for (std::int64_t j = 0; j < count; j += Tile::panel) {
        auto const tile = [&](auto kernel) {
          kernel(D, m.q + t * n, m.d_out + t * n, n, m.kt + j * D, m.vt + j * D, m.log_sum + t, m.delta + t,
                 t + 1 - k0 - j, p + j, ds + j, block);
        };
        if (t + 1 - k0 - j >= Tile::panel) {
          tile(gradient_tile<I, 2, false>);
        } else if (Tile::narrow && count - j <= Tile::width) {
          tile(gradient_tile<I, 1, true>);
        } else {
          tile(gradient_tile<I, 2, true>);
        }
      }
      multiply_rows<I, rows, false>(count, ds, block, m.k, n, m.dq + t * n, n, n, k0 > 0);
    }
  }

  /// dk and dv of keys [k0, k1) from queries [t0, t1).
  void keys(Memory const& m, std::int64_t k0, std::int64_t k1, std::int64_t t0, std::int64_t t1) const noexcept {
    std::int64_t const n = width();
    for (std::int64_t j = 0; k0 + j < k1; j += Tile::rows) {
      std::int64_t const t = std::max(t0, k0 + j), at = (t - t0) * block + j;  // the first query that sees them
      multiply_rows<I, Tile::rows, true>(t1 - t, m.p + at, block, m.d_out + t * n, n, m.dv + j * n, n, n, t0 > k0);
      multiply_rows<I, Tile::rows, true>(t1 - t, m.ds + at, block, m.q + t * n, n, m.dk + j * n, n, n, t0 > k0);
    }
  }

  /// What is needed a block after the tile of queries t.
  void prefetch(std::int64_t k0, std::int64_t t0, std::int64_t t) const noexcept {
    std::int64_t const here = std::min<std::int64_t>(t + Tile::rows, tokens);
    std::int64_t const next = std::min(t + block, tokens), end = std::min(here + block, tokens);
    if (k0 == 0) {
      for (auto const& x : {q, d_out, o}) prefetch_rows(x, next, end, D);
    }
    if (t0 == k0) {
      for (auto const& x : {k, v}) prefetch_rows(x, next, end, D);
      for (auto const& x : {dq, dk, dv}) prefetch_rows(x, t, here, D);
    }
  }

  float dot(float const* x, float const* y) const noexcept {
    V sum(0.0F);
    std::int64_t d = 0;
    for (; d + Tile::width <= D; d += Tile::width) sum = simd::fma(simd::load<V>(x + d), simd::load<V>(y + d), sum);
    if (d < D) sum = simd::fma(simd::load<V>(x + d), simd::load_first<V>(y + d, D - d), sum);
    return simd::sum(sum);
  }
};

}  // namespace gt::ops::detail

namespace gt::inline GT_ABI::ops {

/// The kernel of `attention_backward` (ops/attention.hpp).
template <Isa I>
requires(I != Isa::scalar) void attention_backward(Cpu<I> const& on, In<Matrix<float const>> d_out,
                                                   In<Matrix<float const>> q, In<Matrix<float const>> k,
                                                   In<Matrix<float const>> v, In<Matrix<float const>> o,
                                                   float const* log_sum, Matrix<float> dq, Matrix<float> dk,
                                                   Matrix<float> dv, AttentionShape a, cpu_tag) noexcept {
  std::int64_t const D = a.d_head, tokens = a.queries;
  on.parallel_for(a.batch * a.heads, [&](std::int64_t job) {
    std::int64_t const row = job / a.heads * tokens, c = job % a.heads * D;
    auto const head = [=]<class T>(Matrix<T> const& x) { return detail::HeadRows<T>{x.row(row) + c, x.stride()}; };
    detail::AttentionHeadGradient<I> const one{
        head(d_out), head(q),  head(k),  head(v), head(o), log_sum + job * tokens,
        head(dq),    head(dk), head(dv), D,       tokens};
    one.run(on.template scratch<float>(simd::scratch_packed_b, one.scratch_size()));
  });
}

/// See `kernel_report`.
template <>
inline constexpr bool has_kernel<cpu_tag, Op::attention_backward> = true;

}  // namespace gt::ops
