// SPDX-License-Identifier: MIT
// Which ops a backend has kernels of its own for.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <utility>

#include "gt/base/error.hpp"
#include "gt/core/backend.hpp"

namespace gt::inline GT_ABI::ops {

/// The ops that a model is made of.
enum class Op { gemm, attention, attention_backward, layer_norm, gelu, rope, cross_entropy, embedding, adamw };

/// All of them, in the order of a report.
inline constexpr std::array all_ops{Op::gemm, Op::attention,     Op::attention_backward, Op::layer_norm, Op::gelu,
                                    Op::rope, Op::cross_entropy, Op::embedding,          Op::adamw};

/// For people: "layer_norm".
constexpr char const* name(Op op) {
  constexpr char const* names[] = {"gemm", "attention",     "attention_backward", "layer_norm", "gelu",
                                   "rope", "cross_entropy", "embedding",          "adamw"};
  return names[static_cast<int>(op)];
}

/// Whether backends of this tag have a kernel of their own for an op. Without one, the generic body runs over their
/// lanes and their GEMM. A kernel's header says so beside the kernel.
template <class Tag, Op O>
inline constexpr bool has_kernel = false;

/// One line an op: whether `on` has a kernel of its own for it or runs the generic body over its lanes.
///
///     std::cerr << gt::ops::kernel_report(gt::Cpu<>{});
template <Backend B>
std::string kernel_report(B const& on) {
  std::string report;
  auto const line = [&](Op op, bool own) {
    report += text("  ", name(op), std::string(22 - std::string(name(op)).size(), ' '),
                   own ? "a kernel of its own" : text("the generic body, over lanes of ", on.name()), '\n');
  };
  auto const lines = [&]<std::size_t... i>(std::index_sequence<i...>) {
    (line(all_ops[i], has_kernel<typename B::tag, all_ops[i]>), ...);
  };
  lines(std::make_index_sequence<all_ops.size()>{});
  return report;
}

}  // namespace gt::ops
