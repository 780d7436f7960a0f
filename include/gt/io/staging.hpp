// SPDX-License-Identifier: MIT
// Several files that appear in a folder together, or not at all.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/io/file_descriptor.hpp"
#include "gt/io/folder.hpp"

namespace gt::inline GT_ABI::io {

/// Files that appear in a folder together: written to `folder/.saving`, moved out by `commit`, and removed without it,
/// so that a full disk leaves the folder as it was.
class Staging {
 public:
  /// Nothing is there yet: what is written appears in `folder`.
  explicit Staging(std::string folder);
  Staging(Staging const&) = delete;
  Staging& operator=(Staging const&) = delete;
  ~Staging();
  /// Where to write the file that will be `folder/name`, which must be replaceable.
  std::string file(std::string const& name);
  /// Moves all of them out.
  void commit();
  /// Also removes other files of the folder for whose names `outdated(std::string_view)` holds: what an earlier save of
  /// other files has left.
  template <class F>
  void commit(F const& outdated) {
    for (auto const& name : names_) {
      check(std::rename((stage_ + "/" + name).c_str(), (folder_ + "/" + name).c_str()) == 0, "save", "'", folder_, "/",
            name, "' must be replaceable (got: ", std::strerror(errno), ")");
    }
    for (auto const& name : folder_entries(folder_)) {
      bool const ours = std::find(names_.begin(), names_.end(), name) != names_.end();
      if (!ours && outdated(std::string_view(name))) ::unlink((folder_ + "/" + name).c_str());
    }
    gt::detail::FileDescriptor const folder{::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (folder.is_open()) ::fsync(folder.get());  // the names survive a power cut; some file systems sync no folders
  }

 private:
  std::string folder_, stage_;
  std::vector<std::string> names_;
};

}  // namespace gt::io

#if !defined(GT_PREBUILT)
  #include "gt/io/staging_impl.hpp"
#endif
