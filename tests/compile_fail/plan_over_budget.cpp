// expect: four million parameters at once
#include "gt/grow/plan.hpp"

constexpr gt::BlockConfig block{.d_model = 256, .heads = 8};
constexpr gt::GrowthPlan plan{gt::deepen(3), gt::deepen(6), gt::deepen(3)};
static_assert(plan.active_parameters(block, 4096) <= 4'000'000,
              "a stage trains more than four million parameters at once");
