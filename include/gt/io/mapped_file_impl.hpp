// SPDX-License-Identifier: MIT
// What gt/io/mapped_file.hpp declares.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <cerrno>
#include <cstddef>
#include <string>
#include <utility>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/io/file_descriptor.hpp"
#include "gt/io/mapped_file.hpp"

namespace gt::inline GT_ABI::io {

GT_FN MappedFile::MappedFile(std::string const& path) {
  constexpr auto where = "MappedFile";
  auto const file = gt::detail::open_to_read(path, O_NONBLOCK, where);  // else a named pipe would block here
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

GT_FN MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  return *this;
}

GT_FN MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

GT_FN void MappedFile::fail_with(int error, std::string const& path) {
  fail("MappedFile", "'", path, "' must be a readable file (got: ", gt::detail::errno_text(error), ")");
}

}  // namespace gt::io
