// SPDX-License-Identifier: MIT
// Causal multi-head attention; never more than one block of queries' scores exists on a thread.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "gt/base/error.hpp"
#include "gt/core/backend.hpp"
#include "gt/core/matrix_ref.hpp"
#include "gt/core/profile.hpp"
#include "gt/core/scalar.hpp"
#include "gt/core/view.hpp"
#include "gt/ops/attention/shape.hpp"
#include "gt/ops/rows.hpp"

namespace gt::inline GT_ABI::ops {

namespace detail {
inline constexpr std::int64_t queries_per_block = 64;

/// One (sequence, head): where its rows of q, k, v lie, and the block of queries that a pass works on.
template <class T>
MatrixRef<T> head_of(Matrix<T const> x, std::int64_t b, std::int64_t h, std::int64_t tokens, std::int64_t D) {
  return {x.row(b * tokens) + h * D, x.stride(), 1};
}

/// p_j = exp(scale s_j - m) / sum, j < seen; 0 for seen <= j < keys.   Returns m + log(sum).
template <class Lane, class T>
T causal_softmax_row(Lane lane, T* s, std::int64_t seen, std::int64_t keys, T scale) {
  using std::exp;
  using std::log;
  T const m = T(real_part(lane.max(seen, [=](auto j) { return lane.load(s, j) * scale; })));
  T const sum = lane.sum(seen, [=](auto j) {
    auto const e = exp(lane.load(s, j) * scale - m);
    lane.store(s, j, e);
    return e;
  });
  T const r = T(1) / sum;
  lane.each(seen, [=](auto j) { lane.store(s, j, lane.load(s, j) * r); });
  std::fill(s + seen, s + keys, T{});
  return m + log(sum);
}

/// Of `passes` times two products, the causal half; the backward has four. Each pass has as many operands and results.
template <class T>
constexpr Work attention_work(AttentionShape a, int passes) {
  auto const [B, C, Tq, Tk] = std::array{static_cast<double>(a.batch), static_cast<double>(a.heads * a.d_head),
                                         static_cast<double>(a.queries), static_cast<double>(a.keys())};
  double const seen = Tq * (static_cast<double>(a.first) + Tq / 2);
  return {passes * 4 * B * C * seen, passes * static_cast<double>(sizeof(T)) * 2 * B * C * (Tq + Tk)};
}

inline void check_attention(AttentionShape a, std::int64_t q_rows, std::int64_t k_rows, std::int64_t width) {
  check(a.heads > 0 && a.d_head > 0 && width == a.heads * a.d_head, "attention",
        "the width must be heads times head width (got ", width, " and ", a.heads, " x ", a.d_head, ")");
  check(a.first == 0 || a.batch == 1, "attention", "keys of earlier calls are for one sequence (got a batch of ",
        a.batch, ")");
  check(q_rows == a.batch * a.queries && k_rows >= a.batch * a.keys(), "attention",
        "q must hold batch x queries rows and k batch x keys (got ", q_rows, " and ", k_rows, " for ", a.batch, " x ",
        a.queries, " and ", a.keys(), ")");
}
}  // namespace detail

/// The generic kernel: scores of 64 queries at a time.
template <Backend B, class T>
void attention(B const& on, In<Matrix<T const>> q, In<Matrix<T const>> k, In<Matrix<T const>> v, Matrix<T> o,
               T* log_sum, AttentionShape a, ref_tag) noexcept {
  std::int64_t const D = a.d_head, keys = a.keys(), block = std::min(a.queries, detail::queries_per_block);
  T const scale = T(1.0 / std::sqrt(static_cast<double>(D)));
  auto const lane = on.template lane<T>();
  on.parallel_for(a.batch * a.heads, [&](std::int64_t job) {
    std::int64_t const b = job / a.heads, h = job % a.heads;
    auto const qh = detail::head_of<T>(q, b, h, a.queries, D);
    auto const kh = detail::head_of<T>(k, b, h, keys, D), vh = detail::head_of<T>(v, b, h, keys, D);
    T* const s = on.template scratch<T>(scratch_attention, block * keys);  // [block, keys]
    for (std::int64_t t0 = 0; t0 < a.queries; t0 += block) {
      std::int64_t const rows = std::min(block, a.queries - t0), seen = a.first + t0 + rows;
      gemm_serial(on, MatrixRef<T>(&qh(t0, 0), qh.row_stride, 1), kh.transposed(), GemmOutput<T>{s, keys},
                  GemmShape{rows, seen, D});
      for (std::int64_t i = 0; i < rows; ++i) {
        T const l = detail::causal_softmax_row(lane, s + i * keys, a.first + t0 + i + 1, seen, scale);
        if (log_sum) log_sum[job * a.queries + t0 + i] = l;
      }
      gemm_serial(on, MatrixRef<T>(s, keys, 1), vh, GemmOutput<T>{o.row(b * a.queries + t0) + h * D, o.stride()},
                  GemmShape{rows, D, seen});
    }
  });
}

/// The generic kernel: P and dS of 64 queries at a time.
template <Backend B, class T>
void attention_backward(B const& on, In<Matrix<T const>> d_out, In<Matrix<T const>> q, In<Matrix<T const>> k,
                        In<Matrix<T const>> v, In<Matrix<T const>> o, T const* log_sum, Matrix<T> dq, Matrix<T> dk,
                        Matrix<T> dv, AttentionShape a, ref_tag) noexcept {
  std::int64_t const D = a.d_head, tokens = a.queries, block = std::min(tokens, detail::queries_per_block);
  T const scale = T(1.0 / std::sqrt(static_cast<double>(D)));
  auto const lane = on.template lane<T>();
  on.parallel_for(a.batch * a.heads, [&](std::int64_t job) {
    using std::exp;
    std::int64_t const b = job / a.heads, h = job % a.heads;
    auto const qh = detail::head_of<T>(q, b, h, tokens, D), kh = detail::head_of<T>(k, b, h, tokens, D);
    auto const vh = detail::head_of<T>(v, b, h, tokens, D), doh = detail::head_of<T>(d_out, b, h, tokens, D);
    T* const p = on.template scratch<T>(scratch_attention, block * tokens);            // [block, tokens]
    T* const ds = on.template scratch<T>(scratch_attention_gradient, block * tokens);  // [block, tokens]
    T *const dqh = dq.row(b * tokens) + h * D, *const dkh = dk.row(b * tokens) + h * D;
    T* const dvh = dv.row(b * tokens) + h * D;
    for (std::int64_t t = 0; t < tokens; ++t) {
      std::fill_n(dkh + t * dk.stride(), D, T{});
      std::fill_n(dvh + t * dv.stride(), D, T{});
    }
    for (std::int64_t t0 = 0; t0 < tokens; t0 += block) {
      std::int64_t const rows = std::min(block, tokens - t0), seen = t0 + rows;
      MatrixRef<T> const qb(&qh(t0, 0), qh.row_stride, 1), dob(&doh(t0, 0), doh.row_stride, 1);
      gemm_serial(on, qb, kh.transposed(), GemmOutput<T>{p, tokens}, GemmShape{rows, seen, D});
      gemm_serial(on, dob, vh.transposed(), GemmOutput<T>{ds, tokens}, GemmShape{rows, seen, D});
      for (std::int64_t i = 0; i < rows; ++i) {
        T *const pr = p + i * tokens, *const dsr = ds + i * tokens;
        T const *const dor = &doh(t0 + i, 0), *const orow = o.row(b * tokens + t0 + i) + h * D;
        T const delta = lane.sum(D, [=](auto d) { return lane.load(dor, d) * lane.load(orow, d); });
        T const l = log_sum[job * tokens + t0 + i];
        lane.each(t0 + i + 1, [=](auto j) {
          auto const e = exp(lane.load(pr, j) * scale - l);
          lane.store(pr, j, e);
          lane.store(dsr, j, e * (lane.load(dsr, j) - delta) * scale);
        });
        std::fill(pr + t0 + i + 1, pr + seen, T{});
        std::fill(dsr + t0 + i + 1, dsr + seen, T{});
      }
      MatrixRef<T> const pb(p, tokens, 1), dsb(ds, tokens, 1);
      gemm_serial(on, dsb, kh, GemmOutput<T>{dqh + t0 * dq.stride(), dq.stride()}, GemmShape{rows, D, seen});
      gemm_serial(on, dsb.transposed(), qb, GemmOutput<T>{dkh, dk.stride(), true}, GemmShape{seen, D, rows});
      gemm_serial(on, pb.transposed(), dob, GemmOutput<T>{dvh, dv.stride(), true}, GemmShape{seen, D, rows});
    }
  });
}

/// o_t = sum_{j <= t} p_tj v_j,   p_t = softmax_j(q_t k_j / sqrt(D)), for each sequence and head.
/// Shapes: q, o [B * Tq, H * D], k, v [B * Tk, H * D], log_sum [B, H, Tq] (saved for the backward; may be null).
/// Source: Vaswani et al. 2017, arXiv:1706.03762, section 3.2; recomputing p from the saved log-sum as in Dao et al.
/// 2022, arXiv:2205.14135.   Memory: linear in Tk. o must not overlap q, k, v.
template <Backend B, class T>
void attention(B const& on, In<Matrix<T const>> q, In<Matrix<T const>> k, In<Matrix<T const>> v, Matrix<T> o,
               T* log_sum, AttentionShape a) {
  detail::check_attention(a, q.rows(), k.rows(), q.columns());
  check(same_shape(v, k) && k.columns() == q.columns() && same_shape(o, q), "attention",
        "v must have the shape of k, o that of q, and all one width");
  Timer const timer(on, "attention", detail::attention_work<T>(a, 1));
  attention(on, q, k, v, o, log_sum, a, typename B::tag{});
}

/// With P recomputed from q, k and log_sum:
///   dv = P^T do,   dP = do v^T,   dS = P (dP - rowsum(do o)) / sqrt(D),   dq = dS k,   dk = dS^T q
/// Shapes: as in `attention`, with first = 0; dq, dk, dv overwrite and must not overlap do, q, k, v.
template <Backend B, class T>
void attention_backward(B const& on, In<Matrix<T const>> d_out, In<Matrix<T const>> q, In<Matrix<T const>> k,
                        In<Matrix<T const>> v, In<Matrix<T const>> o, T const* log_sum, Matrix<T> dq, Matrix<T> dk,
                        Matrix<T> dv, AttentionShape a) {
  detail::check_attention(a, q.rows(), k.rows(), q.columns());
  check(a.first == 0, "attention_backward", "training sees whole sequences (got a first position of ", a.first, ")");
  check(same_shape(k, q) && same_shape(v, q) && same_shape(o, q) && same_shape(d_out, q) && same_shape(dq, q) &&
            same_shape(dk, q) && same_shape(dv, q),
        "attention_backward", "q, k, v, o and their gradients must have one shape");
  Timer const timer(on, "attention_backward", detail::attention_work<T>(a, 2));
  attention_backward(on, d_out, q, k, v, o, log_sum, dq, dk, dv, a, typename B::tag{});
}

}  // namespace gt::ops
