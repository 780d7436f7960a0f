// SPDX-License-Identifier: MIT
// A file as read-only memory: nothing is copied, pages are read when they are first touched.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include "gt/base/error.hpp"
#include "gt/io/file_descriptor.hpp"

namespace gt::inline GT_ABI {

/// A regular file mapped read-only (POSIX mmap). Moves, never copies; to share it, hold it by std::shared_ptr.
/// The bytes start at a page boundary, so an offset in the file is aligned as in memory. Replacing the file with
/// AtomicFile or rename leaves the mapping as it was; truncating it in place makes later reads raise SIGBUS.
class MappedFile {
 public:
  /// Maps `path`. Throws Error if it is missing, unreadable, or no regular file.
  explicit MappedFile(std::string const& path) {
    constexpr auto where = "MappedFile";
    auto const file = detail::open_to_read(path, O_NONBLOCK, where);  // else a named pipe would block here
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) fail_with(errno, path);
    if (S_ISDIR(status.st_mode)) fail_with(EISDIR, path);
    check(S_ISREG(status.st_mode), where, "'", path, "' must be a regular file (got a pipe or a device)");
    if (status.st_size == 0) return;  // mmap refuses an empty range

    auto const size = static_cast<std::size_t>(status.st_size);
    void* const start = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (start == MAP_FAILED) fail_with(errno, path);
    bytes_ = {static_cast<std::byte const*>(start), size};
  }
  /// Takes the mapping; the other one is empty then.
  MappedFile(MappedFile&& other) noexcept : bytes_{std::exchange(other.bytes_, {})} {}
  /// Exchanges the two mappings.
  MappedFile& operator=(MappedFile&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~MappedFile() {
    if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
  }

  /// The whole file. Valid while this object lives.
  std::span<std::byte const> bytes() const noexcept { return bytes_; }

 private:
  [[noreturn]] static void fail_with(int error, std::string const& path) {
    fail("MappedFile", "'", path, "' must be a readable file (got: ", detail::errno_text(error), ")");
  }

  std::span<std::byte const> bytes_;
};

}  // namespace gt
