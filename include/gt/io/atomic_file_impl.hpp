// SPDX-License-Identifier: MIT
// What gt/io/atomic_file.hpp declares.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/io/atomic_file.hpp"
#include "gt/io/file_descriptor.hpp"

namespace gt::inline GT_ABI::io {

GT_FN AtomicFile::AtomicFile(std::string path) : path_{std::move(path)} {
  auto const name_at = path_.rfind('/') + 1;  // 0 without a slash
  folder_ = name_at == 0 ? "./" : path_.substr(0, name_at);
  check(name_at < path_.size(), where, "'", path_, "' must name a file");
  struct stat old {};
  bool const replaces = ::stat(path_.c_str(), &old) == 0;
  check(!replaces || S_ISREG(old.st_mode), where, "'", path_,
        "' must be a regular file or not exist (got a folder, a pipe or a device)");

  static std::atomic<unsigned> counter{0};
  do {
    temporary_ = text(folder_, ".", path_.substr(name_at), ".", ::getpid(), ".", counter++, ".tmp");
    file_ = gt::detail::FileDescriptor{::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666)};
  } while (!file_.is_open() && errno == EEXIST);
  if (!file_.is_open()) {
    int const error = errno;
    temporary_.clear();
    fail(where, "'", path_, "' must be in a writable folder (got: ", gt::detail::errno_text(error), ")");
  }
  if (replaces && ::fchmod(file_.get(), old.st_mode & 0777u) != 0) discard_and_fail(errno);
}

GT_FN void AtomicFile::write(std::span<std::byte const> bytes) {
  check(file_.is_open(), where, "'", path_, "' must be open (got a write after commit or after an error)");
  while (!bytes.empty()) {
    auto const count = ::write(file_.get(), bytes.data(), bytes.size());
    if (count >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      discard_and_fail(errno);
    }
  }
}

GT_FN void AtomicFile::commit() {
  check(file_.is_open(), where, "'", path_, "' must be open (got a commit after commit or after an error)");
  int synced = 0;
  do synced = ::fsync(file_.get());
  while (synced != 0 && errno == EINTR);
  if (synced != 0 || file_.close() != 0) discard_and_fail(errno);
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) discard_and_fail(errno);
  temporary_.clear();

  // A folder that may be written but not read cannot be synced; some file systems sync no folders (EINVAL).
  gt::detail::FileDescriptor const folder{::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (folder.is_open() && ::fsync(folder.get()) != 0 && errno != EINVAL) {
    int const error = errno;
    fail(where, "'", path_, "' is in place, but its folder must reach the disk (got: ", gt::detail::errno_text(error),
         "); it may be lost in a power cut");
  }
}

GT_FN void AtomicFile::discard() noexcept {
  file_.close();
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
  temporary_.clear();
}

GT_FN void AtomicFile::discard_and_fail(int error) {
  discard();
  fail(where, "'", path_, "' must be written completely (got: ", gt::detail::errno_text(error),
       "); nothing was changed");
}

GT_FN void write_file_atomically(std::string const& path, std::string_view contents) {
  AtomicFile file(path);
  file.write(contents);
  file.commit();
}

}  // namespace gt::io
