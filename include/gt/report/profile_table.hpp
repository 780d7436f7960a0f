// SPDX-License-Identifier: MIT
// Where the time of a run went, op by op, as a table for a terminal.
#pragma once

#include <string>

#include "gt/core/profile.hpp"
#include "gt/report/plot_scale.hpp"

namespace gt::inline GT_ABI::report {

/// One line an op, the longest first: its share of the time in ops, milliseconds a call, GFLOP/s, GB/s of operands and
/// results, and GFLOP/s as a share of `peak_flops` (0: left out). Empty where nothing was measured.
///
///     gt::ops::Profile profile;
///     gt::Trainer trainer(gt::Cpu<>{}.profiled(profile), model, {.batch = 8, .tokens = 256});
///     for (...) trainer.step(ids, targets, 1e-3);
///     std::cout << gt::report::profile_table(profile);
std::string profile_table(ops::Profile const& profile, double peak_flops = 0);

}  // namespace gt::report

#if !defined(GT_PREBUILT)
  #include "gt/report/profile_table_impl.hpp"
#endif
