// SPDX-License-Identifier: MIT
// Counting n-grams of words or characters, and how many of them two texts share.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gt/base/macros.hpp"
#include "gt/text/utf8.hpp"

namespace gt::inline GT_ABI {

/// How often each n-gram of one order occurs.
using NgramCounts = std::unordered_map<std::string, std::int64_t>;

/// Counts the n-grams of `units`, whose texts stand in the keys with `separator` between them: one that no word holds,
/// or none between single characters.
inline NgramCounts count_ngrams(std::span<std::string_view const> units, std::size_t n, std::string_view separator) {
  NgramCounts counts;
  std::string key;
  for (std::size_t first = 0; first + n <= units.size(); ++first) {
    key.clear();
    for (std::size_t i = first; i < first + n; ++i) key.append(i > first ? separator : "").append(units[i]);
    ++counts[key];
  }
  return counts;
}

/// All occurrences together.
inline std::int64_t total_count(NgramCounts const& counts) {
  std::int64_t sum = 0;
  for (auto const& [ngram, count] : counts) sum += count;
  return sum;
}

/// Occurrences in both, each n-gram no more often than it is in either: the clipped count.
inline std::int64_t shared_count(NgramCounts const& a, NgramCounts const& b) {
  std::int64_t sum = 0;
  for (auto const& [ngram, count] : a) {
    if (auto const other = b.find(ngram); other != b.end()) sum += std::min(count, other->second);
  }
  return sum;
}

/// The characters of a text, views of it; a malformed byte stands for itself.
inline std::vector<std::string_view> characters_of(std::string_view text) {
  std::vector<std::string_view> all;
  std::size_t at = 0;
  for (utf8::Unit const unit : utf8::Units{text}) {
    all.push_back(text.substr(at, unit.size));
    at += unit.size;
  }
  return all;
}

}  // namespace gt
