// SPDX-License-Identifier: MIT
// JSON with this library's errors: a value, strict parsing, typed reading, writing. RapidJSON parses and writes, and is
// named in gt/io/json_impl.hpp alone.
#pragma once

#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "gt/base/error.hpp"

namespace gt::inline GT_ABI {

inline constexpr std::size_t json_max_depth = 64;  ///< arrays and objects inside each other

/// A JSON value: null, a boolean, a number, a string, an array or an object. Objects keep the order of their keys, so
/// that files are the same bytes each time; looking a key up takes time linear in their number.
///
///     gt::Json row{{"name", "austen"}, {"bits", 1.5}, {"stages", {1, 2, 3}}};  // pairs with a name make an object
///     row["tokens"] = 4096;
///     for (auto const& [key, value] : row.items()) ...
///
/// What is asked of a value of another kind is an Error; `json_get` says which key of whose text was meant.
class Json {
 public:
  using Array = std::vector<Json>;
  using Object = std::vector<std::pair<std::string, Json>>;

  Json(std::nullptr_t = nullptr) {}
  template <std::same_as<bool> B>
  Json(B value) : value_{value} {}
  template <std::integral I>
  requires(!std::same_as<I, bool>) Json(I value) : value_{Whole<I>{value}} {}
  template <std::floating_point F>
  Json(F value) : value_{static_cast<double>(value)} {}
  Json(char const* value) : value_{std::string(value)} {}
  Json(std::string_view value) : value_{std::string(value)} {}
  Json(std::string value) : value_{std::move(value)} {}
  Json(Array items) : value_{std::move(items)} {}
  Json(Object fields) : value_{std::move(fields)} {}
  template <class T>
  requires std::constructible_from<Json, T> Json(std::vector<T> const& items)
      : value_{Array(items.begin(), items.end())} {}
  template <class T>
  requires std::constructible_from<Json, T> Json(std::map<std::string, T> const& fields)
      : value_{Object(fields.begin(), fields.end())} {}
  /// An object where all items are pairs whose first is a string, else an array.
  Json(std::initializer_list<Json> items);
  static Json array(std::initializer_list<Json> items = {}) { return Array(items); }
  static Json object() { return Object{}; }

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  bool is_boolean() const { return std::holds_alternative<bool>(value_); }
  bool is_number() const { return is_number_integer() || is_number_float(); }
  bool is_number_integer() const { return std::holds_alternative<std::int64_t>(value_) || is_number_unsigned(); }
  bool is_number_unsigned() const { return std::holds_alternative<std::uint64_t>(value_); }
  bool is_number_float() const { return std::holds_alternative<double>(value_); }
  bool is_string() const { return std::holds_alternative<std::string>(value_); }
  bool is_array() const { return std::holds_alternative<Array>(value_); }
  bool is_object() const { return std::holds_alternative<Object>(value_); }
  char const* type_name() const;  ///< null, boolean, number, string, array or object

  /// The value as T: bool, a number (converted as by static_cast), std::string, or a vector of these.
  template <class T>
  T get() const {
    if constexpr (std::same_as<T, Json>) {
      return *this;
    } else if constexpr (std::same_as<T, bool> || std::same_as<T, std::string>) {
      return as<T>();
    } else if constexpr (std::is_arithmetic_v<T>) {
      return is_number_unsigned()  ? static_cast<T>(std::get<std::uint64_t>(value_))
             : is_number_integer() ? static_cast<T>(std::get<std::int64_t>(value_))
                                   : static_cast<T>(as<double>());
    } else {
      T all;
      for (Json const& item : as<Array>()) all.push_back(item.get<typename T::value_type>());
      return all;
    }
  }
  std::string const& string() const { return as<std::string>(); }

  /// Of an array, also in range-based for loops.
  Json const* begin() const { return as<Array>().data(); }
  Json const* end() const { return begin() + as<Array>().size(); }
  Json const& front() const { return (*this)[0]; }
  Json const& back() const { return (*this)[size() - 1]; }
  template <std::integral I>
  Json const& operator[](I i) const {
    return item(static_cast<std::size_t>(i));
  }
  template <std::integral I>
  Json& operator[](I i) {
    return const_cast<Json&>(item(static_cast<std::size_t>(i)));
  }
  void push_back(Json value);  ///< null becomes an array

