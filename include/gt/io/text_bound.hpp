// SPDX-License-Identifier: MIT
// How long a text may be that is read whole.
#pragma once

#include <cstdint>

#include "gt/base/machine_limits.hpp"
#include "gt/base/macros.hpp"
#include "gt/io/text_file.hpp"

namespace gt::inline GT_ABI {
namespace detail {

/// Most bytes of a text that somebody names, for read_text_file: a quarter of the memory that is left, as who uses it
/// needs its tokens as well; a device has no end. What was written by gt itself may have `any_bytes`.
inline std::int64_t text_bytes_that_fit() {
  std::int64_t const memory = available_memory();
  return memory > 0 ? memory / 4 : any_bytes;  // 0 where nothing is known
}

}  // namespace detail
}  // namespace gt
