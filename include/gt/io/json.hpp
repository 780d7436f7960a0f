// SPDX-License-Identifier: MIT
// JSON with this library's errors: strict parsing, typed reading, writing. The one place that includes nlohmann/json.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/io/json_fwd.hpp"

namespace gt::inline GT_ABI {

inline constexpr std::size_t json_max_depth = 64;  ///< arrays and objects inside each other

namespace detail {

// "line 2, column 7" of a byte of the text; columns count bytes, from 1.
inline std::string line_and_column(std::string_view json, std::size_t at) {
  auto const before = json.substr(0, std::min(at, json.size()));
  auto const line = std::count(before.begin(), before.end(), '\n') + 1;
  return text("line ", line, ", column ", before.size() - (before.rfind('\n') + 1) + 1);
}

// Builds a value from the parser's events. Unlike nlohmann's own builder it bounds the depth, finds keys that appear
// twice (the last would win silently), and takes linear time for an object of many keys.
template <JsonValue J>
class JsonBuilder {
 public:
  JsonBuilder(std::string_view json, std::string_view where) : json_{json}, where_{where} {}

  bool null() { return add(nullptr); }
  bool boolean(bool value) { return add(value); }
  bool number_integer(std::int64_t value) { return add(value); }
  bool number_unsigned(std::uint64_t value) { return add(value); }
  bool number_float(double value, std::string const&) { return add(value); }
  bool string(std::string& value) { return add(std::move(value)); }
  bool binary(typename J::binary_t&) { return false; }
  bool start_object(std::size_t) { return open(true); }
  bool start_array(std::size_t) { return open(false); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool key(std::string& name) {
    Level& level = levels_.back();
    if (!level.keys.insert(name).second) fail(where_, "key ", in_quotes(name), " must appear once in its JSON object");
    level.key = std::move(name);
    return true;
  }
  bool parse_error(std::size_t position, std::string const& token, typename J::exception const&) {
    auto const at = position == 0 ? 0 : position - 1;  // the parser has read one byte more
    auto const got = at >= json_.size() ? std::string{"the end of the text"} : in_quotes(token);
    fail(where_, "text must be valid JSON (got ", got, " at ", line_and_column(json_, at), ")");
  }

  J take() { return std::move(root_); }

 private:
  struct Level {
    bool is_object;
    std::string key;  // of the value that comes next
    std::set<std::string, std::less<>> keys;
    typename J::object_t fields;
    typename J::array_t items;
  };

  bool add(J value) {
    if (levels_.empty()) {
      root_ = std::move(value);
    } else if (Level& level = levels_.back(); level.is_object) {
      level.fields.emplace_back(std::move(level.key), std::move(value));
    } else {
      level.items.push_back(std::move(value));
    }
    return true;
  }
  bool open(bool is_object) {
    if (levels_.size() == json_max_depth)
      fail(where_, "JSON must nest at most ", json_max_depth, " deep (got an array or object inside ", json_max_depth,
           " others)");
    levels_.push_back({.is_object = is_object, .key = {}, .keys = {}, .fields = {}, .items = {}});
    return true;
  }
  bool close() {
    Level done = std::move(levels_.back());
    levels_.pop_back();
    return done.is_object ? add(J(std::move(done.fields))) : add(J(std::move(done.items)));
  }

  std::string_view json_, where_;
  std::vector<Level> levels_;
  J root_;
};

template <class T>
inline constexpr bool is_vector = false;
template <class T>
inline constexpr bool is_vector<std::vector<T>> = true;
template <class T>
inline constexpr bool is_text_map = false;
template <class T>
inline constexpr bool is_text_map<std::map<std::string, T>> = true;

// What a value must be, for people.
template <class T>
std::string json_expectation() {
  using Limits = std::numeric_limits<T>;
  if constexpr (std::same_as<T, bool>) return "true or false";
  if constexpr (std::integral<T>) return text("an integer from ", Limits::min(), " to ", Limits::max());
  if constexpr (std::floating_point<T>) return sizeof(T) < sizeof(double) ? "a number that fits a float" : "a number";
  if constexpr (std::same_as<T, std::string>) return "a string";
  if constexpr (is_vector<T>) return "an array";
  return "an object";
}

template <class T, JsonValue J>
T json_as(J const& value, std::string const& name, std::string_view where) {
  auto const expect = [&](bool holds) {
    if (holds) return;
    auto const got = value.is_number() ? value.dump() : std::string{value.type_name()};
    fail(where, name, " must be ", json_expectation<T>(), " (got ", got, ")");
  };
  if constexpr (std::same_as<T, J>) {
    return value;
  } else if constexpr (std::same_as<T, bool>) {
    expect(value.is_boolean());
    return value.template get<bool>();
  } else if constexpr (std::integral<T>) {
    expect(value.is_number_integer());
    if (value.is_number_unsigned()) {
      expect(std::in_range<T>(value.template get<std::uint64_t>()));
    } else {
      expect(std::in_range<T>(value.template get<std::int64_t>()));
    }
    return value.template get<T>();
  } else if constexpr (std::floating_point<T>) {
    expect(value.is_number() && std::abs(value.template get<double>()) <= std::numeric_limits<T>::max());
    return value.template get<T>();
  } else if constexpr (std::same_as<T, std::string>) {
    expect(value.is_string());
    return value.template get<std::string>();
  } else if constexpr (is_vector<T>) {
    expect(value.is_array());
    T items;
    items.reserve(value.size());
    for (auto const& item : value)
      items.push_back(json_as<typename T::value_type>(item, text(name, "[", items.size(), "]"), where));
    return items;
  } else {
    static_assert(is_text_map<T>, "json_get reads bool, numbers, std::string, std::vector, std::map, Json");
    expect(value.is_object());
    T fields;
    for (auto const& [key, field] : value.template get_ref<typename J::object_t const&>())
      fields.emplace(key, json_as<typename T::mapped_type>(field, text(name, "[", in_quotes(key), "]"), where));
    return fields;
  }
}

}  // namespace detail

template <detail::JsonValue J>
J parse_json(std::string_view json, std::string_view where) {
  if (auto const at = json.find('\0'); at != json.npos)  // the parser would take it for the end
    fail(where, "text must be valid JSON (got a zero byte at ", detail::line_and_column(json, at), ")");
  detail::JsonBuilder<J> builder(json, where);
  J::sax_parse(json.begin(), json.end(), &builder);
  return builder.take();
}

template <class T, detail::JsonValue J>
T json_get(J const& json, std::string_view key, std::string_view where) {
  if (!json.is_object()) fail(where, "must be a JSON object (got ", json.type_name(), ")");
  auto const at = json.find(std::string{key});
  if (at == json.end()) {
    if constexpr (std::same_as<T, J>)
      fail(where, "key '", key, "' must be present");
    else
      fail(where, "key '", key, "' must be present and ", detail::json_expectation<T>());
  }
  return detail::json_as<T>(*at, text("key '", key, "'"), where);
}

template <detail::JsonValue J>
std::string dump_json(J const& json, std::string_view where, int indent) {
  try {
    return json.dump(indent);
  } catch (typename J::type_error const&) {
    fail(where, "strings of JSON must be UTF-8; write other bytes as numbers or hexadecimal digits");
  }
}

}  // namespace gt
