// SPDX-License-Identifier: MIT
// Writes a file completely or not at all: readers see the old contents or the new, also after a crash.
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
#include "gt/io/file_descriptor.hpp"
#include "gt/io/folder.hpp"

namespace gt::inline GT_ABI {

/// A file under construction: a hidden temporary `.name.PID.N.tmp` in the same folder, which `commit` renames to
/// `path`. Without `commit`, or after an error, the temporary is removed and the old file stays as it was. Each
/// `write` is a system call. An old file keeps its permissions; a symbolic link is replaced, not followed.
///
///     gt::AtomicFile file("model.json");
///     file.write(text);
///     file.commit();
class AtomicFile {
 public:
  /// Creates the temporary. Throws Error if the folder is missing or unwritable, or if `path` is there but no
  /// regular file (as root, a rename would otherwise replace /dev/null itself).
  explicit AtomicFile(std::string path) : path_{std::move(path)} {
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
      file_ = detail::FileDescriptor{::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666)};
    } while (!file_.is_open() && errno == EEXIST);
    if (!file_.is_open()) {
      int const error = errno;
      temporary_.clear();
      fail(where, "'", path_, "' must be in a writable folder (got: ", detail::errno_text(error), ")");
    }
    if (replaces && ::fchmod(file_.get(), old.st_mode & 0777u) != 0) discard_and_fail(errno);
  }
  AtomicFile(AtomicFile const&) = delete;
  AtomicFile& operator=(AtomicFile const&) = delete;
  ~AtomicFile() { discard(); }

  /// Appends bytes. Throws Error, and removes the temporary, if they cannot be written (a full disk).
  void write(std::span<std::byte const> bytes) {
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
  /// Appends the bytes of a text.
  void write(std::string_view text) { write(std::as_bytes(std::span{text.data(), text.size()})); }

  /// Puts the file in place: fsync, rename, fsync of the folder. Throws Error if one of them fails; up to the
  /// rename the old file is kept.
  void commit() {
    check(file_.is_open(), where, "'", path_, "' must be open (got a commit after commit or after an error)");
    int synced = 0;
    do synced = ::fsync(file_.get());
    while (synced != 0 && errno == EINTR);
    if (synced != 0 || file_.close() != 0) discard_and_fail(errno);
    if (std::rename(temporary_.c_str(), path_.c_str()) != 0) discard_and_fail(errno);
    temporary_.clear();

    // A folder that may be written but not read cannot be synced; some file systems sync no folders (EINVAL).
    detail::FileDescriptor const folder{::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (folder.is_open() && ::fsync(folder.get()) != 0 && errno != EINVAL) {
      int const error = errno;
      fail(where, "'", path_, "' is in place, but its folder must reach the disk (got: ", detail::errno_text(error),
           "); it may be lost in a power cut");
    }
  }

 private:
  static constexpr auto where = "AtomicFile";

  void discard() noexcept {
    file_.close();
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
    temporary_.clear();
  }
  [[noreturn]] void discard_and_fail(int error) {
    discard();
    fail(where, "'", path_, "' must be written completely (got: ", detail::errno_text(error), "); nothing was changed");
  }

  std::string path_;
  std::string folder_;
  std::string temporary_;  // empty when there is none
  detail::FileDescriptor file_;
};

/// Writes `contents` to `path` completely or not at all. Throws Error as AtomicFile does.
inline void write_file_atomically(std::string const& path, std::string_view contents) {
  AtomicFile file(path);
  file.write(contents);
  file.commit();
}

namespace detail {

/// The name of the file that an entry of a folder is a temporary of: `a` for `.a.123.0.tmp`; empty for any other entry.
constexpr std::string_view target_of_temporary(std::string_view entry) {
  if (!entry.starts_with('.') || !entry.ends_with(".tmp")) return {};
  entry = entry.substr(1, entry.size() - 5);
  for (int numbers = 0; numbers < 2; ++numbers) {
    auto const dot = entry.rfind('.');
    if (dot == entry.npos || dot + 1 == entry.size() || entry.find_first_not_of("0123456789", dot + 1) != entry.npos)
      return {};
    entry = entry.substr(0, dot);
  }
  return entry;
}

}  // namespace detail

/// Removes from `folder` the temporaries of an AtomicFile that a process left which was killed while it wrote, of the
/// files for whose names `is_ours(std::string_view)` holds; returns how many. Only for who knows that nobody writes
/// these now, as the holder of the folder's lock (io/file_lock.hpp) does. Nothing happens where there is no such
/// folder.
template <class F>
int remove_unfinished(std::string const& folder, F const& is_ours) {
  int removed = 0;
  for (auto const& entry : folder_entries(folder)) {
    std::string_view const target = detail::target_of_temporary(entry);
    if (target.empty() || !is_ours(target)) continue;
    std::string const path = folder + "/" + entry;
    struct stat info {};
    if (::lstat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && ::unlink(path.c_str()) == 0) ++removed;
  }
  return removed;
}

}  // namespace gt
