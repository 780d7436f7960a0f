// SPDX-License-Identifier: MIT
// What a backend is: a small value passed first to every op, and a tag that selects kernels.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace gt {

/// Kernel tags. An op checks its arguments and then calls its kernel, a function of the same name with one more
/// argument, `typename Backend::tag{}`. A backend without a kernel of its own for an op falls back to the one of the
/// tag's base, `ref_tag`, whose body is written over the backend's lanes and GEMM; `on` is handed down whole, so that a
/// body that falls back still calls the fastest parts. A kernel of the CPU is declared in backend/cpu/, which `cpu.hpp`
/// includes.
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
    auto const *const first = static_cast<char const*>(data), *const at = static_cast<char const*>(p);
    return std::less_equal<>{}(first, at) && std::less<>{}(at, first + bytes);
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

/// The instruction sets that kernels are compiled for. Everything that depends on one is templated on it, so that two
/// translation units with different flags never share a kernel.
enum class Isa : int { scalar = 0, sse2 = 1, neon = 2, avx2 = 3, avx512 = 4, avx512_bf16 = 5 };

/// Whether registers are those of AVX-512.
constexpr bool has_avx512(Isa isa) { return isa == Isa::avx512 || isa == Isa::avx512_bf16; }

/// The best instruction set that this translation unit may use, from the compiler's flags.
inline constexpr Isa native_isa =
#if defined(GT_NO_SIMD)
    Isa::scalar;
#elif defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512CD__) && defined(__AVX512DQ__)
  #if defined(__AVX512BF16__)
    Isa::avx512_bf16;
  #else
    Isa::avx512;
  #endif
#elif defined(__AVX2__) && defined(__FMA__)
    Isa::avx2;
#elif defined(__aarch64__)
    Isa::neon;
#elif defined(__SSE2__)
    Isa::sse2;
#else
    Isa::scalar;
#endif

/// For people: "AVX-512", "scalar".
constexpr char const* name(Isa isa) {
  switch (isa) {
    case Isa::avx512_bf16:
      return "AVX-512 BF16";
    case Isa::avx512:
      return "AVX-512";
    case Isa::avx2:
      return "AVX2";
    case Isa::neon:
      return "NEON";
    case Isa::sse2:
      return "SSE2";
    default:
      return "scalar";
  }
}

/// The CPU backend: SIMD lanes, packed GEMM, threads. Only declared here: `gt/cpu.hpp` includes every CPU kernel and
/// then defines it, so that a program that forgot a kernel's header does not compile.
template <Isa I = native_isa>
class Cpu;

}  // namespace gt
