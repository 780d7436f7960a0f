// SPDX-License-Identifier: MIT
// The JSON type and what is done with it, declared: without the cost of nlohmann/json.hpp where gt::prebuilt is linked.
// Who looks into a value includes gt/io/json.hpp.
#pragma once

#include <concepts>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "gt/base/macros.hpp"

namespace gt::inline GT_ABI {

/// A JSON value; objects keep the order of their keys, so that files are the same bytes each time.
using Json = nlohmann::ordered_json;

namespace detail {

template <class J>
concept JsonValue = std::same_as<J, Json>;

/// Whether J is known as a whole, as what a unit instantiates of its own needs it.
template <class J>
inline constexpr bool is_complete = requires {
  sizeof(J);
};

}  // namespace detail

/// The value of a JSON text. `where` says whose text it is. Throws Error with line and column if the text is no JSON
/// (RFC 8259, UTF-8; no comments), and Error if it nests deeper than `json_max_depth` or an object has a key twice.
template <detail::JsonValue J = Json>
J parse_json(std::string_view json, std::string_view where);

/// The value of `key` in an object as a T: bool, an integer, a floating-point number, std::string, Json, or a
/// std::vector or std::map<std::string, ...> of these. Throws Error naming the key and the expected type if the key
/// is missing or its value is something else: nothing is rounded, cut or converted, except an integer to a float.
template <class T, detail::JsonValue J>
T json_get(J const& json, std::string_view key, std::string_view where);

/// The text of a value, on one line, or on many with `indent` spaces a level. Numbers that are not finite become
/// null, as JSON has none. Throws Error if a string is not UTF-8.
template <detail::JsonValue J>
std::string dump_json(J const& json, std::string_view where, int indent = -1);

}  // namespace gt

#if !defined(GT_PREBUILT)
  #include "gt/io/json.hpp"
#endif
