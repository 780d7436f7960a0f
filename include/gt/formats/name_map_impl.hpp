// SPDX-License-Identifier: MIT
// What gt/formats/name_map.hpp declares.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/formats/name_map.hpp"
#include "gt/io/json.hpp"
#include "gt/io/text_file.hpp"

namespace gt::inline GT_ABI::formats {

GT_FN NameMap NameMap::with_prefix(std::string prefix) {
  NameMap map;
  map.prefix_ = std::move(prefix);
  return map;
}

GT_FN NameMap NameMap::of(Json const& json, std::string const& where) {
  NameMap map;
  check(json.is_object(), where, "a name map must be a JSON object (got ", json.type_name(), ")");
  for (auto const& [key, value] : json.items())
    check(key == "tensors" || key == "ignore" || key == "config", where,
          "a name map has tensors, ignore and config (got ", gt::detail::in_quotes(key), ")");
  if (json.contains("ignore")) map.ignored_ = json_get<std::vector<std::string>>(json, "ignore", where);
  if (!json.contains("tensors")) return map;
  for (auto const& [ours, theirs] : json_get<std::map<std::string, Json>>(json, "tensors", where)) {
    TensorPlace place;
    if (theirs.is_string()) {
      place.name = theirs.get<std::string>();
    } else {
      place.name = json_get<std::string>(theirs, "name", where);
      if (theirs.contains("transposed")) place.transposed = json_get<bool>(theirs, "transposed", where);
      if (theirs.contains("parts")) place.parts = json_get<int>(theirs, "parts", where);
      if (theirs.contains("part")) place.part = json_get<int>(theirs, "part", where);
    }
    check(place.parts >= 1 && place.parts <= 64 && place.part >= 0 && place.part < place.parts, where, ours,
          ": part must lie in 0 ... parts - 1, and parts in 1 ... 64 (got ", place.part, " and ", place.parts, ")");
    map.places_.emplace(ours, std::move(place));
  }
  return map;
}

GT_FN NameMap NameMap::read(std::string const& path) {
  std::string const where = text("name map '", path, "'");
  return of(parse_json(read_text_file(path), where), where);
}

GT_FN TensorPlace NameMap::place(std::string const& ours) const {
  if (auto const found = places_.find(ours); found != places_.end()) return found->second;
  auto const split = block_number(ours);
  if (!split) return {prefix_ + ours};
  auto const found = places_.find(split->first);
  if (found == places_.end()) return {prefix_ + ours};
  TensorPlace place = found->second;
  place.name = with_number(place.name, split->second);
  return place;
}

GT_FN bool NameMap::ignores(std::string const& theirs) const {
  for (auto const& pattern : ignored_)
    if (matches(pattern, theirs)) return true;
  return false;
}

GT_FN std::vector<std::string> NameMap::unknown(std::vector<std::string> const& ours) const {
  if (places_.empty()) return {};
  std::map<std::string, bool> known;
  for (auto const& name : ours) {
    known[name] = true;
    if (auto const split = block_number(name)) known[split->first] = true;
  }
  std::vector<std::string> unknown;
  for (auto const& [name, place] : places_)
    if (!known.contains(name)) unknown.push_back(name);
  return unknown;
}

GT_FN std::optional<std::pair<std::string, std::string>> NameMap::block_number(std::string const& name) {
  constexpr std::string_view prefix = "model.layers.";
  if (!name.starts_with(prefix)) return {};
  auto const dot = name.find('.', prefix.size());
  if (dot == name.npos) return {};
  return std::pair{text(prefix, "{l}", name.substr(dot)), name.substr(prefix.size(), dot - prefix.size())};
}

GT_FN std::string NameMap::with_number(std::string pattern, std::string const& number) {
  for (auto at = pattern.find("{l}"); at != pattern.npos; at = pattern.find("{l}", at + number.size()))
    pattern.replace(at, 3, number);
  return pattern;
}

GT_FN bool NameMap::matches(std::string_view pattern, std::string_view name) {
  std::size_t n = 0;
  for (std::size_t p = 0; p < pattern.size(); ++p) {
    if (pattern[p] == '*' && p + 1 == pattern.size()) return true;
    if (pattern.substr(p, 3) == "{l}") {
      std::size_t const begin = n;
      while (n < name.size() && name[n] >= '0' && name[n] <= '9') ++n;
      if (n == begin) return false;
      p += 2;
    } else if (n == name.size() || name[n++] != pattern[p]) {
      return false;
    }
  }
  return n == name.size();
}

}  // namespace gt::formats
