// SPDX-License-Identifier: MIT
// Writes a file completely or not at all: readers see the old contents or the new, also after a crash.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "gt/base/error.hpp"
#include "gt/io/file_descriptor.hpp"
#include "gt/io/folder.hpp"

namespace gt::inline GT_ABI::io {

/// A file under construction: a hidden temporary `.name.PID.N.tmp` in the same folder, which `commit` renames to
/// `path`. Without `commit`, or after an error, the temporary is removed and the old file stays as it was. Each
/// `write` is a system call. An old file keeps its permissions; a symbolic link is replaced, not followed.
///
///     gt::io::AtomicFile file("model.json");
///     file.write(text);
///     file.commit();
class AtomicFile {
 public:
  /// Creates the temporary. Throws Error if the folder is missing or unwritable, or if `path` is there but no
  /// regular file (as root, a rename would otherwise replace /dev/null itself).
  explicit AtomicFile(std::string path);
  AtomicFile(AtomicFile const&) = delete;
  AtomicFile& operator=(AtomicFile const&) = delete;
  ~AtomicFile() { discard(); }

  /// Appends bytes. Throws Error, and removes the temporary, if they cannot be written (a full disk).
  void write(std::span<std::byte const> bytes);
  /// Appends the bytes of a text.
  void write(std::string_view text) { write(std::as_bytes(std::span{text.data(), text.size()})); }

  /// Puts the file in place: fsync, rename, fsync of the folder. Throws Error if one of them fails; up to the
  /// rename the old file is kept.
  void commit();

 private:
  static constexpr auto where = "AtomicFile";

  void discard() noexcept;
  [[noreturn]] void discard_and_fail(int error);

  std::string path_;
  std::string folder_;
  std::string temporary_;  // empty when there is none
  gt::detail::FileDescriptor file_;
};

/// Writes `contents` to `path` completely or not at all. Throws Error as AtomicFile does.
void write_file_atomically(std::string const& path, std::string_view contents);

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

}  // namespace gt::io

#if !defined(GT_PREBUILT)
  #include "gt/io/atomic_file_impl.hpp"
#endif
