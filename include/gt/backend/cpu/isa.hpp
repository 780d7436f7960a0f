// SPDX-License-Identifier: MIT
// The instruction sets of CPUs, which of them this translation unit may use, and the backend that is made for one.
#pragma once

#include "gt/base/macros.hpp"

namespace gt::inline GT_ABI {

/// The instruction sets that kernels are compiled for. Everything that depends on one is templated on it, so that two
/// translation units with different flags never share a kernel.
enum class Isa : int { scalar = 0, sse2 = 1, neon = 2, avx2 = 3, avx512 = 4, avx512_bf16 = 5 };

/// The best instruction set that this translation unit may use, from the compiler's flags.
inline constexpr Isa native_isa = Isa::GT_ISA;

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

/// Whether instruction set I has bf16 dot products. It is an instruction set of its own: a unit compiled without them
/// must not share kernels with one that has them.
template <Isa I>
inline constexpr bool has_bf16_products = I == Isa::avx512_bf16;

}  // namespace gt

namespace gt::inline GT_ABI::simd {

/// Whether registers are those of AVX-512.
constexpr bool has_avx512(Isa isa) { return isa == Isa::avx512 || isa == Isa::avx512_bf16; }

}  // namespace gt::simd
