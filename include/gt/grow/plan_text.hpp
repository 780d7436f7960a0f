// SPDX-License-Identifier: MIT
// Growth plans as text, for command lines and files: "3+3+lora16+3".
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "gt/base/error.hpp"
#include "gt/grow/plan.hpp"

namespace gt::inline GT_ABI {

namespace detail {
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
}  // namespace detail

/// A plan from text such as "3+3+lora16+3": stages joined by '+', each of parts joined by ',':
///
///     3         three new blocks                      all       all blocks train; none is new
///     lora16    adapters of rank 16 beside the matrices of the blocks below; merged when the stage ends
///     table     the table trains as well (of a LearnedEmbedding)
///
/// "1,lora64" is one new block together with adapters, "3,table" what the paper's trainable table begins with. `o`
/// holds for all stages.   Errors: anything else, more than 64 stages, more than 4,096 blocks in one stage.
inline GrowthPlan parse_plan(std::string_view text, StageOptions o = {}) {
  GrowthPlan plan;
  for (std::size_t begin = 0; begin <= text.size();) {
    std::size_t const end = std::min(text.find('+', begin), text.size());
    std::string_view const stage_text = text.substr(begin, end - begin);
    Stage stage = deepen(0, o);
    bool valid = true, blocks = false;
    for (std::size_t at = 0; at <= stage_text.size() && valid;) {
      std::size_t const comma = std::min(stage_text.find(',', at), stage_text.size());
      std::string_view const word = stage_text.substr(at, comma - at);
      int const number = detail::small_number(word);
      if (number >= 0 && number <= 4096 && !blocks) {
        stage.blocks = number, blocks = true;
      } else if (word == "all" && !stage.all_blocks) {
        stage.all_blocks = true;
      } else if (word == "table" && !stage.train_table) {
        stage.train_table = true;
      } else if (int const rank = word.substr(0, 4) == "lora" ? detail::small_number(word.substr(4)) : -1;
                 rank > 0 && stage.lora == o.lora) {
        stage.lora.rank = rank;
      } else {
        valid = false;
      }
      at = comma + 1;
    }
    check(
        valid, "parse_plan",
        "a plan must be stages joined by '+', such as 3+3+lora16+3: numbers of new blocks, loraR, table, or all (got '",
        stage_text, "' in '", text, "')");
    plan.push_back(stage);
    begin = end + 1;
  }
  return plan;
}

/// The text of a plan: "3+3+3", "3+3+all", "1,lora64".
inline std::string to_text(GrowthPlan const& plan) {
  std::string joined;
  for (Stage const& s : plan) {
    std::string stage;
    auto const add = [&](std::string const& part) { stage += (stage.empty() ? "" : ",") + part; };
    if (s.blocks > 0) add(std::to_string(s.blocks));
    if (s.all_blocks) add("all");
    if (s.lora.rank > 0) add("lora" + std::to_string(s.lora.rank));
    if (s.train_table) add("table");
    joined += (joined.empty() ? "" : "+") + stage;
  }
  return joined;
}

}  // namespace gt
