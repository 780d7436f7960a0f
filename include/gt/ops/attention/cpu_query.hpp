// SPDX-License-Identifier: MIT
// Causal attention of a single query, the step of generation: its keys and values are read once, as they lie.
#pragma once

#include <algorithm>
#include <cstdint>

#include "gt/backend/cpu/isa.hpp"
#include "gt/backend/cpu/row_products.hpp"
#include "gt/ops/attention/cpu_softmax.hpp"
#include "gt/ops/attention/cpu_tile.hpp"

namespace gt::inline GT_ABI::ops::detail {

/// Some heads of one query, side by side; D is a multiple of the width. The same bits as from AttentionHead.
template <Isa I>
class AttentionQuery {
  using Tile = AttentionTile<I>;
  using V = typename Tile::V;
  static constexpr int W = Tile::width;
  static constexpr std::int64_t block = attention_block;

 public:
  float const* q;
  HeadRows<float const> k, v;  // of the first head
  float *o, *log_sum;          // log_sum may be null
  std::int64_t D, heads, keys;

  /// Elements of scratch memory.
  std::int64_t scratch_size() const { return heads * (2 * D + block) + 2 * round_up(heads, W); }
  void run(float* scratch) const noexcept {
    float* const scaled = scratch;        // [heads, D]
    float* const s = scaled + heads * D;  // [heads, block]
    SoftmaxState all{s + heads * block, nullptr, nullptr};
    all.top = all.sums + heads * D;
    all.total = all.top + round_up(heads, W);
    pack_row<I>(q, heads * D, score_scale(D), scaled);
    for (std::int64_t k0 = 0; k0 < keys; k0 += block) {
      std::int64_t const count = std::min(block, keys - k0);
      for (std::int64_t j = 0; j < count; j += W) {
        std::int64_t const from = k0 + j, end = std::min(keys, from + W);
        for (std::int64_t h = 0; h < heads; ++h) {
          HeadRows<float const> const kh{k.data + h * D, k.stride};
          prefetch_rows(kh, std::min(keys, end + W), std::min(keys, end + 2 * W), D);
          simd::store(s + h * block + j,
                      simd::detail::row_products<I>(scaled + h * D, D, kh[from], kh.stride, end - from, V(0.0F)));
        }
      }
      for (std::int64_t h = 0; h < heads; ++h) {
        SoftmaxState const state{all.sums + h * D, all.top + h, all.total + h};
        softmax_block<I, 1>(s + h * block, block, count, count, k0 == 0, state, D);
      }
      std::int64_t c = 0;
      for (; c + 8 * W <= heads * D; c += 8 * W) add_values<8>(c, k0, count, s, all.sums);
      for (; c < heads * D; c += W) add_values<1>(c, k0, count, s, all.sums);
    }
    for (std::int64_t h = 0; h < heads; ++h) unpack_row<I>(all.sums + h * D, D, 1.0F / all.total[h], o + h * D);
    if (log_sum) store_log_sums<I>(all, heads, log_sum);
  }

 private:
  /// Columns [c, c + Registers * W) of the sums over keys k0, ..., k0 + count - 1.
  template <int Registers>
  void add_values(std::int64_t c, std::int64_t k0, std::int64_t count, float const* s, float* sums) const noexcept {
    V acc[Registers];
    float const* p[Registers];
#pragma GCC unroll 8
    for (int r = 0; r < Registers; ++r) {
      acc[r] = k0 > 0 ? simd::load<V>(sums + c + r * W) : V(0.0F);
      p[r] = s + (c + r * W) / D * block;
    }
    for (std::int64_t j = 0; j < count; ++j) {
      float const* const values = v[k0 + j] + c;
#pragma GCC unroll 8
      for (int r = 0; r < Registers; ++r) acc[r] = simd::fma(V(p[r][j]), simd::load<V>(values + r * W), acc[r]);
    }
#pragma GCC unroll 8
    for (int r = 0; r < Registers; ++r) simd::store(sums + c + r * W, acc[r]);
  }
};

}  // namespace gt::ops::detail
