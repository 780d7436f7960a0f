// SPDX-License-Identifier: MIT
// Paths in JSON: a file's name is bytes, which need not be text.
#pragma once

#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/io/json.hpp"

namespace gt::inline GT_ABI {

/// A path as JSON: a string; where it is not UTF-8, which every string of JSON is, {"bytes": "636166e9"}, its bytes in
/// hexadecimal digits.
template <detail::JsonValue J = Json>
J json_of_path(std::string const& path) {
  try {
    J string = path;
    static_cast<void>(string.dump());
    return string;
  } catch (typename J::type_error const&) {
    std::string digits;
    for (char const c : path) {
      auto const byte = static_cast<unsigned char>(c);
      digits += "0123456789abcdef"[byte / 16], digits += "0123456789abcdef"[byte % 16];
    }
    return J{{"bytes", digits}};
  }
}
/// The same of several, as an array.
template <detail::JsonValue J = Json>
J json_of_paths(std::vector<std::string> const& paths) {
  J all = J::array();
  for (auto const& path : paths) all.push_back(json_of_path<J>(path));
  return all;
}

/// The path that `json_of_path` wrote.   Errors: what is neither a string nor such bytes.
template <detail::JsonValue J>
std::string path_of_json(J const& json, std::string_view where) {
  if (json.is_string()) return json.template get<std::string>();
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
/// The same of an array.
template <detail::JsonValue J>
std::vector<std::string> paths_of_json(J const& json, std::string_view where) {
  check(json.is_array(), where, "paths must be an array (got ", json.type_name(), ")");
  std::vector<std::string> all;
  for (auto const& path : json) all.push_back(path_of_json(path, where));
  return all;
}

}  // namespace gt
