// SPDX-License-Identifier: MIT
// White space as Python's str has it: what `split` and `strip` of the reference implementations cut at.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "gt/base/macros.hpp"
#include "gt/text/utf8.hpp"

namespace gt::inline GT_ABI {

/// Whether Python's str.isspace holds for a code point: Unicode's White_Space, and U+001C ... U+001F.
constexpr bool is_white_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

/// Python's str.split(): the parts of a text between runs of white space, views of it; none is empty.
inline std::vector<std::string_view> split_at_white_space(std::string_view text) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0, at = 0;
  auto const end_part = [&] {
    if (at > begin) parts.push_back(text.substr(begin, at - begin));
  };
  for (utf8::Unit const unit : utf8::Units{text}) {
    if (unit.valid && is_white_space(unit.value)) {
      end_part();
      begin = at + unit.size;
    }
    at += unit.size;
  }
  end_part();
  return parts;
}

/// Python's str.strip(): a view of the text without white space at its ends.
inline std::string_view strip(std::string_view text) {
  auto const parts = split_at_white_space(text);
  if (parts.empty()) return {};
  auto const begin = static_cast<std::size_t>(parts.front().data() - text.data());
  auto const end = static_cast<std::size_t>(parts.back().data() - text.data()) + parts.back().size();
  return text.substr(begin, end - begin);
}

/// Python's str.rstrip(): a view of the text without white space at its end.
inline std::string_view strip_end(std::string_view text) {
  auto const inner = strip(text);
  return inner.empty() ? inner : text.substr(0, static_cast<std::size_t>(inner.data() - text.data()) + inner.size());
}

}  // namespace gt
