// SPDX-License-Identifier: MIT
// What gt/io/file_lock.hpp declares.
#pragma once

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/io/file_descriptor.hpp"
#include "gt/io/file_lock.hpp"

namespace gt::inline GT_ABI::io {

namespace detail {

GT_FN int take_lock(int file) {
  for (;;) {
    if (::flock(file, LOCK_EX | LOCK_NB) == 0) return 0;
    if (errno != EINTR) return errno;
  }
}

}  // namespace detail

GT_FN FileLock::FileLock(std::string const& folder) {
  constexpr auto where = "FileLock";
  auto const path = folder + "/.gt.lock";
  file_ = gt::detail::FileDescriptor{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)};
  if (!file_.is_open()) {
    int const error = errno;
    fail(where, "folder '", folder, "' must exist and be writable (got: ", gt::detail::errno_text(error), ")");
  }
  int const error = detail::take_lock(file_.get());
  if (error == EWOULDBLOCK)
    fail_as<FolderInUse>(where, "folder '", folder, "' must not be in use (got: locked", owner(),
                         "); wait for it to end, or choose another folder");
  if (detail::is_without_locks(error)) {
    notice_ = text("folder '", folder, "' lies on a file system without locks (", gt::detail::errno_text(error),
                   "); nothing keeps a second program from working in it");
  } else if (error != 0) {
    fail(where, "folder '", folder, "' must allow locks (got: ", gt::detail::errno_text(error), ")");
  }
  // The number only serves the message above, so a disk too full to hold it is no error.
  auto const number = text(::getpid(), "\n");
  if (::ftruncate(file_.get(), 0) == 0) [[maybe_unused]]
    auto const written = ::pwrite(file_.get(), number.data(), number.size(), 0);
}

GT_FN std::string FileLock::owner() const {
  std::array<char, 16> digits;
  auto const count = ::pread(file_.get(), digits.data(), digits.size(), 0);
  if (count <= 0) return {};
  auto const line = std::string_view{digits.data(), static_cast<std::size_t>(count)};
  return text(" by process ", line.substr(0, line.find('\n')));
}

}  // namespace gt::io
