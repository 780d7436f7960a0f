// SPDX-License-Identifier: MIT
// Several files that appear in a folder together, or not at all.
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/io/file_descriptor.hpp"

namespace gt::inline GT_ABI::detail {

inline void make_folder(std::string const& path) {
  for (std::size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    std::string const part = path.substr(0, slash);
    if (::mkdir(part.c_str(), 0777) != 0 && errno != EEXIST) {
      fail("make_folder", "the folder '", part, "' must be writable (got: ", std::strerror(errno), ")");
    }
    if (slash == std::string::npos) break;
  }
  struct stat info {};
  check(::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode), "make_folder", "'", path, "' must be a folder");
}

/// Files that appear in a folder together: written to `folder/.saving`, moved out by `commit`, and removed without it,
/// so that a full disk leaves the folder as it was.
class Staging {
 public:
  explicit Staging(std::string folder) : folder_{std::move(folder)}, stage_{folder_ + "/.saving"} {
    make_folder(stage_);
  }
  Staging(Staging const&) = delete;
  Staging& operator=(Staging const&) = delete;
  ~Staging() {
    for (auto const& name : names_) ::unlink((stage_ + "/" + name).c_str());
    ::rmdir(stage_.c_str());
  }
  /// Where to write the file that will be `folder/name`, which must be replaceable.
  std::string file(std::string const& name) {
    struct stat info {};
    std::string const target = folder_ + "/" + name;
    check(::stat(target.c_str(), &info) != 0 || S_ISREG(info.st_mode), "save", "'", target, "' must be a regular file");
    names_.push_back(name);
    return stage_ + "/" + name;
  }
  /// Moves all of them out. With a `family` it also removes other files of the folder whose name is of it: what an
  /// earlier save of more or fewer shards, `family`.safetensors or `family`-00001-of-00002.safetensors, has left.
  void commit(std::string const& family = {}) {
    for (auto const& name : names_) {
      check(std::rename((stage_ + "/" + name).c_str(), (folder_ + "/" + name).c_str()) == 0, "save", "'", folder_, "/",
            name, "' must be replaceable (got: ", std::strerror(errno), ")");
    }
    if (!family.empty()) remove_old(family);
    FileDescriptor const folder{::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (folder.is_open()) ::fsync(folder.get());  // the names survive a power cut; some file systems sync no folders
  }

 private:
  // family-00001-of-00002.safetensors
  static bool is_shard(std::string const& family, std::string const& name) {
    std::string const shape = family + "-#####-of-#####.safetensors";
    return name.size() == shape.size() && std::equal(name.begin(), name.end(), shape.begin(), [](char c, char of) {
             return of == '#' ? c >= '0' && c <= '9' : c == of;
           });
  }
  void remove_old(std::string const& family) const {
    DIR* const folder = ::opendir(folder_.c_str());
    if (!folder) return;
    std::vector<std::string> old;
    while (dirent const* const entry = ::readdir(folder)) {
      std::string const name = entry->d_name;
      bool const weights =
          name == family + ".safetensors" || name == family + ".safetensors.index.json" || is_shard(family, name);
      if (weights && std::find(names_.begin(), names_.end(), name) == names_.end()) old.push_back(name);
    }
    ::closedir(folder);
    for (auto const& name : old) ::unlink((folder_ + "/" + name).c_str());
  }

  std::string folder_, stage_;
  std::vector<std::string> names_;
};

}  // namespace gt::inline GT_ABI::detail
