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

namespace gt {

/// Somebody else has the folder. Its sentence says who.
class FolderInUse : public Error {
 public:
  using Error::Error;
};

/// Exclusive use of a folder while this object lives, by flock on its file `.gt.lock`, which holds the owner's
/// process number and stays behind: the system drops the lock when the process ends, however it ends. Moves, never
/// copies. A second FileLock on the folder fails in the same process too.
class FileLock {
 public:
  /// Takes the lock at once. Throws FolderInUse if somebody holds it, and Error if the folder is missing or unwritable,
  /// or lies where nothing can be locked; both name it.
  explicit FileLock(std::string const& folder) {
    constexpr auto where = "FileLock";
    auto const path = folder + "/.gt.lock";
    file_ = detail::FileDescriptor{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)};
    if (!file_.is_open()) {
      int const error = errno;
      fail(where, "folder '", folder, "' must exist and be writable (got: ", detail::errno_text(error), ")");
    }
    while (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0) {
      int const error = errno;
      if (error == EINTR) continue;
      if (error == EWOULDBLOCK)
        fail_as<FolderInUse>(where, "folder '", folder, "' must not be in use (got: locked", owner(),
                             "); wait for it to end, or choose another folder");
      fail(where, "folder '", folder, "' must allow locks (got: ", detail::errno_text(error), ")");
    }
    // The number only serves the message above, so a disk too full to hold it is no error.
    auto const number = text(::getpid(), "\n");
    if (::ftruncate(file_.get(), 0) == 0) [[maybe_unused]]
      auto const written = ::pwrite(file_.get(), number.data(), number.size(), 0);
  }

 private:
  std::string owner() const {
    std::array<char, 16> digits;
    auto const count = ::pread(file_.get(), digits.data(), digits.size(), 0);
    if (count <= 0) return {};
    auto const line = std::string_view{digits.data(), static_cast<std::size_t>(count)};
    return text(" by process ", line.substr(0, line.find('\n')));
  }

  detail::FileDescriptor file_;
};

}  // namespace gt