  /// Of an object: the pairs of keys and values, in their order.
  Object const& items() const { return as<Object>(); }
  Json const* find(std::string_view key) const;  ///< null where there is none, or no object
  Json* find(std::string_view key) { return const_cast<Json*>(std::as_const(*this).find(key)); }
  bool contains(std::string_view key) const { return find(key) != nullptr; }
  Json const& at(std::string_view key) const;  ///< it must be there
  Json& at(std::string_view key) { return const_cast<Json&>(std::as_const(*this).at(key)); }
  Json const& operator[](std::string_view key) const { return at(key); }
  Json const& operator[](char const* key) const { return at(key); }
  /// That of `key`, or `otherwise` where there is none.
  template <class T>
  T value(std::string_view key, T otherwise) const {
    Json const* const found = find(key);
    return found ? found->get<T>() : otherwise;
  }
  Json& operator[](std::string_view key);  ///< null where it was not; null becomes an object
  Json& operator[](char const* key) { return (*this)[std::string_view(key)]; }
  bool erase(std::string_view key);  ///< whether it was there
  void update(Json const& other);    ///< takes all that the object `other` has

  std::size_t size() const;  ///< of an array or object; null is empty, all else 1
  bool empty() const { return size() == 0; }

  /// The text: see dump_json.
  std::string dump(int indent = -1) const;

  /// Numbers are equal by value; objects where they have the same pairs in the same order.
  friend bool operator==(Json const& a, Json const& b) { return equal(a, b); }

 private:
  template <class I>
  using Whole = std::conditional_t<std::signed_integral<I>, std::int64_t, std::uint64_t>;
  using Value = std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, Array, Object>;

  template <class T>
  T const& as() const {
    T const* const value = std::get_if<T>(&value_);
    if (!value) fail_as(kind_of(static_cast<T const*>(nullptr)));
    return *value;
  }
  template <class T>
  T& as() {
    return const_cast<T&>(std::as_const(*this).as<T>());
  }
  static constexpr char const* kind_of(bool const*) { return "boolean"; }
  static constexpr char const* kind_of(double const*) { return "number"; }
  static constexpr char const* kind_of(std::string const*) { return "string"; }
  static constexpr char const* kind_of(Array const*) { return "array"; }
  static constexpr char const* kind_of(Object const*) { return "object"; }
  [[noreturn]] void fail_as(char const* expected) const;
  Json const& item(std::size_t i) const;
  static bool equal(Json const& a, Json const& b);

  Value value_;
};

/// The value of a JSON text. `where` says whose text it is. Throws Error with line and column if the text is no JSON
/// (RFC 8259, UTF-8; no comments), and Error if it nests deeper than `json_max_depth` or an object has a key twice.
Json parse_json(std::string_view json, std::string_view where);

/// The text of a value, on one line, or on many with `indent` spaces a level. Numbers that are not finite become
/// null, as JSON has none. Throws Error if a string is not UTF-8.
std::string dump_json(Json const& json, std::string_view where, int indent = -1);

namespace detail {

// parse_json of a text that stands in `file` behind so many lines, for its errors of syntax; what else is wrong is so
// at `where`.
Json parse_json_lines(std::string_view json, std::string_view where, std::string_view file, std::size_t before);

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

// A value that is not what was expected.
[[noreturn]] void fail_json(Json const& value, std::string const& name, std::string const& expected,
                            std::string_view where);
// The value of a key; `expected` is empty where any will do.
Json const& json_field(Json const& json, std::string_view key, std::string const& expected, std::string_view where);

template <class T>
T json_as(Json const& value, std::string const& name, std::string_view where) {
  auto const expect = [&](bool holds) {
    if (!holds) fail_json(value, name, json_expectation<T>(), where);
  };
  if constexpr (std::same_as<T, Json>) {
    return value;
  } else if constexpr (std::same_as<T, bool>) {
    expect(value.is_boolean());
    return value.get<bool>();
  } else if constexpr (std::integral<T>) {
    expect(value.is_number_integer());
    if (value.is_number_unsigned()) {
      expect(std::in_range<T>(value.get<std::uint64_t>()));
    } else {
      expect(std::in_range<T>(value.get<std::int64_t>()));
    }
    return value.get<T>();
  } else if constexpr (std::floating_point<T>) {
    expect(value.is_number() && std::abs(value.get<double>()) <= std::numeric_limits<T>::max());
    return value.get<T>();
  } else if constexpr (std::same_as<T, std::string>) {
    expect(value.is_string());
    return value.string();
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
    for (auto const& [key, field] : value.items())
      fields.emplace(key, json_as<typename T::mapped_type>(field, text(name, "[", in_quotes(key), "]"), where));
    return fields;
  }
}

}  // namespace detail

/// The value of `key` in an object as a T: bool, an integer, a floating-point number, std::string, Json, or a
/// std::vector or std::map<std::string, ...> of these. Throws Error naming the key and the expected type if the key
/// is missing or its value is something else: nothing is rounded, cut or converted, except an integer to a float.
template <class T>
T json_get(Json const& json, std::string_view key, std::string_view where) {
  std::string const expected = std::same_as<T, Json> ? "" : detail::json_expectation<T>();
  return detail::json_as<T>(detail::json_field(json, key, expected, where), text("key '", key, "'"), where);
}

}  // namespace gt

#if !defined(GT_PREBUILT)
  #include "gt/io/json_impl.hpp"
#endif
