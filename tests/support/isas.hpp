// SPDX-License-Identifier: MIT
// The CPU backend for every instruction set that this translation unit may use.
#pragma once

#include <tuple>
#include <type_traits>

#include "gt/backend/cpu/isa.hpp"

namespace gt::test {

template <Isa... I>
using Backends = std::tuple<Cpu<I>...>;

/// For TEST_CASE_TEMPLATE_APPLY.
using AllCpus =
    std::conditional_t<simd::has_avx512(native_isa), Backends<Isa::scalar, Isa::sse2, Isa::avx2, native_isa>,
                       std::conditional_t<native_isa == Isa::avx2, Backends<Isa::scalar, Isa::sse2, Isa::avx2>,
                                          std::conditional_t<native_isa == Isa::scalar, Backends<Isa::scalar>,
                                                             Backends<Isa::scalar, native_isa>>>>;

}  // namespace gt::test
