// SPDX-License-Identifier: MIT
// A file as read-only memory: nothing is copied, pages are read when they are first touched.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include "gt/base/error.hpp"

namespace gt::inline GT_ABI::io {

/// A regular file mapped read-only (POSIX mmap). Moves, never copies; to share it, hold it by std::shared_ptr.
/// The bytes start at a page boundary, so an offset in the file is aligned as in memory. Replacing the file with
/// AtomicFile or rename leaves the mapping as it was; truncating it in place makes later reads raise SIGBUS.
class MappedFile {
 public:
  /// Maps `path`. Throws Error if it is missing, unreadable, or no regular file.
  explicit MappedFile(std::string const& path);
  /// Takes the mapping; the other one is empty then.
  MappedFile(MappedFile&& other) noexcept : bytes_{std::exchange(other.bytes_, {})} {}
  /// Exchanges the two mappings.
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  /// The whole file. Valid while this object lives.
  std::span<std::byte const> bytes() const noexcept { return bytes_; }

 private:
  [[noreturn]] static void fail_with(int error, std::string const& path);

  std::span<std::byte const> bytes_;
};

}  // namespace gt::io

#if !defined(GT_PREBUILT)
  #include "gt/io/mapped_file_impl.hpp"
#endif
