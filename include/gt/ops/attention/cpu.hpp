// SPDX-License-Identifier: MIT
// Causal attention on SIMD registers: blocks of keys packed once for all queries, softmax block by block.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "gt/backend/cpu/gemm.hpp"
#include "gt/backend/cpu/isa.hpp"
#include "gt/core/backend.hpp"
#include "gt/core/kernels.hpp"
#include "gt/core/view.hpp"
#include "gt/ops/attention/cpu_query.hpp"
#include "gt/ops/attention/cpu_softmax.hpp"
#include "gt/ops/attention/cpu_tile.hpp"
#include "gt/ops/attention/shape.hpp"

namespace gt::inline GT_ABI::ops::detail {

/// Queries [begin, end) of one (sequence, head). Its size in memory is linear in keys and queries.
template <Isa I>
class AttentionHead {
  using Tile = AttentionTile<I>;
  using V = typename Tile::V;
  static constexpr std::int64_t block = attention_block;

 public:
  HeadRows<float const> q, k, v;
  HeadRows<float> o;
  float* log_sum;  // of query 0; may be null
  std::int64_t D, first, begin, end;

  /// Elements of scratch memory.
  std::int64_t scratch_size() const {
    return block * (D + width() + Tile::rows) + queries() * (width() + 2) + Tile::rows * width();
  }
  void run(float* scratch) const noexcept {
    std::int64_t const n = width(), keys = first + end;
    float* const kt = scratch;                     // [block / panel][D][panel]
    float* const values = kt + block * D;          // [block, n]
    float* const s = values + block * n;           // [rows, block]
    float* const scaled = s + Tile::rows * block;  // [rows, n]
    SoftmaxState all{scaled + Tile::rows * n, nullptr, nullptr};
    all.top = all.sums + queries() * n;
    all.total = all.top + queries();
    for (std::int64_t k0 = 0; k0 < keys; k0 += block) {
      std::int64_t const k1 = std::min(keys, k0 + block);
      std::int64_t packed = k0, t = begin;
      if (k0 > first + begin) t += (k0 - first - begin) / Tile::rows * Tile::rows;  // the first that see the block
      for (; t < end; t += Tile::rows) {
        std::int64_t const last = std::min<std::int64_t>(t + Tile::rows, end), seen = std::min(k1, first + last);
        for (; packed < seen; packed += Tile::panel) {  // keys and values are packed when a query first sees them
          std::int64_t const some = std::min<std::int64_t>(packed + Tile::panel, k1);
          prefetch_rows(k, some, std::min<std::int64_t>(some + Tile::panel, keys), D);
          prefetch_rows(v, some, std::min<std::int64_t>(some + Tile::panel, keys), D);
          pack_columns<I>(k, packed, some, D, kt + (packed - k0) * D);
          pack_rows<I>(v, packed, some, some - packed, D, 1.0F, values + (packed - k0) * n, n);
        }
        prefetch_rows(q, last, std::min<std::int64_t>(last + Tile::rows, end), D);
        if (first + last <= k1) prefetch_rows(o, t, last, D);
        std::int64_t const i = t - begin;
        SoftmaxState const state{all.sums + i * n, all.top + i, all.total + i};
        add_keys(t, last, k0, seen - k0, kt, values, scaled, s, state);
        if (first + last > k1) continue;
        for (std::int64_t r = 0; r < last - t; ++r)
          unpack_row<I>(state.sums + r * n, D, 1.0F / state.total[r], o[t + r]);
      }
    }
    if (log_sum) store_log_sums<I>(all, end - begin, log_sum + begin);
  }

 private:
  std::int64_t width() const { return round_up(D, Tile::width); }
  std::int64_t queries() const { return round_up(end - begin, std::max<int>(Tile::rows, Tile::width)); }

