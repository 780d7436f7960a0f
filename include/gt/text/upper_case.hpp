// SPDX-License-Identifier: MIT
// Upper case of any text, as Python's str.upper has it, in every locale.
#pragma once

#include <string>
#include <string_view>

#include "gt/base/macros.hpp"

namespace gt::inline GT_ABI {

/// Appends the upper case of a code point: one code point, or several, as "SS" of U+00DF. Others stay as they are.
/// Source: Unicode 14, Uppercase_Mapping without conditions.
void append_upper_case(std::string& text, char32_t c);

/// A text in upper case; malformed bytes stay as they are.
std::string upper_case(std::string_view text);

}  // namespace gt

#if !defined(GT_PREBUILT)
  #include "gt/text/upper_case_impl.hpp"
#endif
