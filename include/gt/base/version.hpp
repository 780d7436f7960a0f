// SPDX-License-Identifier: MIT
// The version of the library, the one place where it stands: CMake reads the three numbers from here.
#pragma once

/// Raised when code that uses gt must change, by the rules of semver.org.
#define GT_VERSION_MAJOR 0
/// Raised when gt can do more; before 1.0.0 also when code that uses gt must change.
#define GT_VERSION_MINOR 1
/// Raised when gt only does better what it did.
#define GT_VERSION_PATCH 0

#include "gt/base/macros.hpp"

#define GT_VERSION_JOIN(major, minor, patch) #major "." #minor "." #patch
#define GT_VERSION_TEXT(major, minor, patch) GT_VERSION_JOIN(major, minor, patch)

/// All of the library. What its namespace `detail` holds may change with any version.
namespace gt::inline GT_ABI {
/// "major.minor.patch".
inline constexpr char version[] = GT_VERSION_TEXT(GT_VERSION_MAJOR, GT_VERSION_MINOR, GT_VERSION_PATCH);

/// The compiler of this translation unit: "g++ 12.2.0", "Debian Clang 14.0.6".
#if defined(__clang__)
static constexpr char const* compiler = __VERSION__;
#elif defined(__GNUC__)
static constexpr char const* compiler = "g++ " __VERSION__;
#else
static constexpr char const* compiler = "an unknown compiler";
#endif
}  // namespace gt

#undef GT_VERSION_TEXT
#undef GT_VERSION_JOIN
