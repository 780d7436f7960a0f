// SPDX-License-Identifier: MIT
// Removes what `save` left of a model when the process was killed in it.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <string>

#include "gt/base/macros.hpp"
#include "gt/io/file_descriptor.hpp"
#include "gt/io/folder.hpp"

namespace gt::inline GT_ABI {

/// Removes `folder/.saving`, where `save` writes the files of a model before they move to their places together.
/// Returns whether it was there. Only for who knows that nobody saves there now, as the holder of a lock does; a
/// symbolic link of that name is left alone.
inline bool remove_unfinished_save(std::string const& folder) {
  std::string const stage = folder + "/.saving";
  detail::FileDescriptor const opened{::open(stage.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
  if (!opened.is_open()) return false;
  for (auto const& name : io::detail::entries_of(opened))
    ::unlinkat(opened.get(), name.c_str(), 0);  // no folder: `save` makes none in it
  return ::rmdir(stage.c_str()) == 0;
}

}  // namespace gt
