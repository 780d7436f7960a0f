// SPDX-License-Identifier: MIT
// Any bytes become markup that a strict reader accepts, and nothing else than text.
#include "gt/report/html.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "report/xml.hpp"

namespace html_test {

using gt::report::escape_markup, gt::report::visible_text;
using gt::test::Xml;
using namespace std::string_view_literals;

TEST_CASE("Xml, the reader of these tests, accepts what is well-formed and nothing else") {
  for (auto const good : {"<a/>", "<a b=\"1 &gt; 0\">x &amp; y<b/></a>\n", "<!DOCTYPE html>\n<html>é</html>"}) {
    CAPTURE(good);
    CHECK(Xml(good).error() == "");
  }
  for (auto const bad : {"", "a", "<a>", "</a>", "<a></b>", "<a/><b/>", "<a/>text", "<a b/>", "<a b=1/>",
                         "<a b=\"1\" b=\"2\"/>", "<a b=\"<\"/>", "<a>&nbsp;</a>", "<a>& </a>", "<a>]]></a>",
                         "<a>\x01</a>", "<a>\xFF</a>", "<a b=\"/>", "<a>\xEF\xBF\xBF</a>", "<1/>"}) {
    CAPTURE(bad);
    CHECK(Xml(bad).error() != "");
  }
}

TEST_CASE("escape_markup: markup becomes text, what is forbidden becomes U+FFFD, line ends become newlines") {
  CHECK(escape_markup("</script><!-- & \"quoted\" 'x'") ==
        "&lt;/script&gt;&lt;!-- &amp; &quot;quoted&quot; &#39;x&#39;");
  CHECK(escape_markup("\ta\nb\r\nc\rd") == "\ta\nb\nc\nd");
  CHECK(escape_markup("a\0b\x1B\x7F"sv) == "a\uFFFDb\uFFFD\uFFFD");
  CHECK(escape_markup("\xE2\x82|\xC0\xAF|\xED\xA0\x80") == "\uFFFD\uFFFD|\uFFFD\uFFFD|\uFFFD\uFFFD\uFFFD");
  CHECK(escape_markup("\xC2\x85\xEF\xBF\xBE\xF0\x9F\xBF\xBF") == "\uFFFD\uFFFD\uFFFD");  // U+0085, U+FFFE, U+1FFFF
  CHECK(escape_markup("née 漢 😀") == "née 漢 😀");
  CHECK(escape_markup("").empty());
}

TEST_CASE("escape_markup: every byte and every pair of bytes is well-formed as text and as an attribute") {
  for (int a = 0; a < 256; ++a) {
    std::string bytes;
    for (int b = 0; b < 256; ++b) bytes += {static_cast<char>(a), static_cast<char>(b)};
    std::string const markup = escape_markup(bytes);
    CHECK(Xml("<a b=\"" + markup + "\">" + markup + "</a>").error() == "");
  }
}

TEST_CASE("visible_text: what cannot be seen is written out, all else stays") {
  CHECK(visible_text(" a\n\tb") == "␣a↵⇥b");
  CHECK(visible_text("\0\x1B\x7F"sv) == "␀␛␡");
  CHECK(visible_text("\xE2\x82") == "\\xE2\\x82");
  CHECK(visible_text("\u00A0\u00AD\u200B\u202E\uFEFF") == "U+00A0U+00ADU+200BU+202EU+FEFF");
  CHECK(visible_text("née 漢<&") == "née␣漢<&");
}

TEST_CASE("tables, figures and sections: cells and captions are text, each column heads what is below it") {
  gt::report::HtmlTable const table{
      .caption = "a \"b\"", .head = {"stage", "<loss>"}, .rows = {{"1", "2 & 3"}, {"2", "</td>"}}};
  Xml const xml(gt::report::html_section(
      "A & B", gt::report::to_html(table, "x < y") + gt::report::html_figure("<svg/>", "<caption>")));
  REQUIRE(xml.error() == "");
  CHECK(xml.all("h2")[0].text == "A & B");
  CHECK(xml.all("div")[0].attributes.at("aria-label") == "a \"b\"");
  REQUIRE(xml.all("tr").size() == 3);
  CHECK(xml.all("tr")[0].text == "stage<loss>");
  CHECK(xml.all("tr")[2].text == "2</td>");
  CHECK(xml.all("td").size() == 2);
  CHECK(xml.all("figcaption")[0].text == "x < y");
  CHECK(xml.all("figcaption")[1].text == "<caption>");
}

}  // namespace html_test
