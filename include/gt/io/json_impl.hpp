// SPDX-License-Identifier: MIT
// What gt/io/json.hpp declares. The one place that includes RapidJSON.
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <new>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/io/json.hpp"

// RapidJSON asks a stack that has no memory yet whether something fits, by null + n > null, which is all that it does
// with that pointer; UBSan's check for pointers that overflow stops there.
#if defined(__clang__)
  #pragma clang attribute push(__attribute__((no_sanitize("pointer-overflow"))), apply_to = function)
#endif
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/prettywriter.h>
#include <rapidjson/reader.h>
#if defined(__clang__)
  #pragma clang attribute pop
#endif

namespace gt::inline GT_ABI {

namespace detail {

// "line 2, column 7" of a byte of the text, before which its file has some lines; columns count bytes, from 1.
GT_FN std::string line_and_column(std::string_view json, std::size_t at, std::size_t lines_before) {
  auto const before = json.substr(0, at);
  auto const line = lines_before + static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n')) + 1;
  return text("line ", line, ", column ", before.size() - (before.rfind('\n') + 1) + 1);
}

// RapidJSON takes a null for memory without asking.
struct JsonMemory {
  static constexpr bool kNeedFree = true;
  void* Malloc(std::size_t size) { return size == 0 ? nullptr : there(std::malloc(size)); }
  void* Realloc(void* old, std::size_t, std::size_t size) {
    if (size == 0) return Free(old), nullptr;
    return there(std::realloc(old, size));  // `old` is freed by its owner, or moved
  }
  static void Free(void* memory) { std::free(memory); }

 private:
  static void* there(void* memory) {
    if (!memory) throw std::bad_alloc();
    return memory;
  }
};
using JsonReader = rapidjson::GenericReader<rapidjson::UTF8<>, rapidjson::UTF8<>, JsonMemory>;

// Where RapidJSON writes to.
struct JsonText {
  using Ch = char;
  void Put(char c) { text += c; }
  void Flush() {}
  std::string text{};
};

// Builds a value from the parser's events: bounds the depth, and finds keys that appear twice. Returns false, which
// ends the parsing, where `refused` says why.
class JsonBuilder : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, JsonBuilder> {
 public:
  explicit JsonBuilder(std::string_view where) : where_{where} {}

  bool Null() { return add(nullptr); }
  bool Bool(bool value) { return add(value); }
  bool RawNumber(char const* begin, rapidjson::SizeType size, bool) {
    char const* const end = begin + size;
    if (std::none_of(begin, end, [](char c) { return c == '.' || c == 'e' || c == 'E'; })) {  // of 64 bits, if it fits
      std::int64_t negative = 0;
      std::uint64_t positive = 0;
      if (*begin != '-' && std::from_chars(begin, end, positive).ec == std::errc{}) return add(positive);
      if (*begin == '-' && std::from_chars(begin, end, negative).ec == std::errc{}) return add(negative);
    }
    double value = 0;
    if (std::from_chars(begin, end, value).ec == std::errc{}) return add(value);
    // Too small for the range of a double is 0; too large is refused.
    value = std::strtod(std::string(begin, end).c_str(), nullptr);
    return std::isfinite(value) ? add(value) : refuse("Number too big to be stored in double.");
  }
  bool String(char const* begin, rapidjson::SizeType size, bool) { return take(begin, size) && add(std::move(taken_)); }
  bool Key(char const* begin, rapidjson::SizeType size, bool) {
    if (!take(begin, size)) return false;
    Level& level = levels_.back();
    if (!level.keys.insert(taken_).second)
      fail(where_, "key ", in_quotes(taken_), " must appear once in its JSON object");
    level.key = std::move(taken_);
    return true;
  }
  bool StartObject() { return open(true); }
  bool StartArray() { return open(false); }
  bool EndObject(rapidjson::SizeType) { return close(); }
  bool EndArray(rapidjson::SizeType) { return close(); }

  Json result() { return std::move(root_); }
  char const* refused() const { return refused_; }

 private:
  struct Level {
    bool is_object;
    std::string key{};  // of the value that comes next
    std::set<std::string> keys{};
    Json::Object fields{};
    Json::Array items{};
  };

  bool refuse(char const* why) { return refused_ = why, false; }
  // The parser pairs the halves of surrogates, but takes a second half alone.
  bool take(char const* begin, rapidjson::SizeType size) {
    taken_.assign(begin, size);
    for (std::size_t i = 0; (i = taken_.find('\xED', i)) != taken_.npos; ++i) {
      if (i + 1 < taken_.size() && static_cast<unsigned char>(taken_[i + 1]) >= 0xA0)
        return refuse("The surrogate pair in string is invalid.");
    }
    return true;
  }
  bool add(Json value) {
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
    levels_.push_back({.is_object = is_object});
    return true;
  }
  bool close() {
    Level done = std::move(levels_.back());
    levels_.pop_back();
    return done.is_object ? add(std::move(done.fields)) : add(std::move(done.items));
  }

