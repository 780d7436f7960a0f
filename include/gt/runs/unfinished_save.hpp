// SPDX-License-Identifier: MIT
// Removes what `save` left of a model when the process was killed in it.
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <string_view>

#include "gt/base/macros.hpp"

namespace gt::inline GT_ABI {

/// Removes `folder/.saving`, where `save` writes the files of a model before they move to their places together.
/// Returns whether it was there. Only for who knows that nobody saves there now, as the holder of a lock does; a
/// symbolic link of that name is left alone.
inline bool remove_unfinished_save(std::string const& folder) {
  std::string const stage = folder + "/.saving";
  int const opened = ::open(stage.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (opened < 0) return false;
  auto const close = [](DIR* open) { ::closedir(open); };
  std::unique_ptr<DIR, decltype(close)> const entries(::fdopendir(opened), close);
  if (!entries) return ::close(opened), false;
  while (dirent const* const entry = ::readdir(entries.get())) {
    std::string_view const name = entry->d_name;
    if (name != "." && name != "..") ::unlinkat(opened, entry->d_name, 0);  // no folder: `save` makes none in it
  }
  return ::rmdir(stage.c_str()) == 0;
}

}  // namespace gt::inline GT_ABI
