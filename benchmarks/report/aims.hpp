// SPDX-License-Identifier: MIT
// What each row should reach: shares of this machine's limit and ratios against others, so that they mean the same on
// any machine.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "results.hpp"

namespace gt::bench {

/// One thing that a row should reach, in words, and whether it does.
struct Aim {
  std::string text;
  bool reached = false;
};

namespace parts {
inline std::string number(double x, int digits) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%.*f", digits, x);
  return buffer;
}
inline bool is_gemm(Row const& r) { return r.op.starts_with("gemm_"); }
/// A product of the kind that training has, of sizes that fill whole tiles.
inline bool is_even_product(Row const& r) {
  auto const even = [&](char const* letter, long least) { return r.size(letter) >= least && r.size(letter) % 64 == 0; };
  return is_gemm(r) && even("M", 1024) && even("N", 128) && even("K", 128);
}
/// The least share of its limit, in percent; 0: none is asked for.
inline double least_share(Row const& r) {
  if (is_gemm(r)) return is_even_product(r) && r.threads == 1 ? 92 : 0;
  if (r.op == "step") return r.size("C") == 256 ? 76 : r.size("C") >= 512 ? 70 : 0;
  if (r.op == "tiny") return r.size("C") == 32 ? 50 : 0;  // 23.5 MFLOP in 200 us on a core of 235 GFLOP/s
  if (r.op.starts_with("attention")) {
    if (r.size("T") < 256) return 0;
    return r.size("D") >= 64 ? 60 : r.size("D") >= 32 ? 45 : 30;
  }
  if (r.op.starts_with("head_cross_entropy")) return r.size("V") >= 8192 ? 85 : 0;
  if (r.op.starts_with("generate") || r.op == "prompt") return 70;
  for (char const* op : {"layer_norm", "gelu", "residual_add", "adamw", "embedding"}) {
    if (r.op.starts_with(op)) return 80;
  }
  return 0;
}
}  // namespace parts

/// The aims of a row; `all` has the row of one thread that it is compared with.
inline std::vector<Aim> aims_of(Row const& r, std::vector<Row> const& all) {
  std::vector<Aim> aims;
  if (!r.error.empty() || r.backend == "ref") return aims;
  if (double const least = parts::least_share(r); least > 0)
    aims.push_back({">= " + parts::number(least, 0) + " %", r.share >= least});
  if (parts::is_even_product(r) && r.threads > 1) {
    for (auto const& one : all) {
      if (one.op != r.op || one.shape != r.shape || one.threads != 1 || !(r.seconds > 0)) continue;
      double const times = one.seconds / r.seconds, least = 0.95 * r.threads;
      aims.push_back(
          {">= " + parts::number(least, 1) + "x one thread (" + parts::number(times, 2) + ")", times >= least});
    }
  }
  if (r.op == "step_bf16") {
    for (auto const& one : all) {
      if (one.op != "step" || one.shape != r.shape || one.threads != r.threads || !(r.seconds > 0)) continue;
      double const times = one.seconds / r.seconds;
      aims.push_back({">= 1.6x of fp32 (" + parts::number(times, 2) + ")", times >= 1.6});
    }
  }
  for (auto const& [peer, ratio] : r.vs) {
    // bf16 products are another number format than fp32; the plain loop is no rival.
    if (peer == "plain loop" || (peer.ends_with("bf16") && r.op != "step_bf16")) continue;
    double const least = parts::is_gemm(r) ? 0.95 : r.op == "tiny" ? 5 : 1;
    if (ratio < least || r.op == "tiny")
      aims.push_back({">= " + parts::number(least, least < 1 ? 2 : 0) + "x " + peer, ratio >= least});
  }
  return aims;
}

}  // namespace gt::bench