  std::string_view where_;
  char const* refused_ = "";
  std::string taken_;
  std::vector<Level> levels_;
  Json root_;
};

// In as few digits as give the number back, and always one that is read as a floating-point number, as gt's files have
// had them from the first: 1.0, 0.001, 1e-05.
GT_FN std::string json_number(double x) {
  if (!std::isfinite(x)) return "null";
  char buffer[32];
  char const* const end = std::to_chars(buffer, buffer + sizeof buffer, x, std::chars_format::scientific).ptr;
  char const *const first = buffer + (*buffer == '-'), *const e = std::find(first, end, 'e');
  std::string digits(first, e);
  std::erase(digits, '.');
  int exponent = 0;
  std::from_chars(e + 1 + (e[1] == '+'), end, exponent);
  auto const count = static_cast<int>(digits.size());
  int const point = exponent + 1;  // digits before it
  if (x == 0) {
    digits = "0.0";
  } else if (point > 15 || point <= -4) {
    if (count > 1) digits.insert(1, ".");
    digits += text(exponent < 0 ? "e-" : "e+", std::abs(exponent) < 10 ? "0" : "", std::abs(exponent));
  } else if (point >= count) {
    digits += std::string(static_cast<std::size_t>(point - count), '0') + ".0";
  } else if (point > 0) {
    digits.insert(static_cast<std::size_t>(point), ".");
  } else {
    digits.insert(0, "0." + std::string(static_cast<std::size_t>(-point), '0'));
  }
  return first == buffer ? digits : "-" + digits;
}

GT_FN bool is_utf8_text(std::string_view text) {
  struct {
    void Put(char) {}
  } nowhere;
  rapidjson::MemoryStream in(text.data(), text.size());
  while (in.Tell() < text.size()) {
    if (!rapidjson::UTF8<>::Validate(in, nowhere)) return false;
  }
  return in.Tell() == text.size();
}

template <class Writer>
void write_json(Writer& to, Json const& json, std::string_view where) {
  auto const checked = [&](std::string const& s) -> std::string const& {
    if (!is_utf8_text(s))
      fail(where, "strings of JSON must be UTF-8; write other bytes as numbers or hexadecimal digits");
    return s;
  };
  auto const size = [](std::string const& s) { return static_cast<rapidjson::SizeType>(s.size()); };
  if (json.is_null()) {
    to.Null();
  } else if (json.is_boolean()) {
    to.Bool(json.get<bool>());
  } else if (json.is_number_unsigned()) {
    to.Uint64(json.get<std::uint64_t>());
  } else if (json.is_number_integer()) {
    to.Int64(json.get<std::int64_t>());
  } else if (json.is_number()) {
    std::string const number = json_number(json.get<double>());
    to.RawValue(number.data(), number.size(), rapidjson::kNumberType);
  } else if (json.is_string()) {
    to.String(checked(json.string()).data(), size(json.string()));
  } else if (json.is_array()) {
    to.StartArray();
    for (Json const& item : json) write_json(to, item, where);
    to.EndArray();
  } else {
    to.StartObject();
    for (auto const& [key, value] : json.items()) {
      to.Key(checked(key).data(), size(key));
      write_json(to, value, where);
    }
    to.EndObject();
  }
}

GT_FN void fail_json(Json const& value, std::string const& name, std::string const& expected, std::string_view where) {
  fail(where, name, " must be ", expected, " (got ", value.is_number() ? value.dump() : std::string{value.type_name()},
       ")");
}

GT_FN Json const& json_field(Json const& json, std::string_view key, std::string const& expected,
                             std::string_view where) {
  if (!json.is_object()) fail(where, "must be a JSON object (got ", json.type_name(), ")");
  Json const* const value = json.find(key);
  if (!value) fail(where, "key '", key, "' must be present", expected.empty() ? "" : " and ", expected);
  return *value;
}

GT_FN Json parse_json_lines(std::string_view json, std::string_view where, std::string_view file, std::size_t before) {
  auto const invalid = [&](std::size_t at, std::string const& got) {
    return text("text must be valid JSON (got ", got, " at ", line_and_column(json, at, before), ")");
  };
  auto const zero = json.find('\0');  // which the parser takes for the end
  if (zero != json.npos) fail(file, invalid(zero, "a zero byte"));
  std::size_t const mark = json.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  rapidjson::MemoryStream in(json.data() + mark, json.size() - mark);
  JsonBuilder builder(where);
  constexpr unsigned flags = rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseValidateEncodingFlag;
  auto const parsed = JsonReader().Parse<flags>(in, builder);
  if (!parsed.IsError()) return builder.result();

  std::size_t const at = std::min(parsed.Offset() + mark, json.size());
  if (at == json.size()) fail(file, invalid(at, "the end of the text"));
  auto const byte = static_cast<unsigned char>(json[at]);
  bool const unreadable = byte < 0x20 || parsed.Code() == rapidjson::kParseErrorStringInvalidEncoding;  // on a terminal
  auto const got =
      unreadable ? text("byte 0x", "0123456789ABCDEF"[byte / 16], "0123456789ABCDEF"[byte % 16])
                 : in_quotes(json.substr(at, std::min<std::size_t>(20, json.substr(at).find_first_of(" \t\r\n"))));
  if (parsed.Code() == rapidjson::kParseErrorValueInvalid) fail(file, invalid(at, got));  // "Invalid value."
  std::string why = *builder.refused() ? builder.refused() : rapidjson::GetParseError_En(parsed.Code());
  why.front() = static_cast<char>(why.front() | 0x20), why.pop_back();  // it goes on with the sentence
  fail(file, invalid(at, got), ": ", why);
}

}  // namespace detail

GT_FN Json parse_json(std::string_view json, std::string_view where) {
  return detail::parse_json_lines(json, where, where, 0);
}

GT_FN std::string dump_json(Json const& json, std::string_view where, int indent) {
  detail::JsonText to;
  using Utf8 = rapidjson::UTF8<>;
  if (indent < 0) {
    rapidjson::Writer<detail::JsonText, Utf8, Utf8, detail::JsonMemory> writer(to);
    detail::write_json(writer, json, where);
  } else {
    rapidjson::PrettyWriter<detail::JsonText, Utf8, Utf8, detail::JsonMemory> writer(to);
    writer.SetIndent(' ', static_cast<unsigned>(indent));
    detail::write_json(writer, json, where);
  }
  return std::move(to.text);
}

GT_FN Json::Json(std::initializer_list<Json> items) {
  bool const pairs = std::all_of(items.begin(), items.end(), [](Json const& item) {
    return item.is_array() && item.size() == 2 && item.front().is_string();
  });
  if (!pairs || items.size() == 0) {
    value_ = Array(items);
  } else {
    Object fields;
    for (Json const& item : items) fields.emplace_back(item[0].string(), item[1]);
    value_ = std::move(fields);
  }
}

GT_FN char const* Json::type_name() const {
  return is_null()      ? "null"
         : is_boolean() ? "boolean"
         : is_number()  ? "number"
         : is_string()  ? "string"
         : is_array()   ? "array"
                        : "object";
}

GT_FN void Json::fail_as(char const* expected) const {
  fail("Json", "the value must be ", *expected == 'a' || *expected == 'o' ? "an " : "a ", expected, " (got ",
       type_name(), ")");
}

GT_FN Json const& Json::item(std::size_t i) const {
  auto const& items = as<Array>();
  check(i < items.size(), "Json", "the array must have an item ", i, " (got ", items.size(), " items)");
  return items[i];
}

GT_FN void Json::push_back(Json value) {
  if (is_null()) value_ = Array{};
  as<Array>().push_back(std::move(value));
}

GT_FN Json const* Json::find(std::string_view key) const {
  auto const* const fields = std::get_if<Object>(&value_);
  if (!fields) return nullptr;
  auto const at = std::find_if(fields->begin(), fields->end(), [&](auto const& field) { return field.first == key; });
  return at == fields->end() ? nullptr : &at->second;
}

GT_FN Json const& Json::at(std::string_view key) const {
  Json const* const value = find(key);
  if (!value) fail("Json", "there must be a key '", key, "' (got ", is_object() ? "others" : type_name(), ")");
  return *value;
}

GT_FN Json& Json::operator[](std::string_view key) {
  if (Json* const value = find(key)) return *value;
  if (is_null()) value_ = Object{};
  return as<Object>().emplace_back(std::string(key), nullptr).second;
}

GT_FN bool Json::erase(std::string_view key) {
  return 0 != std::erase_if(as<Object>(), [&](auto const& field) { return field.first == key; });
}

GT_FN void Json::update(Json const& other) {
  for (auto const& [key, value] : other.items()) (*this)[key] = value;
}

GT_FN std::size_t Json::size() const {
  return is_null() ? 0 : is_array() ? as<Array>().size() : is_object() ? as<Object>().size() : 1;
}

GT_FN std::string Json::dump(int indent) const { return dump_json(*this, "Json", indent); }

GT_FN bool Json::equal(Json const& a, Json const& b) {
  if (a.is_number_integer() && b.is_number_integer()) {
    bool const below = !a.is_number_unsigned() && a.get<std::int64_t>() < 0;
    bool const other = !b.is_number_unsigned() && b.get<std::int64_t>() < 0;
    return below == other && a.get<std::uint64_t>() == b.get<std::uint64_t>();
  }
  if (a.is_number() && b.is_number()) return a.get<double>() == b.get<double>();
  return a.value_ == b.value_;
}

}  // namespace gt
