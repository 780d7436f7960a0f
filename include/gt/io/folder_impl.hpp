// SPDX-License-Identifier: MIT
// What gt/io/folder.hpp declares.
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/io/file_descriptor.hpp"
#include "gt/io/folder.hpp"

namespace gt::inline GT_ABI::io {

GT_FN void make_folder(std::string const& path) {
  for (std::size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    std::string const part = path.substr(0, slash);
    if (::mkdir(part.c_str(), 0777) != 0 && errno != EEXIST) {
      int const error = errno;
      fail("make_folder", "the folder '", part, "' must be writable (got: ", gt::detail::errno_text(error), ")");
    }
    if (slash == std::string::npos) break;
  }
  struct stat info {};
  check(::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode), "make_folder", "'", path, "' must be a folder");
}

namespace detail {

GT_FN std::vector<std::string> entries_of(gt::detail::FileDescriptor const& folder) {
  std::vector<std::string> names;
  gt::detail::FileDescriptor copy{
      ::openat(folder.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};  // of its own position
  auto const close = [](DIR* open) { ::closedir(open); };
  std::unique_ptr<DIR, decltype(close)> const entries(copy.is_open() ? ::fdopendir(copy.get()) : nullptr, close);
  if (!entries) return names;
  copy.release();
  while (dirent const* const entry = ::readdir(entries.get())) {
    std::string_view const name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  return names;
}

}  // namespace detail

GT_FN std::vector<std::string> folder_entries(std::string const& folder) {
  gt::detail::FileDescriptor const opened{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  return opened.is_open() ? detail::entries_of(opened) : std::vector<std::string>{};
}

}  // namespace gt::io
