// SPDX-License-Identifier: MIT
// What gt/io/staging.hpp declares.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <string>
#include <string_view>
#include <utility>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/io/folder.hpp"
#include "gt/io/staging.hpp"

namespace gt::inline GT_ABI::io {

GT_FN Staging::Staging(std::string folder) : folder_{std::move(folder)}, stage_{folder_ + "/.saving"} {
  make_folder(stage_);
}

GT_FN Staging::~Staging() {
  for (auto const& name : names_) ::unlink((stage_ + "/" + name).c_str());
  ::rmdir(stage_.c_str());
}

GT_FN std::string Staging::file(std::string const& name) {
  struct stat info {};
  std::string const target = folder_ + "/" + name;
  check(::stat(target.c_str(), &info) != 0 || S_ISREG(info.st_mode), "save", "'", target, "' must be a regular file");
  names_.push_back(name);
  return stage_ + "/" + name;
}

GT_FN void Staging::commit() {
  commit([](std::string_view) { return false; });
}

}  // namespace gt::io
