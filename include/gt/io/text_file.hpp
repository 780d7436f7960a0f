// SPDX-License-Identifier: MIT
// Reads a whole text file into memory.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "gt/base/error.hpp"
#include "gt/io/file_descriptor.hpp"

namespace gt::inline GT_ABI {

inline constexpr std::int64_t configuration_bytes = std::int64_t{64} << 20;  ///< more than any configuration has
inline constexpr std::int64_t any_bytes = std::numeric_limits<std::int64_t>::max();  ///< all that fit into memory

/// The bytes of `path`, as they are: no decoding, no change of line ends. Pipes and /proc work too.
/// Throws Error if the file is missing, a directory, or cannot be read; or if it is larger than `most` bytes, which is
/// seen before it takes memory: by its size or, where that is not known, when so many have come.
inline std::string read_text_file(std::string const& path, std::int64_t most = configuration_bytes) {
  auto const file = detail::open_to_read(path, 0, "read_text_file");
  auto const check_size = [&](std::int64_t size, char const* least) {
    check(size <= most, "read_text_file", "'", path, "' must be at most ", most, " bytes (got ", least, size, ")");
  };
  struct stat status {};
  if (::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode)) check_size(status.st_size, "");
  std::string contents;
  std::array<char, 65536> chunk;
  for (;;) {
    auto const count = ::read(file.get(), chunk.data(), chunk.size());
    if (count == 0) return contents;
    if (count > 0) {
      check_size(static_cast<std::int64_t>(contents.size()) + count, "at least ");
      contents.append(chunk.data(), static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      int const error = errno;
      fail("read_text_file", "'", path, "' must be a readable file (got: ", detail::errno_text(error), ")");
    }
  }
}

}  // namespace gt
