// SPDX-License-Identifier: MIT
// The sentence for an error number.
#pragma once

#include <string>
#include <system_error>

#include "gt/base/macros.hpp"

namespace gt::inline GT_ABI::detail {

/// What strerror says, safe with threads: `No such file or directory`.
inline std::string errno_text(int error) { return std::generic_category().message(error); }

}  // namespace gt::detail
