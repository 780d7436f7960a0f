// SPDX-License-Identifier: MIT
// How much memory there is left, and sizes as people write them.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <gt/gt.hpp>
#include <string>
#include <string_view>

namespace program {

/// Bytes that a program may still take without pushing others out, by the system's own estimate and the limit of the
/// control group it runs in; 0 where neither is known.
inline std::int64_t available_memory() {
  auto const number = [](char const* path, char const* format) {
    long long value = -1;
    if (std::FILE* const file = std::fopen(path, "r")) {
      char line[128];
      while (value < 0 && std::fgets(line, sizeof line, file) != nullptr) {
        if (std::sscanf(line, format, &value) != 1) value = -1;
      }
      std::fclose(file);
    }
    return static_cast<std::int64_t>(value);
  };
  std::int64_t left = std::max<std::int64_t>(0, number("/proc/meminfo", "MemAvailable: %lld kB")) * 1024;
#if defined(_SC_AVPHYS_PAGES)
  if (left == 0) left = std::max<std::int64_t>(0, ::sysconf(_SC_AVPHYS_PAGES) * ::sysconf(_SC_PAGESIZE));
#endif
  std::int64_t const limit = number("/sys/fs/cgroup/memory.max", "%lld"),
                     taken = number("/sys/fs/cgroup/memory.current", "%lld");
  if (limit > 0 && taken >= 0) left = std::min(left, std::max<std::int64_t>(0, limit - taken));
  return left;
}

/// 2000000, 500k, 800MB, 2GB, 1.5G: bytes; -1 for anything else.
inline std::int64_t bytes_of(std::string_view size) {
  double value = 0;
  auto const [end, error] = std::from_chars(size.data(), size.data() + size.size(), value, std::chars_format::fixed);
  std::string_view unit(end, static_cast<std::size_t>(size.data() + size.size() - end));
  if (unit.ends_with('B')) unit.remove_suffix(1);
  std::string_view const units[] = {"", "k", "M", "G", "T"};
  auto const power = std::find(std::begin(units), std::end(units), unit);
  if (error != std::errc{} || !(value >= 0) || power == std::end(units)) return -1;
  for (auto u = std::begin(units); u != power; ++u) value *= 1000;
  return value < 1e18 ? static_cast<std::int64_t>(value) : -1;
}

}  // namespace program
