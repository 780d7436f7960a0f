// SPDX-License-Identifier: MIT
// White space and upper case agree with Python's str, code point by code point.
#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "gt/base/sha256.hpp"
#include "gt/eval/ngrams.hpp"
#include "gt/text/upper_case.hpp"
#include "gt/text/utf8.hpp"
#include "gt/text/white_space.hpp"

namespace text_test {

using Parts = std::vector<std::string_view>;

TEST_CASE("upper_case: every code point's is Python's") {
  // hashlib.sha256("".join(chr(c).upper() for c in range(0x110000) if not 0xD800 <= c < 0xE000).encode()), Python 3.11
  gt::Sha256 hash;
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (gt::utf8::is_scalar_value(c)) hash.update(gt::upper_case(gt::utf8::encode(c)));
  }
  CHECK(hash.hex() == "61a79e5ccd3ab390ab0a1ce8e213e949b2f65e5062a636e4c2e32eca4ab4e48f");
  CHECK(gt::upper_case("Straße, naïve Ёж, 中 \xFFz") == "STRASSE, NAÏVE ЁЖ, 中 \xFFZ");
}

TEST_CASE("white space: every code point's is Python's") {
  int count = 0;
  for (char32_t c = 0; c < 0x110000; ++c) count += gt::is_white_space(c) ? 1 : 0;
  CHECK(count == 29);  // sum(chr(c).isspace() for c in range(0x110000))
  for (char32_t const c : {0x09, 0x0D, 0x1C, 0x1F, 0x20, 0x85, 0xA0, 0x1680, 0x2000, 0x200A, 0x2028, 0x202F, 0x3000})
    CHECK(gt::is_white_space(c));
  for (char32_t const c : {0x08, 0x0E, 0x1B, 0x200B, 0x180E, 0xFEFF}) CHECK_FALSE(gt::is_white_space(c));
}

TEST_CASE("split, strip, strip_end: views between runs of white space of any kind") {
  CHECK(gt::split_at_white_space(" a\u3000\u00a0b \n c\u1680") == Parts{"a", "b", "c"});
  CHECK(gt::split_at_white_space("").empty());
  CHECK(gt::split_at_white_space(" \t\u2003").empty());
  CHECK(gt::split_at_white_space("\xE3\x80 x") == Parts{"\xE3\x80", "x"});  // cut off: no space
  CHECK(gt::strip(" \u3000a b\n") == "a b");
  CHECK(gt::strip(" \n") == "");
  CHECK(gt::strip_end(" a b\u00a0\n") == " a b");
  CHECK(gt::strip_end(" \n") == "");
}

TEST_CASE("ngrams: counted, clipped, by character") {
  auto const a = gt::count_ngrams(Parts{"a", "b", "a", "b", "a"}, 2, " ");
  CHECK(a == gt::NgramCounts{{"a b", 2}, {"b a", 2}});
  CHECK(gt::total_count(a) == 4);
  CHECK(gt::shared_count(a, {{"a b", 1}, {"b a", 5}, {"c", 1}}) == 3);
  CHECK(gt::count_ngrams(Parts{"a"}, 2, " ").empty());
  CHECK(gt::characters_of("aж中\xFF") == Parts{"a", "ж", "中", "\xFF"});
}

}  // namespace text_test
