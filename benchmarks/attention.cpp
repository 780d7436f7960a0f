// SPDX-License-Identifier: MIT
// Attention: forward and backward of training, and the one query of a step of generation, against their plain loops.
#include "gt/ops/attention/attention.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "gt/backend/ref/ref.hpp"
#include "support.hpp"

namespace {

using namespace gt::bench;
using gt::Buffer;
using gt::Matrix;
using gt::Ref;
using gt::text;
using gt::ops::AttentionShape;

/// The error of a matrix against the same numbers without gaps.
double off(Matrix<float> actual, Buffer<float> const& expected, std::int64_t terms) {
  Buffer<float> const copy(expected.size());
  for (std::int64_t t = 0; t < actual.rows(); ++t)
    std::copy_n(actual.row(t), actual.columns(), copy.data() + t * actual.columns());
  return error(copy.span(), expected.span(), static_cast<double>(terms));
}

/// q, k and v side by side, as a block has them. Counted: the causal half of two products forward, 2 T^2 D a head, and
/// of four backward. The last head is compared with the plain loop.
template <class B>
void add_attention(B on, std::string const& name, int threads, AttentionShape s, bool backward) {
  std::int64_t const T = s.queries, D = s.d_head, C = s.heads * D, M = s.batch * T;
  AttentionShape const one{1, 1, D, T, 0};
  auto const make = [=] {
    Buffer<float> const qkv = numbers(M * 3 * C, 1), o(M * C), log_sum(M * s.heads), d_out = numbers(M * C, 2),
                        d_qkv(M * 3 * C);
    auto const part = [=](Buffer<float> const& b, int i) { return rows(b, 3 * C).columns(i * C, C); };
    auto const forward = [=] {
      gt::ops::attention(on, part(qkv, 0), part(qkv, 1), part(qkv, 2), rows(o, C), log_sum.data(), s);
    };
    auto const run_backward = [=] {
      gt::ops::attention_backward(on, rows(d_out, C), part(qkv, 0), part(qkv, 1), part(qkv, 2), rows(o, C),
                                  log_sum.data(), part(d_qkv, 0), part(d_qkv, 1), part(d_qkv, 2), s);
    };
    auto const compare = [=] {
      auto const last = [=](Matrix<float> m) { return m.rows(M - T, T).columns(C - D, D); };
      auto const q = last(part(qkv, 0)), k = last(part(qkv, 1)), v = last(part(qkv, 2));
      Buffer<float> const eo(T * D), el(T), eq(T * D), ek(T * D), ev(T * D);
      forward();
      gt::ops::attention(Ref{}, q, k, v, rows(eo, D), el.data(), one);
      double const worst = off(last(rows(o, C)), eo, T);
      if (!backward) return worst;
      run_backward();
      gt::ops::attention_backward(Ref{}, last(rows(d_out, C)), q, k, v, rows(eo, D), el.data(), rows(eq, D),
                                  rows(ek, D), rows(ev, D), one);
      return std::max({worst, off(last(part(d_qkv, 0)), eq, T), off(last(part(d_qkv, 1)), ek, T),
                       off(last(part(d_qkv, 2)), ev, T)});
    };
    double const flops = (backward ? 4.0 : 2.0) * static_cast<double>(M * T * C);
    if (backward) return Case{run_backward, compare, {.flops = flops}, threads};
    return Case{forward, compare, {.flops = flops}, threads};
  };
  add(text(backward ? "attention_backward/" : "attention/", name, "/B", s.batch, ",H", s.heads, ",T", T, ",D", D),
      make);
}

/// One query that sees `keys` keys of a cache, whose rows hold k and v side by side. Counted: the bytes of k and v.
template <class B>
void add_query(B on, std::string const& name, int threads, std::int64_t keys, std::int64_t heads, std::int64_t D) {
  std::int64_t const C = heads * D;
  AttentionShape const s{1, heads, D, 1, keys - 1};
  auto const make = [=] {
    Buffer<float> const kv = numbers(keys * 2 * C, 1), q = numbers(C, 2), o(C), expected(C);
    auto const run = [=](auto const& backend, Buffer<float> const& to) {
      gt::ops::attention(backend, rows(q, C), rows(kv, 2 * C).columns(0, C), rows(kv, 2 * C).columns(C, C), rows(to, C),
                         static_cast<float*>(nullptr), s);
    };
    auto const compare = [=] {
      run(on, o);
      run(Ref{}, expected);
      return error(o.span(), expected.span(), static_cast<double>(keys));
    };
    std::int64_t const bytes = 4 * kv.size();
    return Case{[=] { run(on, o); }, compare, {.bytes = static_cast<double>(bytes), .memory = bytes}, threads};
  };
  add(text("attention_query/", name, "/keys", keys, ",H", heads, ",D", D), make);
}

}  // namespace

int main(int argc, char** argv) {
  add_limits();
  std::vector<AttentionShape> shapes{{4, 12, 64, 64, 0}};
  for (std::int64_t const D : {16, 32, 64, 128}) {
    for (std::int64_t const T : {256, 512, 1024, 2048}) shapes.push_back({2048 / T, 256 / D, D, T, 0});
  }
  for (bool const backward : {false, true}) {
    add_attention(Ref{}, "ref", 1, {8, 8, 32, 256, 0}, backward);
    for (int const threads : thread_counts()) {
      for (auto const& s : shapes) add_attention(gt::Cpu<>(threads), cpu_name(threads), threads, s, backward);
    }
  }
  for (int const threads : thread_counts()) {
    for (std::int64_t const keys : {256, 1024, 4096}) {
      for (std::int64_t const D : {32, 64}) add_query(gt::Cpu<>(threads), cpu_name(threads), threads, keys, 8, D);
    }
  }
  return run_all(argc, argv, "0.1");
}
