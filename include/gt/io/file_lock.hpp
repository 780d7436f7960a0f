// SPDX-License-Identifier: MIT
// Keeps two processes from working in one folder at the same time.
#pragma once

#include <cerrno>
#include <string>

#include "gt/base/error.hpp"
#include "gt/io/file_descriptor.hpp"

namespace gt::inline GT_ABI::io {

/// Somebody else has the folder. Its sentence says who.
class FolderInUse : public Error {
 public:
  using Error::Error;
};

namespace detail {

/// Takes the exclusive lock of an open file at once. 0, or the error number: EWOULDBLOCK where somebody holds it.
int take_lock(int file);
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
  explicit FileLock(std::string const& folder);

  /// A sentence for the user where the folder is not locked, as there are no locks; else empty.
  std::string const& notice() const { return notice_; }

 private:
  std::string owner() const;

  gt::detail::FileDescriptor file_;
  std::string notice_;
};

}  // namespace gt::io

#if !defined(GT_PREBUILT)
  #include "gt/io/file_lock_impl.hpp"
#endif
