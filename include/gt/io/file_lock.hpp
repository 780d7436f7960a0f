// SPDX-License-Identifier: MIT
// Keeps two processes from working in one folder at the same time.
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
#include "gt/io/file_descriptor.hpp"

namespace gt::inline GT_ABI {

/// Somebody else has the folder. Its sentence says who.
class FolderInUse : public Error {
 public:
  using Error::Error;
};

namespace detail {

/// Takes the exclusive lock of an open file at once. 0, or the error number: EWOULDBLOCK where somebody holds it.
inline int take_lock(int file) {
  for (;;) {
    if (::flock(file, LOCK_EX | LOCK_NB) == 0) return 0;
    if (errno != EINTR) return errno;
  }
}
/// Whether an error of `take_lock` means that the file system has no locks, as some network file systems have none.
constexpr bool is_without_locks(int error) {
  return error == ENOLCK || error == ENOSYS || error == EINVAL || error == ENOTSUP || error == EOPNOTSUPP;
}

}  // namespace detail

/// Exclusive use of a folder while this object lives, by flock on its file `.gt.lock`, which holds the owner's
/// process number and stays behind: the system drops the lock when the process ends, however it ends. Moves, never
/// copies. A second FileLock on the folder fails in the same process too. On a file system without locks nothing is
/// locked, and `notice` says so.
class FileLock {
 public:
  /// Takes the lock at once. Throws FolderInUse if somebody holds it, and Error if the folder is missing or unwritable,
  /// or the lock fails for another reason; both name it.
  explicit FileLock(std::string const& folder) {
    constexpr auto where = "FileLock";
    auto const path = folder + "/.gt.lock";
    file_ = detail::FileDescriptor{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)};
    if (!file_.is_open()) {
      int const error = errno;
      fail(where, "folder '", folder, "' must exist and be writable (got: ", detail::errno_text(error), ")");
    }
    int const error = detail::take_lock(file_.get());
    if (error == EWOULDBLOCK)
      fail_as<FolderInUse>(where, "folder '", folder, "' must not be in use (got: locked", owner(),
                           "); wait for it to end, or choose another folder");
    if (detail::is_without_locks(error)) {
      notice_ = text("folder '", folder, "' lies on a file system without locks (", detail::errno_text(error),
                     "); nothing keeps a second program from working in it");
    } else if (error != 0) {
      fail(where, "folder '", folder, "' must allow locks (got: ", detail::errno_text(error), ")");
    }
    // The number only serves the message above, so a disk too full to hold it is no error.
    auto const number = text(::getpid(), "\n");
    if (::ftruncate(file_.get(), 0) == 0) [[maybe_unused]]
      auto const written = ::pwrite(file_.get(), number.data(), number.size(), 0);
  }

  /// A sentence for the user where the folder is not locked, as there are no locks; else empty.
  std::string const& notice() const { return notice_; }

 private:
  std::string owner() const {
    std::array<char, 16> digits;
    auto const count = ::pread(file_.get(), digits.data(), digits.size(), 0);
    if (count <= 0) return {};
    auto const line = std::string_view{digits.data(), static_cast<std::size_t>(count)};
    return text(" by process ", line.substr(0, line.find('\n')));
  }

  detail::FileDescriptor file_;
  std::string notice_;
};

}  // namespace gt
