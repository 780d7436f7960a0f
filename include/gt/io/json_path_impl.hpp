// SPDX-License-Identifier: MIT
// What gt/io/json_path.hpp declares.
#pragma once

#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/io/json.hpp"
#include "gt/io/json_path.hpp"

namespace gt::inline GT_ABI {

GT_FN Json json_of_path(std::string const& path) {
  try {
    Json string = path;
    static_cast<void>(string.dump());
    return string;
  } catch (Error const&) {
    std::string digits;
    for (char const c : path) {
      auto const byte = static_cast<unsigned char>(c);
      digits += "0123456789abcdef"[byte / 16], digits += "0123456789abcdef"[byte % 16];
    }
    return Json{{"bytes", digits}};
  }
}

GT_FN Json json_of_paths(std::vector<std::string> const& paths) {
  Json all = Json::array();
  for (auto const& path : paths) all.push_back(json_of_path(path));
  return all;
}

GT_FN std::string path_of_json(Json const& json, std::string_view where) {
  if (json.is_string()) return json.get<std::string>();
  auto const digits = json_get<std::string>(json, "bytes", where);
  std::string path;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    unsigned byte = 0;
    char const *const first = digits.data() + i, *const last = first + (i + 1 < digits.size() ? 2 : 1);
    auto const [end, error] = std::from_chars(first, last, byte, 16);
    check(error == std::errc{} && end == first + 2 && byte > 0, where,
          "the bytes of a path must be pairs of hexadecimal digits, none of them 00 (got '", digits, "')");
    path += static_cast<char>(byte);
  }
  return path;
}

GT_FN std::vector<std::string> paths_of_json(Json const& json, std::string_view where) {
  check(json.is_array(), where, "paths must be an array (got ", json.type_name(), ")");
  std::vector<std::string> all;
  for (auto const& path : json) all.push_back(path_of_json(path, where));
  return all;
}

}  // namespace gt
