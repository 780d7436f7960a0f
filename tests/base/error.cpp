// SPDX-License-Identifier: MIT
// The text of an error, and that a check which holds does nothing.
#include "gt/base/error.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <string_view>

namespace error_test {

TEST_CASE("Error: reads `gt: where: what`") {
  CHECK_THROWS_WITH_AS(gt::fail("Buffer", "size must be positive (got ", -3, "); hint"),
                       "gt: Buffer: size must be positive (got -3); hint", gt::Error);
  CHECK_THROWS_WITH_AS(gt::check(false, std::string{"rope"}, std::string{"T"}, std::string_view{" must be "}, 2u),
                       "gt: rope: T must be 2", gt::Error);
  CHECK_THROWS_AS(gt::fail("anywhere", "anything"), std::runtime_error);
}

TEST_CASE("Error: what it quotes breaks no line and commands no terminal") {
  CHECK_THROWS_WITH_AS(gt::fail("load", "'", std::string_view("a\n\x1b[2J\0\x7f é", 11), "' must be a name"),
                       "gt: load: 'a??[2J?? é' must be a name", gt::Error);
}

TEST_CASE("check: nothing is thrown when it holds") { CHECK_NOTHROW(gt::check(true, "where", "what")); }

TEST_CASE("text: joins texts and numbers") {
  CHECK(gt::text() == "");
  CHECK(gt::text("a", std::string{"b"}, std::string_view{"c"}, 1, 2ull) == "abc12");
}

}  // namespace error_test
