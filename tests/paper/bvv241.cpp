// SPDX-License-Identifier: MIT
// The author's tokenizers: equal to his, id by id; and the sentence for each file that is not his.
#include "gt/paper/bvv241.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gt/io/json.hpp"
#include "gt/text/tokenizer_json.hpp"
#include "support/bvv241.hpp"
#include "text/support.hpp"

namespace bvv241_test {

using namespace gt;
using test::error_of, test::has;

namespace {

Json golden(std::string const& folder) { return parse_json(read_text_file(folder + "golden.json"), "golden.json"); }

void check_golden(Tokenizer const& tokenizer, Json const& expected) {
  CHECK(tokenizer.size() == expected["vocab_size"].get<std::int64_t>());
  CHECK(static_cast<std::int64_t>(tokenizer.merges().size()) == expected["merges"].get<std::int64_t>());
  CHECK(expected["ids"].size() == 158);
  for (auto const& item : expected["ids"].items()) {
    CAPTURE(item.first);
    CHECK(tokenizer.id(item.first) == item.second.get<std::int32_t>());
  }
  CHECK(expected["encode"].size() == 30);
  for (Json const& sample : expected["encode"]) {
    auto const text = sample["text"].get<std::string>();
    CAPTURE(text);
    auto const ids = sample["ids"].get<std::vector<std::int32_t>>();
    CHECK(tokenizer.encode_with_specials(text) == ids);
    if (!has(text, "😀")) CHECK(tokenizer.decode(ids) == text);
  }
}

/// N-grams that the encoder never makes, not even of their own text.
std::int64_t never_made(Tokenizer const& tokenizer) {
  std::int64_t count = 0;
  for (std::int32_t id = 0; id < tokenizer.size(); ++id)
    count += tokenizer.vocabulary().kind(id) == TokenKind::ngram && tokenizer.encode(tokenizer.token(id)).size() != 1;
  return count;
}

/// One language in the format of the lists.
std::string list(std::string_view two, std::string_view three) {
  return text("[{'lang': 'en', 'language_name': 'English', 'top_ngrams': {2: [", two, "], 3: [", three, "]}}]");
}
std::vector<std::string> read(std::string const& contents, detail::NgramSelection selection = {}) {
  return detail::NgramReader(contents, "n.txt").read(selection);
}

}  // namespace

TEST_CASE("bvv241-2-3: vocabulary, merges, ids and encodings equal the author's") {
  auto const folder = test::bvv241_folder();
  if (folder.empty()) return;
  auto const tokenizer = bvv241_2_3(folder + "_n-gramms-2-3.txt");
  check_golden(tokenizer, golden(folder)["2-3"]);
  CHECK(never_made(tokenizer) == 158);
  CHECK(tokenizer.unknown() == 57347);
  CHECK(tokenizer.token(0xE017) == "<special_token_57367>");
  CHECK(tokenizer.token(0xF8F0) != "<unused_63728>");  // the last n-gram
  for (std::int32_t id = 0xF8F1; id <= 0xF8FF; ++id) CHECK(tokenizer.vocabulary().kind(id) == TokenKind::unused);
  CHECK(tokenizer.token(0xFFFF) == "<unused_65535>");

  test::TemporaryFolder const here;
  tokenizer.save(here / "tokenizer.json");
  auto const again = Tokenizer::load(here / "tokenizer.json");
  CHECK(again.fingerprint() == tokenizer.fingerprint());
  check_golden(again, golden(folder)["2-3"]);
}

TEST_CASE("bvv241-max: vocabulary, merges, ids and encodings equal the author's") {
  auto const folder = test::bvv241_folder();
  if (folder.empty()) return;
  auto const tokenizer = bvv241_max(folder + "_n-gramms-2-3-4-5.txt", folder + "_n-gramms-intersection.txt");
  check_golden(tokenizer, golden(folder)["max"]);
  CHECK(never_made(tokenizer) == 3206);
  CHECK(tokenizer.vocabulary().kind(0x1FFFE) == TokenKind::ngram);
  CHECK(tokenizer.token(0x1FFFF) == "<unused_131071>");

  test::TemporaryFolder const here;
  tokenizer.save(here / "tokenizer.json");
  CHECK(Tokenizer::load(here / "tokenizer.json").fingerprint() == tokenizer.fingerprint());
}

TEST_CASE("bvv241: other n-gram files than the author's are refused") {
  auto const folder = test::bvv241_folder();
  if (folder.empty()) return;
  auto const two_three = folder + "_n-gramms-2-3.txt", five = folder + "_n-gramms-2-3-4-5.txt";
  auto const intersection = folder + "_n-gramms-intersection.txt";
  CHECK(has(error_of([&] { bvv241_2_3(intersection); }), "line 2, column 1: a [ must stand here (got '.email')"));
  CHECK(has(error_of([&] { bvv241_max(two_three, intersection); }), "must have n-grams of 2 to 5 characters"));
  CHECK(has(error_of([&] { bvv241_max(five, five); }), "line 1: must be one n-gram without blanks (got '[{'lang'"));
}

TEST_CASE("bvv241: the layout of ids, on n-grams of our own") {
  auto const order = detail::in_placement_order({"th", "he", "the", "é€", "th", "ab", "ё中文", "zz"});
  CHECK(order == std::vector<std::string>{"the", "ё中文", "ab", "he", "th", "zz", "é€"});
  auto const tokenizer = detail::bvv241_tokenizer(order, 65536);
  REQUIRE(tokenizer.size() == 65536);
  for (std::size_t i = 0; i < order.size(); ++i) CHECK(tokenizer.id(order[i]) == 0xD800 + static_cast<std::int32_t>(i));
  CHECK(tokenizer.token(0xD807) == "<unused_55303>");
  CHECK(tokenizer.token(0xE000) == "<pad>");
  CHECK(tokenizer.token(0xE016) == "[FILE_SEP]");
  CHECK(tokenizer.token(0xE0FF) == "<special_token_57599>");
  CHECK(tokenizer.token(0xE100) == "<unused_57600>");
  CHECK(tokenizer.bos() == 0xE001);
  CHECK(tokenizer.eos() == 0xE002);
  std::int64_t characters = 0;
  for (std::int32_t id = 0; id < 65536; ++id)
    if (tokenizer.vocabulary().kind(id) == TokenKind::character) {
      ++characters;
      CHECK(utf8::decode(tokenizer.token(id), 0).value == static_cast<char32_t>(id));
    }
  CHECK(characters == 57087);
  using Ids = std::vector<std::int32_t>;
  CHECK(tokenizer.encode("thethab") == Ids{0xD800, 0xD804, 0xD802});
  CHECK(tokenizer.encode("the\xFF\uE000😀") == Ids{0xD800, 57347, 57347, 57347});
  CHECK(tokenizer.encode_with_specials("[INST]<s<pad>") == Ids{0xE00C, '<', 's', 0xE000});
  CHECK(tokenizer.encode("<pad>") == Ids{'<', 'p', 'a', 'd', '>'});
}

TEST_CASE("bvv241: lists are read as Python writes them") {
  using Strings = std::vector<std::string>;
  CHECK(read(list("('th', 9), (\"'s\", 9), ('\\u200ca', 1)", "('\\\\x\"', 3)")) ==
        Strings{"th", "'s", "\u200Ca", "\\x\""});
  CHECK(read(list("('\\'\\n', 9), ('\\t\\r', 8), ('\\xe9\\U0001F600', 7)", "")) == Strings{"'\n", "\t\r", "é😀"});
  CHECK(read(list("('ab', 3), ('cd', 2), ('ef', 1),", "('abc', 3),\n ('bcd', 2)"), {.longest = 3, .top = 2}) ==
        Strings{"ab", "cd", "abc", "bcd"});
  CHECK(read(list("('ab', 3)", "('abc', 1)"), {.longest = 2, .top = 2}) == Strings{"ab"});
  CHECK(detail::read_ngram_lines("\nab\nc\n\"))", "i.txt") == Strings{"ab", "\"))"});
}

TEST_CASE("bvv241: a file of another format is refused in one sentence with line and column") {
  auto const said = [](std::string const& contents) {
    auto error = error_of([&] { read(contents); });
    CHECK(has(error, "gt: bvv241: 'n.txt', line "));
    CHECK(has(error, "; the file is in the repositories AVBochkov/PGT and AVBochkov/Embeddings on GitHub"));
    return error;
  };
  CHECK(said("th 100\nhe 90\n") ==
        "gt: bvv241: 'n.txt', line 1, column 1: a [ must stand here (got 'th 100'); the file is in the repositories "
        "AVBochkov/PGT and AVBochkov/Embeddings on GitHub");
  CHECK(has(said("\n [{'lang': 'en'\n  'x'}]"), "line 3, column 3: a , or } must stand here (got ''x'}]')"));
  CHECK(has(said("[{'lang': 'en'}]"), "must have n-grams of 2 to 3 characters"));
  CHECK(has(said(list("('th', 9, 1)", "")), "a ) must stand here (got ', 1)"));
  CHECK(has(said(list("('th')", "")), "a , must stand here"));
  CHECK(has(said(list("('é', 9)", "")), "an n-gram of 2 characters must stand before this place (got ', 9)"));
  CHECK(has(said(list("('th', 1), ('he', 2)", "")), "must not rise"));
  for (std::string const count : {"-1", "0", "x", "", "99999999999999999999"})
    CHECK(has(said(list("('th', " + count + ")", "")), "a number from 1 to 2^63 - 1 must stand here"));
  CHECK(has(said(list("('th', 1.5)", "")), "a ) must stand here (got '.5)"));
  CHECK(has(said(list("(th, 1)", "")), "a string in quotes must stand here"));
  CHECK(has(said(list("('th\n', 1)", "")), "a ' must end the string (got the end of the line)"));
  for (std::string const escape : {"\\q", "\\x1", "\\uD800", "\\U00110000", "\\u12G4"})
    CHECK(has(said(list("('" + escape + "', 1)", "")), "an escape must be"));
  CHECK(has(said(list("", "") + " []"), "nothing may follow the last ]"));
  CHECK(has(said("[]x"), "nothing may follow"));
  std::string const whole = list("('th', 9), ('\\u200ca', 1)", "('the', 3)");
  for (std::size_t cut = 0; cut < whole.size(); ++cut) said(whole.substr(0, cut));
  CHECK(has(error_of([] { detail::read_ngram_lines("ab\ncd ef\n", "i.txt"); }),
            "'i.txt', line 2: must be one n-gram without blanks (got 'cd ef')"));
}

TEST_CASE("bvv241: a missing, empty, malformed or short file") {
  test::TemporaryFolder const here;
  auto const said = [](std::string const& path) {
    auto error = error_of([&] { bvv241_2_3(path); });
    CHECK(has(error, path));
    CHECK(has(error, "; the file is in the repositories AVBochkov/PGT and AVBochkov/Embeddings on GitHub"));
    return error;
  };
  CHECK(has(said(here / "none.txt"), "No such file"));
  test::put(here / "empty.txt", "");
  CHECK(has(said(here / "empty.txt"), "must hold n-grams (got an empty file)"));
  test::put(here / "latin1.txt", "[\n{'lang': '\xE9'}]");
  CHECK(has(said(here / "latin1.txt"), "line 2: must be UTF-8"));
  test::put(here / "short.txt", list("('th', 9), ('he', 1)", "('the', 3)"));
  CHECK(has(said(here / "short.txt"), "must give the 8177 different n-grams of bvv241-2-3 (got 3)"));
  CHECK(has(error_of([&] { bvv241_max(here / "none.txt", here / "empty.txt"); }), "none.txt"));
}

TEST_CASE("bvv241: a megabyte is encoded in time, whatever it holds") {
  auto const tokenizer = detail::bvv241_tokenizer(detail::in_placement_order({"aa", "aaa", "<<"}), 65536);
  CHECK(tokenizer.encode_with_specials(std::string(1'000'001, 'a')).size() == 333'334);
  CHECK(tokenizer.encode_with_specials(std::string(1'000'000, '<')).size() == 500'000);
}

}  // namespace bvv241_test
