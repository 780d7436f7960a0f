// SPDX-License-Identifier: MIT
// The project's macros, all of them.
#pragma once

/// \def GT_ISA
/// The best instruction set that this unit may use, by the compiler's flags: an enumerator of gt::Isa.
/// \def GT_ISA_NUMBER
/// Its value.
#if defined(GT_NO_SIMD)
  #define GT_ISA scalar
  #define GT_ISA_NUMBER 0
#elif defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512CD__) && defined(__AVX512DQ__)
  #if defined(__AVX512BF16__)
    #define GT_ISA avx512_bf16
    #define GT_ISA_NUMBER 5
  #else
    #define GT_ISA avx512
    #define GT_ISA_NUMBER 4
  #endif
#elif defined(__AVX2__) && defined(__FMA__)
  #define GT_ISA avx2
  #define GT_ISA_NUMBER 3
#elif defined(__aarch64__)
  #define GT_ISA neon
  #define GT_ISA_NUMBER 2
#elif defined(__SSE2__)
  #define GT_ISA sse2
  #define GT_ISA_NUMBER 1
#else
  #define GT_ISA scalar
  #define GT_ISA_NUMBER 0
#endif

// What is refused here is wrong without a word: the exponential by up to a hundred percent, and logits that are no
// numbers.
#if defined(__FAST_MATH__) || defined(__ASSOCIATIVE_MATH__) || \
    (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__ != 0)
  #error \
      "gt needs arithmetic as it is written: compile what includes it without -ffast-math, -Ofast, -ffinite-math-only, -fassociative-math and -funsafe-math-optimizations"
#endif
#if defined(__FLT_EVAL_METHOD__) && __FLT_EVAL_METHOD__ != 0 && __FLT_EVAL_METHOD__ != 16
  #error "gt needs floats that are rounded to floats, and those of the x87 are not: compile with -msse2 -mfpmath=sse"
#endif

/// \def GT_ABI
/// Names the inline namespace that all of gt lies in: the instruction set, and what else of a compiler's flags changes
/// what a function does. So objects of other flags never share a function by accident: they do not link, or keep apart.
#if defined(__FMA__) && GT_ISA_NUMBER < 2
  #define GT_ABI_FMA _fma
  #define GT_ABI_FMA_NUMBER 1
#else
  #define GT_ABI_FMA
  #define GT_ABI_FMA_NUMBER 0
#endif
#if defined(NDEBUG)
  #define GT_ABI_ASSERTS
  #define GT_ABI_ASSERTS_NUMBER 0
#else
  #define GT_ABI_ASSERTS _asserts
  #define GT_ABI_ASSERTS_NUMBER 2
#endif
#if defined(_OPENMP)
  #define GT_ABI_THREADS
  #define GT_ABI_THREADS_NUMBER 0
#else
  #define GT_ABI_THREADS _one_thread
  #define GT_ABI_THREADS_NUMBER 4
#endif
#define GT_JOIN_NOW(a, b, c, d) a##b##c##d
#define GT_JOIN(a, b, c, d) GT_JOIN_NOW(a, b, c, d)
#define GT_ABI GT_JOIN(GT_ISA, GT_ABI_FMA, GT_ABI_ASSERTS, GT_ABI_THREADS)

/// \def GT_ABI_NUMBER
/// The same and the version as a number. GT_PREBUILT is that of the gt::prebuilt that is linked, or not defined.
#define GT_ABI_NUMBER                                                                                   \
  ((((GT_VERSION_MAJOR * 1000 + GT_VERSION_MINOR) * 1000 + GT_VERSION_PATCH) * 8 + GT_ISA_NUMBER) * 8 + \
   GT_ABI_FMA_NUMBER + GT_ABI_ASSERTS_NUMBER + GT_ABI_THREADS_NUMBER)
#include "gt/base/version.hpp"  // which needs what stands above
#if defined(GT_PREBUILT)
  #if GT_PREBUILT != GT_ABI_NUMBER
    #error \
        "gt::prebuilt must be of the version, instruction set, assertions (NDEBUG) and threads (OpenMP) of what uses it: build both with the same GT_ARCH and CMAKE_BUILD_TYPE, or link gt::gt alone, which compiles everything here"
  #endif
#endif

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
