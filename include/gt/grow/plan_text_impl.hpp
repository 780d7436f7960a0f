// SPDX-License-Identifier: MIT
// What gt/grow/plan_text.hpp declares.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/grow/plan.hpp"
#include "gt/grow/plan_text.hpp"

namespace gt::inline GT_ABI {

GT_FN GrowthPlan parse_plan(std::string_view text, StageOptions o) {
  GrowthPlan plan;
  for (std::size_t begin = 0; begin <= text.size();) {
    std::size_t const end = std::min(text.find('+', begin), text.size());
    std::string_view const stage_text = text.substr(begin, end - begin);
    Stage stage = deepen(0, o);
    bool valid = true, blocks = false;
    for (std::size_t at = 0; at <= stage_text.size() && valid;) {
      std::size_t const comma = std::min(stage_text.find(',', at), stage_text.size());
      std::string_view const word = stage_text.substr(at, comma - at);
      int const number = growth::small_number(word);
      if (number >= 0 && number <= 4096 && !blocks) {
        stage.blocks = number, blocks = true;
      } else if (word == "all" && !stage.all_blocks) {
        stage.all_blocks = true;
      } else if (word == "table" && !stage.train_table) {
        stage.train_table = true;
      } else if (int const rank = word.substr(0, 4) == "lora" ? growth::small_number(word.substr(4)) : -1;
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

GT_FN std::string to_text(GrowthPlan const& plan) {
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
