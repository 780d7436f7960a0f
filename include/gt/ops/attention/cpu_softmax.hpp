// SPDX-License-Identifier: MIT
// Softmax of rows of scores that come block by block, each row up to its own last key.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>

#include "gt/backend/cpu/isa.hpp"
#include "gt/backend/cpu/simd_math.hpp"
#include "gt/ops/attention/cpu_tile.hpp"

namespace gt::inline GT_ABI::ops::detail {

/// Keys of a block: their scores for a tile of queries stay in L1, they in L2. Part of what a result is: see
/// softmax_block.
inline constexpr std::int64_t attention_block = 256;

/// What q is multiplied by: scores are then exponents of 2.
inline float score_scale(std::int64_t D) {
  return static_cast<float>(std::numbers::log2e / std::sqrt(static_cast<double>(D)));
}

/// What a query has seen of its keys so far, for one row or several: sum_j 2^(s_j - top) v_j, and the same without v.
struct SoftmaxState {
  float* sums;   // [rows, n]
  float* top;    // [rows], the largest s_j
  float* total;  // [rows]
};

/// The next `count` scores of each row become their weights: s_j = 2^(s_j - top) for the first `seen` + i of row i,
/// 0 behind them. `state` follows, but for the new terms of its sums; without keys so far (`start`) it is not read.
/// A row's bits depend on its own scores alone: registers are added in the order of the keys.
template <Isa I, int Rows>
GT_INLINE void softmax_block(float* s, std::int64_t stride, std::int64_t seen, std::int64_t count, bool start,
                             SoftmaxState state, std::int64_t n) noexcept {
  using V = typename AttentionTile<I>::V;
  constexpr int W = AttentionTile<I>::width;
  constexpr float lowest = -std::numeric_limits<float>::infinity();
  std::int64_t const whole = std::clamp<std::int64_t>(seen, 0, count) / W * W;  // all rows see these registers whole
  auto const part = [=](int i, std::int64_t j) { return std::clamp<std::int64_t>(seen + i - j, 0, W); };
  V each[Rows];
#pragma GCC unroll 8
  for (int i = 0; i < Rows; ++i) each[i] = V(start ? lowest : state.top[i]);
  for (std::int64_t j = 0; j < whole; j += W) {
#pragma GCC unroll 8
    for (int i = 0; i < Rows; ++i) each[i] = simd::max(each[i], simd::load<V>(s + i * stride + j));
  }
  for (std::int64_t j = whole; j < count; j += W) {
#pragma GCC unroll 8
    for (int i = 0; i < Rows; ++i)
      each[i] = simd::max(each[i], simd::keep_first(simd::load<V>(s + i * stride + j), part(i, j), lowest));
  }
  float top[Rows];
#pragma GCC unroll 8
  for (int i = 0; i < Rows; ++i) {
    top[i] = simd::max_of(each[i]);
    each[i] = V(0.0F);
  }
  for (std::int64_t j = 0; j < whole; j += W) {
#pragma GCC unroll 8
    for (int i = 0; i < Rows; ++i) {
      V const e = simd::exp2(V(simd::load<V>(s + i * stride + j) - V(top[i])));
      simd::store(s + i * stride + j, e);
      each[i] += e;
    }
  }
  for (std::int64_t j = whole; j < count; j += W) {
#pragma GCC unroll 8
    for (int i = 0; i < Rows; ++i) {
      V const all = simd::exp2(V(simd::load<V>(s + i * stride + j) - V(top[i])));
      V const e = simd::keep_first(all, part(i, j), 0.0F);
      simd::store(s + i * stride + j, e);
      each[i] += e;
    }
  }
  for (int i = 0; i < Rows; ++i) {
    float const added = simd::sum(each[i]);
    if (start) {
      state.total[i] = added;
    } else {
      V const rescale = simd::exp2(V(state.top[i] - top[i]));
      simd::store_first(state.total + i, simd::fma(V(state.total[i]), rescale, V(added)), 1);
      float* const sums = state.sums + i * n;
      for (std::int64_t d = 0; d < n; d += W) simd::store(sums + d, V(simd::load<V>(sums + d) * rescale));
    }
    state.top[i] = top[i];
  }
}

/// log sum_j e^(score_j) of `rows` rows. One by one: xsimd's log does not compile for AVX-512 without optimisation.
template <Isa I>
void store_log_sums(SoftmaxState state, std::int64_t rows, float* to) noexcept {
  for (std::int64_t i = 0; i < rows; ++i)
    to[i] = multiply_add(state.top[i], std::numbers::ln2_v<float>, std::log(state.total[i]));
}

}  // namespace gt::ops::detail
