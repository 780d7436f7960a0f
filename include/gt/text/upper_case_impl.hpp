// SPDX-License-Identifier: MIT
// What gt/text/upper_case.hpp declares.
#pragma once

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>

#include "gt/base/macros.hpp"
#include "gt/text/upper_case.hpp"
#include "gt/text/upper_case_table.hpp"
#include "gt/text/utf8.hpp"

namespace gt::inline GT_ABI {

GT_FN void append_upper_case(std::string& text, char32_t c) {
  using namespace detail;
  auto const* const expansion =
      std::lower_bound(std::begin(upper_case_expansions), std::end(upper_case_expansions), c,
                       [](CaseExpansion const& entry, char32_t value) { return entry.from < value; });
  if (expansion != std::end(upper_case_expansions) && expansion->from == c) {
    text += expansion->to;
    return;
  }
  auto const* const range = std::lower_bound(std::begin(upper_case_ranges), std::end(upper_case_ranges), c,
                                             [](CaseRange const& entry, char32_t value) { return entry.last < value; });
  bool const inside = range != std::end(upper_case_ranges) && range->first <= c &&
                      (c - range->first) % static_cast<char32_t>(range->step) == 0;
  utf8::append(text, inside ? static_cast<char32_t>(static_cast<std::int32_t>(c) + range->shift) : c);
}

GT_FN std::string upper_case(std::string_view text) {
  std::string upper;
  for (utf8::Unit const unit : utf8::Units{text}) {
    if (unit.valid) {
      append_upper_case(upper, unit.value);
    } else {
      upper += static_cast<char>(unit.value);
    }
  }
  return upper;
}

}  // namespace gt
