// SPDX-License-Identifier: MIT
// Changes JSON so that most of what comes out is JSON: a value becomes another, often a number at some limit. For one
// source file a program.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace gt::fuzz {

/// Begin and end of each number, word and string of a text.
inline std::vector<std::pair<std::size_t, std::size_t>> json_values(std::string_view json) {
  std::vector<std::pair<std::size_t, std::size_t>> values;
  for (std::size_t at = 0; at < json.size();) {
    std::size_t end = at + 1;
    if (json[at] == '"') {
      while (end < json.size() && json[end] != '"') end += json[end] == '\\' ? 2 : 1;
      end = end < json.size() ? end + 1 : json.size();
      values.emplace_back(at, end);
    } else if (json.substr(at, 1).find_first_of("{}[],: \n\r\t") != 0) {
      while (end < json.size() && json.substr(end, 1).find_first_of("{}[],: \n\r\t\"") != 0) ++end;
      values.emplace_back(at, end);
    }
    at = end;
  }
  return values;
}

}  // namespace gt::fuzz

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
  constexpr std::array<std::string_view, 26> others{"0",
                                                    "1",
                                                    "2",
                                                    "-1",
                                                    "4",
                                                    "5",
                                                    "7",
                                                    "8",
                                                    "4095",
                                                    "4096",
                                                    "65535",
                                                    "65536",
                                                    "1048576",
                                                    "16777216",
                                                    "268435456",
                                                    "2147483647",
                                                    "2147483648",
                                                    "1e308",
                                                    "1e-308",
                                                    "9223372036854775807",
                                                    "18446744073709551615",
                                                    "null",
                                                    "true",
                                                    "\"\"",
                                                    "[]",
                                                    "{}"};
  std::minstd_rand random(seed);
  std::string_view const json(reinterpret_cast<char const*>(data), size);
  auto const values = gt::fuzz::json_values(json);
  if (random() % 3 == 0 || values.empty()) return LLVMFuzzerMutate(data, size, max_size);
  auto const [begin, end] = values[random() % values.size()];
  auto const [from, to] = values[random() % values.size()];
  auto const other = random() % 4 == 0 ? json.substr(from, to - from) : others[random() % others.size()];
  std::string const changed = std::string(json.substr(0, begin)) + std::string(other) + std::string(json.substr(end));
  if (changed.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  std::memcpy(data, changed.data(), changed.size());
  return changed.size();
}
