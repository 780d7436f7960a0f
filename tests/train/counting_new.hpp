// SPDX-License-Identifier: MIT
// How often this program has allocated memory.
#pragma once

#include <cstdint>

namespace gt::test {
std::int64_t allocations();  ///< calls of `new` so far, on all threads
}
