// SPDX-License-Identifier: MIT
// How much memory and how many processors the system leaves to this program: by its control groups and limits too.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "gt/base/macros.hpp"

namespace gt::inline GT_ABI {

namespace detail {

/// A file of /proc or /sys; empty where it cannot be read.
inline std::string system_file(std::string const& path) {
  std::string all;
  if (std::FILE* const file = std::fopen(path.c_str(), "r")) {
    char chunk[4096];
    for (std::size_t n; (n = std::fread(chunk, 1, sizeof chunk, file)) > 0 && all.size() < (1u << 20);)
      all.append(chunk, n);
    std::fclose(file);
  }
  return all;
}
/// The first number behind `name` in a text, -1 where there is none ("max", "unlimited").
inline std::int64_t number_behind(std::string const& text, std::string_view name) {
  auto const at = text.find(name);
  if (at == text.npos) return -1;
  char const* const begin = text.c_str() + at + name.size();
  char* end = nullptr;
  long long const value = std::strtoll(begin, &end, 10);
  return end == begin ? -1 : value;
}
inline std::vector<std::string> words_of(std::string_view line, char between) {
  std::vector<std::string> words;
  for (std::size_t begin = 0, end; begin <= line.size(); begin = end + 1) {
    end = std::min(line.find(between, begin), line.size());
    words.emplace_back(line.substr(begin, end - begin));
  }
  return words;
}

/// The folder of a control group, and whether its files are those of version 2.
struct ControlGroup {
  std::string folder;
  bool unified;
};
/// The groups that limit this program's use of `controller` ("memory", "cpu"), the innermost first: those that
/// /proc/self/cgroup names, in every hierarchy of either version that is mounted, and the groups that they lie in.
inline std::vector<ControlGroup> control_groups(std::string const& root, std::string const& controller) {
  std::vector<ControlGroup> all;
  auto const is_one_of = [](std::string const& name, std::string const& list) {
    auto const names = words_of(list, ',');
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  auto const memberships = words_of(system_file(root + "/proc/self/cgroup"), '\n');
  for (auto const& mount : words_of(system_file(root + "/proc/self/mountinfo"), '\n')) {
    auto const dash = mount.find(" - ");
    if (dash == mount.npos) continue;
    auto const place = words_of(mount, ' '), kind = words_of(std::string_view(mount).substr(dash + 3), ' ');
    bool const unified = kind[0] == "cgroup2";
    if (place.size() < 5 || kind.size() < 3 || !(unified || (kind[0] == "cgroup" && is_one_of(controller, kind[2]))))
      continue;
    std::string const &top = place[3], &folder = place[4];
    for (auto const& membership : memberships) {  // "4:cpu,cpuacct:/a/b", of version 2 "0::/a/b"
      auto const colon = membership.find(':'), second = membership.find(':', colon + 1);
      if (second == membership.npos) continue;
      std::string const controllers = membership.substr(colon + 1, second - colon - 1);
      if (unified ? !controllers.empty() : !is_one_of(controller, controllers)) continue;
      std::string path = membership.substr(second + 1);
      // Below what is mounted; a path outside of that is one of another namespace.
      if (top != "/") path = path == top || path.starts_with(top + "/") ? path.substr(top.size()) : "";
      if (path == "/" || path.starts_with("/..")) path.clear();
      for (;; path.resize(path.rfind('/'))) {
        all.push_back({root + folder + path, unified});
        if (path.empty()) break;
      }
    }
  }
  return all;
}

}  // namespace detail

/// Bytes that this program may still take without pushing others out: by the system's own estimate, the limits of the
/// control groups it lies in, of either version (what they hold of files that may go is no use of theirs), and its
/// limit of address space; 0 where nothing is known. `root`: where /proc and /sys lie.
inline std::int64_t available_memory(std::string const& root = "") {
  std::int64_t const there = detail::number_behind(detail::system_file(root + "/proc/meminfo"), "MemAvailable:");
  if (there < 0) return 0;
  std::int64_t left = there * 1024;
  auto const limited = [&](std::int64_t limit, std::int64_t taken) {
    if (limit >= 0 && taken >= 0) left = std::min(left, std::max<std::int64_t>(0, limit - taken));
  };
  for (auto const& group : detail::control_groups(root, "memory")) {
    auto const number = [&](char const* name) {
      return detail::number_behind(detail::system_file(group.folder + "/" + name), "");
    };
    auto const files = detail::number_behind(detail::system_file(group.folder + "/memory.stat"),
                                             group.unified ? "\ninactive_file " : "\ntotal_inactive_file ");
    std::int64_t const held = number(group.unified ? "memory.current" : "memory.usage_in_bytes"),
                       taken = held < 0 ? held : std::max<std::int64_t>(0, held - std::max<std::int64_t>(0, files));
    limited(number(group.unified ? "memory.max" : "memory.limit_in_bytes"), taken);
    if (group.unified) limited(number("memory.high"), taken);
  }
  std::string const limits = detail::system_file(root + "/proc/self/limits"),
                    status = detail::system_file(root + "/proc/self/status");
  limited(detail::number_behind(limits, "Max address space"), detail::number_behind(status, "VmSize:") * 1024);
  limited(detail::number_behind(limits, "Max data size"), detail::number_behind(status, "VmData:") * 1024);
  return left;
}

/// Processors' worth of time that the control groups leave to this program; infinite where none has a quota.
inline double processor_quota(std::string const& root = "") {
  double quota = HUGE_VAL;
  for (auto const& group : detail::control_groups(root, "cpu")) {
    std::string const line = group.unified ? detail::system_file(group.folder + "/cpu.max")
                                           : detail::system_file(group.folder + "/cpu.cfs_quota_us") + " " +
                                                 detail::system_file(group.folder + "/cpu.cfs_period_us");
    std::int64_t const time = detail::number_behind(line, ""), of = detail::number_behind(line, " ");
    if (time > 0 && of > 0) quota = std::min(quota, static_cast<double>(time) / static_cast<double>(of));
  }
  return quota;
}

}  // namespace gt
