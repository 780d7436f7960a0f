// SPDX-License-Identifier: MIT
// The table of ops: what stands in it, and its order.
#include "gt/report/profile_table.hpp"

#include <doctest/doctest.h>

#include <string>

namespace profile_table_test {

TEST_CASE("profile_table: one line an op, the longest first") {
  gt::ops::Profile profile;
  CHECK(gt::report::profile_table(profile).empty());
  profile.add("gelu", 0.25, {1e9, 2e9});
  profile.add("linear", 0.5, {60e9, 4e9});
  profile.add("linear", 0.25, {15e9, 2e9});
  CHECK(gt::report::profile_table(profile) ==
        "  op           time      calls    ms/call    GFLOP/s       GB/s\n"
        "  linear     75.0 %          2    375.000      100.0        8.0\n"
        "  gelu       25.0 %          1    250.000        4.0        8.0\n");
  CHECK(gt::report::profile_table(profile, 200e9) ==
        "  op           time      calls    ms/call    GFLOP/s       GB/s    of peak\n"
        "  linear     75.0 %          2    375.000      100.0        8.0       50 %\n"
        "  gelu       25.0 %          1    250.000        4.0        8.0        2 %\n");
}

}  // namespace profile_table_test
