// SPDX-License-Identifier: MIT
// How much of the held-out text a run looks at: a twentieth of its work, or as much as was asked for.
#include "gt/grow/held_out.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace held_out_test {

using gt::deepen, gt::GrowOptions, gt::GrowthPlan, gt::growth::held_out_looks;

namespace {

constexpr gt::BlockConfig block{.d_model = 128, .heads = 4};
constexpr gt::ModelSize size{.vocab = 1024, .table_width = 128};
constexpr gt::BatchShape shape{16, 128};
GrowOptions of(std::int64_t tokens) { return {.batch = 16, .context = 128, .tokens_per_stage = tokens}; }

/// The looks of a stage as a share of its steps, which a prefix cache may have made cheap.
double share(GrowthPlan const& plan, std::size_t stage, GrowOptions const& options, gt::growth::HeldOutLooks looks) {
  auto const rows = shape.rows();
  auto const batches = [&](std::int64_t tokens) { return static_cast<double>((tokens + rows - 1) / rows * rows); };
  double const C = 128, T = 128, forward = 2 * (12 * C * C + T * C);
  double const steps = static_cast<double>(plan.steps(stage, options.tokens_per_stage, shape));
  double const work =
      steps * (plan.step_flops(stage, block, size, shape) - plan.lowest(stage) * forward * static_cast<double>(rows));
  double const between = static_cast<double>((plan.steps(stage, options.tokens_per_stage, shape) - 1) / 50);
  return (2 * batches(looks.tokens) + between * batches(looks.between)) * (plan.depth(stage) * forward + 2 * C * 1024) /
         work;
}

}  // namespace

TEST_CASE("held_out_looks: all looks of a stage take at most a twentieth of its steps, and not much less") {
  GrowthPlan const plan{deepen(2), deepen(2), deepen(2, {.tokens = 2}), gt::finetune()};
  for (std::int64_t const tokens : {1'000'000, 3'000'000, 30'000'000}) {
    CAPTURE(tokens);
    auto const options = of(tokens);
    auto const looks = held_out_looks(plan, block, size, shape, options, 100'000'000);
    CHECK(looks.tokens % shape.rows() == 0);
    CHECK(looks.between == std::min<std::int64_t>(looks.tokens, 10'240));
    double most = 0;
    for (std::size_t stage = 0; stage < plan.size(); ++stage) most = std::max(most, share(plan, stage, options, looks));
    CHECK(most <= 0.05);
    CHECK(most > 0.025);
  }
}

TEST_CASE("held_out_looks: a short text is read whole, and never fewer tokens than tell something") {
  GrowthPlan const plan{deepen(2)};
  auto const all = held_out_looks(plan, block, size, shape, of(100'000'000), 80'000);
  CHECK((all.tokens == 80'000 && all.between == 10'240 && all.there == 80'000));
  CHECK(held_out_looks(plan, block, size, shape, of(1), 80'000).tokens == 2048);
  CHECK(held_out_looks(plan, block, size, shape, of(1), 500).tokens == 500);
  CHECK(held_out_looks(plan, block, size, {64, 128}, of(1), 80'000).tokens == 64 * 128);
}

TEST_CASE("held_out_looks: as many as were asked for") {
  GrowthPlan const plan{deepen(2)};
  auto options = of(1);
  options.held_out_tokens = 30'000;
  auto looks = held_out_looks(plan, block, size, shape, options, 80'000);
  CHECK((looks.tokens == 30'000 && looks.between == 10'240));
  options.evaluation_tokens = 0;  // as many in between
  looks = held_out_looks(plan, block, size, shape, options, 80'000);
  CHECK((looks.tokens == 30'000 && looks.between == 30'000));
  options.held_out_tokens = gt::all_held_out;
  CHECK(held_out_looks(plan, block, size, shape, options, 80'000).tokens == 80'000);
}

}  // namespace held_out_test
