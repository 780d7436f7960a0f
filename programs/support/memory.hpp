// SPDX-License-Identifier: MIT
// How much memory there is left, and sizes as people write them.
#pragma once

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <gt/base/machine_limits.hpp>
#include <gt/gt.hpp>
#include <string>
#include <string_view>

namespace program {

/// gt::available_memory, where /proc is not there by the pages that are free.
inline std::int64_t available_memory() {
  std::int64_t left = gt::available_memory();
#if defined(_SC_AVPHYS_PAGES)
  if (left == 0) left = std::max<std::int64_t>(0, ::sysconf(_SC_AVPHYS_PAGES) * ::sysconf(_SC_PAGESIZE));
#endif
  return left;
}

/// 2000000, 500k, 2M, 1.5G: a number; -1 for anything else.
inline std::int64_t count_of(std::string_view size) {
  double value = 0;
  auto const [end, error] = std::from_chars(size.data(), size.data() + size.size(), value, std::chars_format::fixed);
  std::string_view const unit(end, static_cast<std::size_t>(size.data() + size.size() - end));
  std::string_view const units[] = {"", "k", "M", "G", "T"};
  auto const power = std::find(std::begin(units), std::end(units), unit);
  if (error != std::errc{} || !(value >= 0) || power == std::end(units)) return -1;
  for (auto u = std::begin(units); u != power; ++u) value *= 1000;
  return value < 1e18 ? static_cast<std::int64_t>(value) : -1;
}
/// The same of bytes: 800MB and 2GB too.
inline std::int64_t bytes_of(std::string_view size) {
  if (size.ends_with('B')) size.remove_suffix(1);
  return count_of(size);
}
/// Lets an option of a number be written as count_of reads it.
inline CLI::Option* takes_counts(CLI::Option* option) {
  auto const as_number = [](std::string& given) {
    if (auto const count = count_of(given); count >= 0) given = std::to_string(count);
    return std::string{};  // anything else is refused as it stands
  };
  return option->transform(CLI::Validator(as_number, ""));
}

}  // namespace program
