// SPDX-License-Identifier: MIT
// std::bit_cast, also where the standard library has none yet: Emscripten's of 2022, with a compiler that can.
#pragma once

#include <bit>

#include "gt/base/macros.hpp"

namespace gt::inline GT_ABI::detail {

#if defined(__cpp_lib_bit_cast)
using std::bit_cast;
#else
/// The bits of a value as another type of its size.
template <class To, class From>
constexpr To bit_cast(From const& from) noexcept {
  static_assert(sizeof(To) == sizeof(From));
  return __builtin_bit_cast(To, from);
}
#endif

}  // namespace gt::detail
