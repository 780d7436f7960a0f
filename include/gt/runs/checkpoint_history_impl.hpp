// SPDX-License-Identifier: MIT
// What gt/runs/checkpoint_history.hpp declares.
#pragma once

#include <unistd.h>
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/io/atomic_file.hpp"
#include "gt/io/folder.hpp"
#include "gt/io/json.hpp"
#include "gt/io/safetensors.hpp"
#include "gt/io/text_file.hpp"
#include "gt/runs/checkpoint_history.hpp"

namespace gt::inline GT_ABI {

GT_FN CheckpointHistory::CheckpointHistory(std::string folder, int keep) : folder_{std::move(folder)}, keep_{keep} {
  check(keep >= 1, "CheckpointHistory", "at least 1 checkpoint must be kept (got ", keep, ")");
}

GT_FN std::vector<std::string> CheckpointHistory::older() const {
  std::vector<std::string> paths;
  for (auto const tokens : older_tokens()) paths.push_back(path_of(tokens));
  return paths;
}

GT_FN std::int64_t CheckpointHistory::tokens_of(std::string_view name) {
  if (!name.starts_with(prefix) || !name.ends_with(suffix) || name.size() <= prefix.size() + suffix.size()) return -1;
  name = name.substr(prefix.size(), name.size() - prefix.size() - suffix.size());
  std::int64_t tokens = -1;
  auto const [end, error] = std::from_chars(name.data(), name.data() + name.size(), tokens);
  return error == std::errc{} && end == name.data() + name.size() && (name[0] != '0' || name == "0") ? tokens : -1;
}

GT_FN std::vector<std::int64_t> CheckpointHistory::older_tokens() const {
  std::vector<std::int64_t> all;
  for (auto const& entry : io::folder_entries(folder_))
    if (auto const tokens = tokens_of(entry); tokens >= 0) all.push_back(tokens);
  std::sort(all.begin(), all.end(), std::greater<>{});
  return all;
}

GT_FN std::int64_t CheckpointHistory::tokens_in(std::string const& path) {
  try {
    auto const file = io::Safetensors::open(path);
    auto const growth = file.metadata().find("gt.growth");
    if (growth == file.metadata().end()) return -1;
    return json_get<std::int64_t>(parse_json(growth->second, path), "tokens", path);
  } catch (Error const&) {
    return -1;
  }
}

GT_FN void CheckpointHistory::set_aside(std::int64_t tokens) const {
  std::string const name = path_of(tokens);
  std::remove(name.c_str());
  if (::link(newest().c_str(), name.c_str()) == 0) return;
  io::write_file_atomically(name, read_text_file(newest(), any_bytes));  // a file system without hard links
}

}  // namespace gt
