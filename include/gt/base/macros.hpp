// SPDX-License-Identifier: MIT
// The project's macros, all of them.
#pragma once

/// \def GT_ISA
/// The best instruction set that this unit may use, by the compiler's flags: an enumerator of gt::Isa.
#if defined(GT_NO_SIMD)
  #define GT_ISA scalar
#elif defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512CD__) && defined(__AVX512DQ__)
  #if defined(__AVX512BF16__)
    #define GT_ISA avx512_bf16
  #else
    #define GT_ISA avx512
  #endif
#elif defined(__AVX2__) && defined(__FMA__)
  #define GT_ISA avx2
#elif defined(__aarch64__)
  #define GT_ISA neon
#elif defined(__SSE2__)
  #define GT_ISA sse2
#else
  #define GT_ISA scalar
#endif

/// \def GT_ABI
/// Names the inline namespace that all of gt lies in: the instruction set, and what else of a compiler's flags changes
/// what a function does. So objects of other flags never share a function by accident: they do not link, or keep apart.
#if defined(__FMA__) && !defined(__AVX2__)
  #define GT_ABI_FMA _fma
#else
  #define GT_ABI_FMA
#endif
#if defined(NDEBUG)
  #define GT_ABI_ASSERTIONS
#else
  #define GT_ABI_ASSERTIONS _asserts
#endif
#if defined(_OPENMP)
  #define GT_ABI_THREADS
#else
  #define GT_ABI_THREADS _one_thread
#endif
#define GT_JOIN_NOW(a, b, c, d) a##b##c##d
#define GT_JOIN(a, b, c, d) GT_JOIN_NOW(a, b, c, d)
#define GT_ABI GT_JOIN(GT_ISA, GT_ABI_FMA, GT_ABI_ASSERTIONS, GT_ABI_THREADS)

/// \def GT_FN
/// Before a function whose body stands in an _impl.hpp: inline, or nothing where gt::prebuilt is made of it.
#if defined(GT_PREBUILT)
  #define GT_FN
#else
  #define GT_FN inline
#endif

/// Callable on the host and, compiled by nvcc, on a CUDA device.
#if defined(__CUDACC__)
  #define GT_HD __host__ __device__
#else
  #define GT_HD
#endif

/// \def GT_INLINE
/// Forced inlining, for the SIMD wrapper and GEMM micro-kernels only.
/// \def GT_RESTRICT
/// No other pointer of the function leads to the same memory.
#if defined(__GNUC__) || defined(__clang__)
  #define GT_INLINE inline __attribute__((always_inline))
  #define GT_RESTRICT __restrict__
#else
  #define GT_INLINE inline
  #define GT_RESTRICT
#endif

/// Debug-only check of a kernel's preconditions.
#if defined(NDEBUG)
  #define GT_ASSERT(condition) ((void)0)
#else
  #include <cassert>
  #define GT_ASSERT(condition) assert(condition)
#endif
