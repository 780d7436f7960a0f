// SPDX-License-Identifier: MIT
// Regular expressions of module names: what Python's re says of them, and no pattern that takes long.
#include "gt/formats/peft/name_pattern.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "io/support.hpp"

namespace name_pattern_test {

using gt::test::error_of, gt::test::has;

TEST_CASE("NamePattern: matches whole names as Python's re.fullmatch, and takes long for none") {
  auto const matches = [](std::string const& pattern, std::string const& name) {
    return gt::detail::NamePattern(pattern, "a").matches(name);
  };
  struct Case {
    char const *pattern, *yes, *no;
  };
  for (auto const& c : std::vector<Case>{{"abc", "abc", "abcd"},
                                         {"a.c", "axc", "a\nc"},
                                         {"a\\.c", "a.c", "axc"},
                                         {"a*", "aaa", "aab"},
                                         {"a+b", "aab", "b"},
                                         {"a?b", "b", "aab"},
                                         {"(a|bc|)d", "bcd", "abcd"},
                                         {"(?:a|b)*c", "ababc", "abab"},
                                         {"(?P<n>ab)+", "abab", "aba"},
                                         {"[a-c]x[^a-c]", "bxd", "bxa"},
                                         {"[]a]+", "]a", "b"},
                                         {"[a-]+", "a-a", "b"},
                                         {"\\d+\\w\\s", "12_ ", "x_ "},
                                         {"\\D\\W\\S", "a.b", "1ab"},
                                         {"a{2}", "aa", "aaa"},
                                         {"a{2,}", "aaaa", "a"},
                                         {"a{,2}b", "aab", "aaab"},
                                         {"a{1,3}", "aaa", "aaaa"},
                                         {"(ab){0}c", "c", "abc"},
                                         {"^a$", "a", "aa"},
                                         {"(a*)*b", "aab", "aac"},
                                         {"a{", "a{", "a"},
                                         {".*\\bx_y\\b", "a.x_y", "ax_y"},
                                         {".*?x", "aax", "aaxa"}}) {
    CAPTURE(c.pattern);
    CHECK(matches(c.pattern, c.yes));
    CHECK(!matches(c.pattern, c.no));
  }
  CHECK(!matches("(a*)*(a*)*(a*)*b", std::string(2000, 'a')));
  for (std::string const wrong : {"(", ")", "a)", "[", "[a", "[b-a]", "*a", "a**", "a|*", "\\", "\\B", "\\1", "(?=a)",
                                  "(?i)a", "a{3,2}", "a{2", "a{999}{999}", "((a{50}){50}){50}", "(?P<a"}) {
    CAPTURE(wrong);
    CHECK(has(error_of([&] { matches(wrong, "a"); }), "gt: a: a pattern must be a regular expression that gt reads"));
  }
  CHECK(has(error_of([&] { matches(std::string(100, '('), "a"); }), "more than 32 groups inside each other"));
}

}  // namespace name_pattern_test
