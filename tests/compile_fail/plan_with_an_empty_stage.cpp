// expect: non-[^a-z]*constexpr[^a-z]* function .*fail
#include "gt/grow/plan.hpp"

constexpr gt::GrowthPlan plan{gt::deepen(3), gt::deepen(0)};
