// SPDX-License-Identifier: MIT
// The version of the library, the one place where it stands: CMake reads the three numbers from here.
#pragma once

#define GT_VERSION_MAJOR 0
#define GT_VERSION_MINOR 1
#define GT_VERSION_PATCH 0

#define GT_VERSION_JOIN(major, minor, patch) #major "." #minor "." #patch
#define GT_VERSION_TEXT(major, minor, patch) GT_VERSION_JOIN(major, minor, patch)

namespace gt {
inline constexpr char version[] = GT_VERSION_TEXT(GT_VERSION_MAJOR, GT_VERSION_MINOR, GT_VERSION_PATCH);
}  // namespace gt

#undef GT_VERSION_TEXT
#undef GT_VERSION_JOIN
