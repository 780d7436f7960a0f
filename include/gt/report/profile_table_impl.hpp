// SPDX-License-Identifier: MIT
// What gt/report/profile_table.hpp declares.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/core/profile.hpp"
#include "gt/report/profile_table.hpp"

namespace gt::inline GT_ABI::report {

GT_FN std::string profile_table(ops::Profile const& profile, double peak_flops) {
  auto entries = profile.entries();
  if (entries.empty()) return {};
  std::stable_sort(entries.begin(), entries.end(), [](auto const& a, auto const& b) { return a.seconds > b.seconds; });
  auto const right = [](std::string const& s, std::size_t width) {
    return std::string(width - std::min(width, s.size()), ' ') + s;
  };
  auto const left = [](std::string const& s, std::size_t width) {
    return s + std::string(width - std::min(width, s.size()), ' ');
  };
  std::size_t longest = 0;
  for (auto const& e : entries) longest = std::max(longest, std::string(e.op).size());
  auto const line = [&](std::string const& op, std::vector<std::string> const& numbers) {
    std::string row = "  " + left(op, longest);
    for (auto const& n : numbers) row += "  " + right(n, 9);
    return row + "\n";
  };
  std::vector<std::string> titles{"time", "calls", "ms/call", "GFLOP/s", "GB/s"};
  if (peak_flops > 0) titles.push_back("of peak");
  std::string table = line("op", titles);
  for (auto const& e : entries) {
    double const flops = e.work.flops / e.seconds;
    std::vector<std::string> row{decimals(100 * e.seconds / profile.seconds(), 1) + " %", text(e.calls),
                                 decimals(1e3 * e.seconds / static_cast<double>(e.calls), 3), decimals(1e-9 * flops, 1),
                                 decimals(1e-9 * e.work.bytes / e.seconds, 1)};
    if (peak_flops > 0) row.push_back(decimals(100 * flops / peak_flops, 0) + " %");
    table += line(e.op, row);
  }
  return table;
}

}  // namespace gt::report
