// SPDX-License-Identifier: MIT
// The project's macros, all of them.
#pragma once

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
