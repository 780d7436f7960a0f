// SPDX-License-Identifier: MIT
// What including the library may cost, and how a compiler's run is turned into a number that two machines agree on.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace gt::compile_cost {

/// What a header may cost: seconds of one translation unit at -O2, where the reference takes `reference_seconds`.
struct Budget {
  std::string_view beginning;  ///< of the name, below include/gt/
  double seconds;
};
/// The budgets of the design, all of them; of those that begin a name the first counts.
inline constexpr std::array budgets{
    Budget{"base/", 0.5},
    Budget{"core/", 0.5},
    Budget{"gt.hpp with gt::prebuilt", 1.8},
    Budget{"gt.hpp", 4.0},
    Budget{"program of 2 blocks with gt::prebuilt", 7.2},
};
inline constexpr std::string_view reference = "Eigen/Core";
inline constexpr double reference_seconds = 1.2;        ///< on the machine that the budgets were written for
inline constexpr int few_blocks = 2, many_blocks = 48;  ///< a model of either compiles in the same time and memory
inline constexpr double margin = 1.5;                   ///< a check fails when a budget is exceeded by half

/// 0 where there is none.
constexpr double budget_of(std::string_view header) {
  for (Budget const& b : budgets)
    if (header.starts_with(b.beginning)) return b.seconds;
  return 0;
}

/// The runs of a compiler on one translation unit.
struct Runs {
  double fastest = 0, slowest = 0;  ///< user and system CPU seconds of the compiler and all it started
  double mebibytes = 0;             ///< the most memory that it held
  int count = 0;

  constexpr void add(double seconds, double memory) {
    fastest = count == 0 ? seconds : std::min(fastest, seconds);
    slowest = std::max(slowest, seconds);
    mebibytes = std::max(mebibytes, memory);
    ++count;
  }
};

/// One translation unit beside another, as multiples of it.
///
/// Seconds differ from machine to machine, and on a shared one by half from minute to minute: so they count as a
/// multiple of the reference, measured in between, and a check asks for `time_at_least`, the fastest run beside the
/// slowest of the reference: noise may excuse a header, not accuse it. Memory repeats to a hundredth and grows with
/// what the compiler reads and instantiates; less what an empty file takes, it puts small headers at the same multiples
/// of the reference as time does, by g++ and by clang, and large ones a quarter lower. A count of templates would say
/// no more, and each compiler counts another thing.
struct Cost {
  double time, time_at_least, memory;
};
constexpr Cost relative(Runs const& unit, Runs const& beside, Runs const& empty) {
  return {unit.fastest / beside.fastest, unit.fastest / beside.slowest,
          std::max(0.0, unit.mebibytes - empty.mebibytes) / (beside.mebibytes - empty.mebibytes)};
}

static_assert(budget_of("core/view.hpp") == 0.5 && budget_of("nn/block.hpp") == 0);
static_assert(relative({3, 4, 50, 2}, {1, 2, 30, 2}, {0, 0, 20, 2}).time_at_least == 1.5);
static_assert(relative({3, 4, 50, 2}, {1, 2, 30, 2}, {0, 0, 20, 2}).memory == 3);

}  // namespace gt::compile_cost
