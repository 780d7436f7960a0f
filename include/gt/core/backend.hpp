// SPDX-License-Identifier: MIT
// What a backend is: a small value passed first to every op, and a tag that selects kernels.
#pragma once

#include <concepts>
#include <cstdint>
#include <utility>
#include <vector>

#include "gt/base/macros.hpp"

namespace gt::inline GT_ABI {

/// Kernel tags. An op checks its arguments and then calls its kernel, a function of the same name with one more
/// argument, `typename Backend::tag{}`. A backend without a kernel of its own for an op falls back to the one of the
/// tag's base, `ref_tag`, whose body is written over the backend's lanes and GEMM; `on` is handed down whole, so that a
/// body that falls back still calls the fastest parts. The CPU's kernel of an op is declared beside it, in
/// ops/OP/cpu.hpp, which `cpu.hpp` includes; its matrix product in backend/cpu/gemm.hpp.
struct ref_tag {};
struct cpu_tag : ref_tag {};

/// A backend value offers, besides its tag:
///   `on.template lane<T>()`    the lane that row kernels are written over (see backend/ref/lane.hpp)
///   `on.parallel_for(n, f)`    f(0) ... f(n - 1) in any order, on any thread
///   `on.template scratch<T>(slot, n)`  memory of this thread that lives until the next call with the same slot
///   `gemm(on, ...)`            C = addend + bias + A B, cut over threads; `gemm_serial(on, ...)` on this thread
template <class B>
concept Backend = requires {
  typename B::tag;
}
&&std::derived_from<typename B::tag, ref_tag>&& requires(B const& on) { on.threads(); };

/// In what a matrix product multiplies; sums are fp32 in either case, and weights stay fp32 outside of it.
enum class Products {
  fp32,  ///< the numbers as they are
  bf16   ///< rounded to bf16 on the way: twice the speed where the machine has such products, with 8 bits of precision
};

/// A run of memory that its owner promises not to change.
struct ConstantMemory {
  void const* data = nullptr;  ///< its first byte
  std::int64_t bytes = 0;      ///< its length
  /// Whether p points into it.
  bool holds(void const* p) const {
    auto const first = reinterpret_cast<std::uintptr_t>(data), at = reinterpret_cast<std::uintptr_t>(p);
    return first <= at && at - first < static_cast<std::uintptr_t>(bytes);
  }
};

/// `on`, which may prepare what it reads from `constants` once and keep that as long as the result or a copy of it
/// lives: packed weights. A backend that keeps nothing is returned as it is.
template <Backend B>
B keeping(B const& on, std::vector<ConstantMemory> constants) {
  if constexpr (requires { on.keeping(constants); }) {
    return on.keeping(std::move(constants));
  } else {
    return on;
  }
}
/// Bytes of what `on`, a result of `keeping`, has prepared so far; 0 of a backend that keeps nothing.
template <Backend B>
std::int64_t kept_bytes(B const& on) {
  if constexpr (requires { on.kept_bytes(); }) {
    return on.kept_bytes();
  } else {
    return 0;
  }
}

}  // namespace gt