  /// Lets queries [t, last) see `count` packed keys from k0 on.
  void add_keys(std::int64_t t, std::int64_t last, std::int64_t k0, std::int64_t count, float const* kt,
                float const* values, float* scaled, float* s, SoftmaxState state) const noexcept {
    constexpr int rows = Tile::rows;
    std::int64_t const n = width();
    pack_rows<I>(q, t, last, rows, D, score_scale(D), scaled, n);
    std::int64_t j = 0;
    for (; j + (Tile::narrow ? Tile::width : 0) < count; j += Tile::panel)
      multiply_tile<V, rows, 2, false>(D, scaled, n, kt + j * D, Tile::panel, s + j, block, false);
    if (j < count) multiply_tile<V, rows, 1, false>(D, scaled, n, kt + j * D, Tile::panel, s + j, block, false);
    softmax_block<I, rows>(s, block, first + t + 1 - k0, count, k0 == 0, state, n);
    multiply_rows<I, rows, false>(count, s, block, values, n, state.sums, n, n, k0 > 0);
  }
};

}  // namespace gt::ops::detail

namespace gt::inline GT_ABI::ops {

/// The kernel of `attention` (ops/attention.hpp). A query's result depends on its position and on the keys that it sees
/// alone, not on the queries beside it: its sums run over blocks of keys that begin at multiples of 256.
template <Isa I>
requires(I != Isa::scalar) void attention(Cpu<I> const& on, In<Matrix<float const>> q, In<Matrix<float const>> k,
                                          In<Matrix<float const>> v, Matrix<float> o, float* log_sum, AttentionShape a,
                                          cpu_tag) noexcept {
  std::int64_t const D = a.d_head, heads = a.batch * a.heads;
  // Below about a million multiply-adds, waking threads costs more than they save.
  auto const each_job = [&](std::int64_t jobs, auto const& body) {
    if (2 * heads * a.queries * a.keys() * D >= std::int64_t{1} << 20) return on.parallel_for(jobs, body);
    for (std::int64_t job = 0; job < jobs; ++job) body(job);
  };
  if (a.queries == 1 && D % detail::AttentionTile<I>::width == 0) {
    std::int64_t const each = std::clamp<std::int64_t>(128 / D, 1, a.heads), groups = (a.heads + each - 1) / each;
    return each_job(a.batch * groups, [&](std::int64_t job) {
      std::int64_t const b = job / groups, h = job % groups * each;
      detail::AttentionQuery<I> const some{q.row(b) + h * D,
                                           {k.row(b * a.keys()) + h * D, k.stride()},
                                           {v.row(b * a.keys()) + h * D, v.stride()},
                                           o.row(b) + h * D,
                                           log_sum ? log_sum + b * a.heads + h : nullptr,
                                           D,
                                           std::min(each, a.heads - h),
                                           a.keys()};
      some.run(on.template scratch<float>(simd::scratch_packed_b, some.scratch_size()));
    });
  }
  // Few heads are cut into runs of queries, and the longest run is begun first.
  std::int64_t const each = heads >= 16 ? std::max<std::int64_t>(a.queries, 1) : 256,
                     runs = (a.queries + each - 1) / each;
  each_job(heads * runs, [&](std::int64_t job) {
    std::int64_t const run = runs - 1 - job / heads, head = job % heads, b = head / a.heads, c = head % a.heads * D;
    detail::AttentionHead<I> const one{{q.row(b * a.queries) + c, q.stride()},
                                       {k.row(b * a.keys()) + c, k.stride()},
                                       {v.row(b * a.keys()) + c, v.stride()},
                                       {o.row(b * a.queries) + c, o.stride()},
                                       log_sum ? log_sum + head * a.queries : nullptr,
                                       D,
                                       a.first,
                                       run * each,
                                       std::min(a.queries, (run + 1) * each)};
    one.run(on.template scratch<float>(simd::scratch_packed_b, one.scratch_size()));
  });
}

/// See `kernel_report`.
template <>
inline constexpr bool has_kernel<cpu_tag, Op::attention> = true;

}  // namespace gt::ops
