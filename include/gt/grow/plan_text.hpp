// SPDX-License-Identifier: MIT
// Growth plans as text, for command lines and files: "3+3+lora16+3".
#pragma once

#include <string>
#include <string_view>

#include "gt/base/error.hpp"
#include "gt/grow/plan.hpp"

namespace gt::inline GT_ABI {

namespace growth {
/// The whole number that a text of at most four digits is; -1 where it is none.
constexpr int small_number(std::string_view digits) {
  if (digits.empty() || digits.size() > 4) return -1;
  int n = 0;
  for (char const c : digits) {
    if (c < '0' || c > '9') return -1;
    n = n * 10 + (c - '0');
  }
  return n;
}
}  // namespace growth

/// A plan from text such as "3+3+lora16+3": stages joined by '+', each of parts joined by ',':
///
///     3         three new blocks                      all       all blocks train; none is new
///     lora16    adapters of rank 16 beside the matrices of the blocks below; merged when the stage ends
///     table     the table trains as well (of a LearnedEmbedding)
///
/// "1,lora64" is one new block together with adapters, "3,table" what the paper's trainable table begins with. `o`
/// holds for all stages.   Errors: anything else, more than 64 stages, more than 4,096 blocks in one stage.
GrowthPlan parse_plan(std::string_view text, StageOptions o = {});

/// The text of a plan: "3+3+3", "3+3+all", "1,lora64".
std::string to_text(GrowthPlan const& plan);

}  // namespace gt

#if !defined(GT_PREBUILT)
  #include "gt/grow/plan_text_impl.hpp"
#endif
