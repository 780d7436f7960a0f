// SPDX-License-Identifier: MIT
// Numbers and times as people read them, the same in every locale.
#pragma once

#include <charconv>
#include <cstdio>
#include <string>

#include "gt/base/macros.hpp"

namespace gt::inline GT_ABI {

/// `digits` decimals and a point, in every locale; never "-0".
inline std::string decimals(double x, int digits) {
  char buffer[352];  // 308 digits before the point
  auto const end = std::to_chars(buffer, buffer + sizeof buffer, x, std::chars_format::fixed, digits).ptr;
  std::string s(buffer, end);
  if (s.starts_with('-') && s.find_first_not_of("-0.") == s.npos) s.erase(0, 1);
  return s;
}
/// In as few digits as give the number back exactly.
inline std::string shortest(double x) {
  char buffer[32];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, x).ptr};
}
/// 12.3k, 4.56M, 1.2G; with a unit 12.3 kB, 1.2 GB.
inline std::string short_number(double x, char const* unit = "") {
  char const* suffix = "";
  for (char const* s : {"k", "M", "G", "T"}) {
    if (x < 1000) break;
    x /= 1000, suffix = s;
  }
  int const digits = *suffix == 0 || x >= 100 ? 0 : x < 10 ? 2 : 1;
  return decimals(x, digits) + (*unit != 0 ? " " : "") + suffix + unit;
}
/// 4 s, 2 min 05 s, 1 h 20 min.
inline std::string short_time(double seconds) {
  auto const s = static_cast<long>(seconds + 0.5);
  char buffer[32];
  if (s < 60) {
    std::snprintf(buffer, sizeof buffer, "%ld s", s);
  } else if (s < 3600) {
    std::snprintf(buffer, sizeof buffer, "%ld min %02ld s", s / 60, s % 60);
  } else {
    std::snprintf(buffer, sizeof buffer, "%ld h %02ld min", s / 3600, s / 60 % 60);
  }
  return buffer;
}

}  // namespace gt
