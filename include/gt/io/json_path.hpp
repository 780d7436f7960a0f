// SPDX-License-Identifier: MIT
// Paths in JSON: a file's name is bytes, which need not be text.
#pragma once

#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/io/json.hpp"

namespace gt::inline GT_ABI {

/// A path as JSON: a string; where it is not UTF-8, which every string of JSON is, {"bytes": "636166e9"}, its bytes in
/// hexadecimal digits.
Json json_of_path(std::string const& path);
/// The same of several, as an array.
Json json_of_paths(std::vector<std::string> const& paths);

/// The path that `json_of_path` wrote.   Errors: what is neither a string nor such bytes.
std::string path_of_json(Json const& json, std::string_view where);
/// The same of an array.
std::vector<std::string> paths_of_json(Json const& json, std::string_view where);

}  // namespace gt

#if !defined(GT_PREBUILT)
  #include "gt/io/json_path_impl.hpp"
#endif
