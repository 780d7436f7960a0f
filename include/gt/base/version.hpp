// SPDX-License-Identifier: MIT
// The version of the library, the one place where it stands.
#pragma once

#define GT_VERSION_MAJOR 0
#define GT_VERSION_MINOR 1
#define GT_VERSION_PATCH 0

namespace gt {
inline constexpr char version[] = "0.1.0";
}  // namespace gt
