// SPDX-License-Identifier: MIT
// UTF-8: every code point survives, everything else is malformed byte by byte, streams print whole characters.
#include "gt/text/utf8.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "gt/text/letters.hpp"
#include "text/support.hpp"

namespace utf8_test {

using namespace gt;
using namespace std::string_view_literals;

TEST_CASE("utf8: every scalar value goes through encode and decode") {
  bool good = true;
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    if (!utf8::is_scalar_value(c)) continue;
    std::string const text = utf8::encode(c);
    good = good && utf8::decode(text, 0) == utf8::Unit{c, static_cast<std::uint8_t>(text.size()), true};
    for (std::size_t cut = 1; cut < text.size(); ++cut)
      good = good && utf8::complete_prefix(std::string_view{text}.substr(0, cut)) == 0;
  }
  CHECK(good);
  CHECK(utf8::encode(0xD800) == "\xEF\xBF\xBD");
  CHECK(utf8::encode(0x110000) == "\xEF\xBF\xBD");
}

TEST_CASE("utf8: overlong forms, surrogates, values beyond U+10FFFF and stray bytes are malformed") {
  for (auto const text : {"\xC0\x80"sv, "\xC1\xBF"sv, "\xE0\x9F\xBF"sv, "\xF0\x8F\xBF\xBF"sv, "\xED\xA0\x80"sv,
                          "\xED\xBF\xBF"sv, "\xF4\x90\x80\x80"sv, "\xF5\x80\x80\x80"sv, "\xFF"sv, "\x80"sv}) {
    CAPTURE(text);
    CHECK(utf8::length(text) == text.size());
    CHECK_FALSE(utf8::is_valid(text));
    CHECK(utf8::complete_prefix(text) == text.size());
    for (utf8::Unit const unit : utf8::Units{text}) CHECK_FALSE(unit.valid);
  }
  CHECK(utf8::is_valid("naïve 你好 😀"));
  CHECK(utf8::length("a\xE4\xBD"
                     "b") == 4);
}

TEST_CASE("utf8: the units of any bytes put together are the bytes") {
  for (std::uint32_t stream = 0; stream < 50; ++stream) {
    std::string const text = test::noise(200, stream);
    std::string again;
    for (auto unit = utf8::Units{text}.begin(); unit != utf8::Units{text}.end(); ++unit)
      (*unit).valid ? utf8::append(again, (*unit).value) : again.push_back(static_cast<char>((*unit).value));
    CHECK(again == text);
  }
}

TEST_CASE("utf8_complete_prefix: only a character that may still be completed is held back") {
  CHECK(utf8::complete_prefix("") == 0);
  CHECK(utf8::complete_prefix("ab") == 2);
  CHECK(utf8::complete_prefix("a\xE2\x82") == 1);
  CHECK(utf8::complete_prefix("a\xE2\x82\xAC") == 4);
  CHECK(utf8::complete_prefix("a\xF0\x9F\x98") == 1);
  CHECK(utf8::complete_prefix("\xF0\x9F\x98\x80\xF0") == 4);
  CHECK(utf8::complete_prefix("a\xE2\x28") == 3);
  CHECK(utf8::complete_prefix("\x82\x82\x82") == 3);
}

TEST_CASE("replace_malformed: every malformed byte becomes U+FFFD, all else stays") {
  CHECK(gt::utf8::replace_malformed("") == "");
  CHECK(gt::utf8::replace_malformed("a\u00e9\U0001F600") == "a\u00e9\U0001F600");
  CHECK(gt::utf8::replace_malformed("a\xE2\x82z\xFF") == "a\uFFFD\uFFFDz\uFFFD");
}

TEST_CASE("run_class: words, ideographs and the rest") {
  for (char32_t const c : {U'a', U'Z', U'\'', U'’', U'é', U'ß', U'Ω', U'ж', U'ա', U'ש', U'ع', U'क', U'ไ', U'\u0301'})
    CHECK(utf8::run_class(c) == utf8::RunClass::letter);
  for (char32_t const c : {U'中', U'あ', U'ア', U'한', U'々', U'\U00020000'})
    CHECK(utf8::run_class(c) == utf8::RunClass::ideograph);
  for (char32_t const c : {U'0', U'.', U'-', U'_', U'"', U'×', U'÷', U'\t', U'\r', U'。', U'😀', U'\u00A0'})
    CHECK(utf8::run_class(c) == utf8::RunClass::none);
  CHECK(utf8::run_class(' ') == utf8::RunClass::space);
  CHECK(utf8::run_class('\n') == utf8::RunClass::newline);
}

}  // namespace utf8_test
