// SPDX-License-Identifier: MIT
// Any text as a growth plan: a plan that is read is written and read again as the same plan.
#include "gt/grow/plan_text.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

#include "fuzz.hpp"

using namespace gt;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  auto const input = fuzz::text_of(data, size);
  GrowthPlan plan;
  if (!fuzz::accepts(size, {}, [&] { plan = parse_plan(input); })) return 0;
  fuzz::require(!plan.empty() && plan.size() <= GrowthPlan::capacity, "a plan must have 1 to 64 stages");
  fuzz::require(plan.depth() >= 0 && plan.depth() <= 64 * 4096, "a stage must add at most 4,096 blocks");
  fuzz::require(parse_plan(to_text(plan)) == plan, "what is written must read the same");
  return 0;
}
