// SPDX-License-Identifier: MIT
// Numbers and times for people.
#include "gt/base/format.hpp"

#include <doctest/doctest.h>

namespace format_test {

using gt::decimals, gt::shortest, gt::short_number, gt::short_time;

TEST_CASE("decimals, shortest: a point in every locale, no minus at zero, no more digits than asked or needed") {
  CHECK(decimals(-0.0001, 2) == "0.00");
  CHECK(decimals(-1.005, 1) == "-1.0");
  CHECK(decimals(1e300, 0).size() == 301);
  CHECK(shortest(0.1) == "0.1");
  CHECK(shortest(1.0 / 3) == "0.3333333333333333");
  CHECK(shortest(1e-5) == "1e-05");
}

TEST_CASE("numbers and times are short") {
  CHECK(short_number(0) == "0");
  CHECK(short_number(999) == "999");
  CHECK(short_number(1000) == "1.00k");
  CHECK(short_number(12'345) == "12.3k");
  CHECK(short_number(123'456) == "123k");
  CHECK(short_number(4.56e6) == "4.56M");
  CHECK(short_number(1.2e13, "B") == "12.0 TB");
  CHECK(short_number(12, "B") == "12 B");
  CHECK(short_time(0) == "0 s");
  CHECK(short_time(59.4) == "59 s");
  CHECK(short_time(59.6) == "1 min 00 s");
  CHECK(short_time(125) == "2 min 05 s");
  CHECK(short_time(3599.6) == "1 h 00 min");
  CHECK(short_time(4800) == "1 h 20 min");
}

}  // namespace format_test
