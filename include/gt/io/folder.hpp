// SPDX-License-Identifier: MIT
// Folders: making them, and what is in them.
#pragma once

#include <string>
#include <vector>

#include "gt/io/file_descriptor.hpp"

namespace gt::inline GT_ABI::io {

/// Makes a folder and those that it lies in, where they are missing.   Errors: one that cannot be made; a file of that
/// name.
void make_folder(std::string const& path);

namespace detail {

/// The names of what is in an open folder.
std::vector<std::string> entries_of(gt::detail::FileDescriptor const& folder);

}  // namespace detail

/// The names of what is in a folder, hidden ones too, without `.` and `..`, in no order; none where there is no folder
/// that can be read. They are those of one moment: a caller may remove what it finds.
std::vector<std::string> folder_entries(std::string const& folder);

}  // namespace gt::io

#if !defined(GT_PREBUILT)
  #include "gt/io/folder_impl.hpp"
#endif
