// SPDX-License-Identifier: MIT
// Reads a whole text file into memory. In C alone: what embeds a model is compiled where there is no POSIX.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "gt/base/error.hpp"

namespace gt::inline GT_ABI {

inline constexpr std::int64_t configuration_bytes = std::int64_t{64} << 20;  ///< more than any configuration has
inline constexpr std::int64_t any_bytes = std::numeric_limits<std::int64_t>::max();  ///< all that fit into memory

/// The bytes of `path`, as they are: no decoding, no change of line ends. Pipes and /proc work too.
/// Throws Error if the file is missing, a directory, or cannot be read; or if it is larger than `most` bytes, which is
/// seen before it takes memory: by its size or, where that is not known, when so many have come.
std::string read_text_file(std::string const& path, std::int64_t most = configuration_bytes);

}  // namespace gt

#if !defined(GT_PREBUILT)
  #include "gt/io/text_file_impl.hpp"
#endif
