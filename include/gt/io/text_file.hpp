// SPDX-License-Identifier: MIT
// Reads a whole text file into memory.
#pragma once

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <string>

#include "gt/base/error.hpp"
#include "gt/io/file_descriptor.hpp"

namespace gt {

/// The bytes of `path`, as they are: no decoding, no change of line ends. Pipes and /proc work too.
/// Throws Error if the file is missing, a directory, or cannot be read.
inline std::string read_text_file(std::string const& path) {
  auto const file = detail::open_to_read(path, 0, "read_text_file");
  std::string contents;
  std::array<char, 65536> chunk;
  for (;;) {
    auto const count = ::read(file.get(), chunk.data(), chunk.size());
    if (count == 0) return contents;
    if (count > 0) {
      contents.append(chunk.data(), static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      int const error = errno;
      fail("read_text_file", "'", path, "' must be a readable file (got: ", detail::errno_text(error), ")");
    }
  }
}

}  // namespace gt
