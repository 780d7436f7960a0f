// SPDX-License-Identifier: MIT
// An open POSIX file that closes itself.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

#include "gt/base/error.hpp"
#include "gt/io/errno_text.hpp"

namespace gt::inline GT_ABI::detail {

/// Owns one file descriptor. Moves, never copies.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int descriptor) : descriptor_{descriptor} {}
  FileDescriptor(FileDescriptor&& other) noexcept : descriptor_{std::exchange(other.descriptor_, -1)} {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~FileDescriptor() { close(); }

  int get() const noexcept { return descriptor_; }
  bool is_open() const noexcept { return descriptor_ >= 0; }
  /// Gives it to somebody else to close.
  int release() noexcept { return std::exchange(descriptor_, -1); }
  /// Closes early; 0, or -1 with errno set, as POSIX close.
  int close() noexcept { return is_open() ? ::close(std::exchange(descriptor_, -1)) : 0; }

 private:
  int descriptor_ = -1;
};

/// Opens an existing file for reading, or throws Error with the system's reason.
inline FileDescriptor open_to_read(std::string const& path, int flags, std::string_view where) {
  FileDescriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | flags)};
  if (!file.is_open()) {
    int const error = errno;
    fail(where, "'", path, "' must be a readable file (got: ", errno_text(error), ")");
  }
  return file;
}

}  // namespace gt::detail
