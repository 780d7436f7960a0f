// SPDX-License-Identifier: MIT
// tokenizer.json: what we write we read, and what we cannot express we refuse.
#include "gt/text/tokenizer_json.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/growth.hpp"
#include "text/support.hpp"

namespace tokenizer_json_test {

using namespace gt;
using test::error_of, test::has;

namespace {

/// A small file as other programs write it, with one part replaced.
std::string file(std::string_view from = "", std::string_view to = "") {
  std::string json = R"({"version": "1.0", "truncation": null, "padding": null,
    "added_tokens": [{"id": 3, "content": "<unk>", "single_word": false, "lstrip": false, "rstrip": false,
                      "normalized": true, "special": true}],
    "normalizer": null, "pre_tokenizer": null, "post_processor": null, "decoder": null,
    "model": {"type": "BPE", "dropout": null, "unk_token": "<unk>", "fuse_unk": false, "byte_fallback": false,
              "vocab": {"b": 1, "a": 0, "ab": 2, "<unk>": 3}, "merges": ["a b"]}})";
  if (!from.empty()) {
    auto const at = json.find(from);
    REQUIRE(at != json.npos);
    json.replace(at, from.size(), to);
  }
  return json;
}

Tokenizer parsed(std::string const& json) { return TokenizerJson::parse(json, "t.json"); }
std::string refusal(std::string_view from, std::string_view to) {
  std::string const error = error_of([&] { parsed(file(from, to)); });
  CHECK(has(error, "gt: Tokenizer::load: 't.json'"));
  return error;
}

}  // namespace

TEST_CASE("tokenizer.json: save and load give the same tokenizer") {
  test::TemporaryFolder const folder;
  auto const tokenizer =
      Tokenizer::build(Corpus::from_text(test::prose(2000) + "\"\\\t\r\x01\x7F"), {.vocab_size = 1200});
  tokenizer.save(folder / "tokenizer.json");
  auto const again = Tokenizer::load(folder / "tokenizer.json");
  CHECK(again.fingerprint() == tokenizer.fingerprint());
  CHECK(again.tokens() == tokenizer.tokens());
  CHECK(again.bos() == tokenizer.bos());
  std::string const text = test::prose(300, 5) + test::noise(300, 5);
  CHECK(again.encode(text) == tokenizer.encode(text));
  CHECK(has(error_of([&] { Tokenizer::load(folder / "none.json"); }), "none.json"));
}

TEST_CASE("tokenizer.json: files of other programs") {
  auto const tokenizer = parsed(file());
  CHECK(tokenizer.encode("abcb") == std::vector{2, 3, 1});
  CHECK(tokenizer.encode_with_specials("a<unk>") == std::vector{0, 3});
  CHECK(tokenizer.unknown() == 3);
  CHECK(parsed(TokenizerJson::write(tokenizer)).fingerprint() == tokenizer.fingerprint());
  CHECK(parsed(file(R"("a b")", R"(["a", "b"])")).fingerprint() == tokenizer.fingerprint());
  CHECK(parsed(file(R"("dropout": null)", R"("dropout": 0.0)")).fingerprint() == tokenizer.fingerprint());
  CHECK(parsed(file(R"(, "<unk>": 3)", "")).fingerprint() == tokenizer.fingerprint());  // an added token only
  CHECK(parsed(file(R"("decoder": null)", R"("decoder": {"type": "Fuse"})")).fingerprint() == tokenizer.fingerprint());
  CHECK(has(error_of([&] { parsed(file(R"("unk_token": "<unk>")", R"("unk_token": null)")).encode("c"); }), "'c'"));
}

TEST_CASE("tokenizer.json: reading takes as long as the vocabulary is large") {
  auto const read = [](int size) {
    Vocabulary vocabulary;
    for (int byte = 0; byte < 256; ++byte)
      vocabulary.add(byte_token(static_cast<unsigned char>(byte)), TokenKind::byte);
    while (vocabulary.size() < size) vocabulary.add(text("<unused_", vocabulary.size(), ">"), TokenKind::unused);
    return [json = TokenizerJson::write(Tokenizer(std::move(vocabulary), {})), size] {
      REQUIRE(parsed(json).size() == size);
    };
  };
  CHECK(test::growth_by_sixteen(read, 1500) < test::at_most_linear);
}

TEST_CASE("tokenizer.json: what changes no id is read over") {
  auto const plain = parsed(file()).fingerprint();
  auto const with = [&](std::string const& key, std::string const& value) {
    return parsed(file("\"" + key + "\": null", "\"" + key + "\": " + value)).fingerprint();
  };
  std::string const sequence = R"({"Sequence": {"id": "A", "type_id": 0}})";  // as transformers 5 saves what has none
  CHECK(with("post_processor", R"({"type": "TemplateProcessing", "single": [)" + sequence + R"(], "pair": [)" +
                                   sequence + R"(, {"Sequence": {"id": "B", "type_id": 1}}], "special_tokens": {}})") ==
        plain);
  CHECK(with("post_processor", R"({"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": false})") == plain);
  CHECK(with("post_processor", R"({"type": "Sequence", "processors": []})") == plain);
  CHECK(with("normalizer", R"({"type": "Sequence", "normalizers": []})") == plain);
  CHECK(with("normalizer", R"({"type": "Sequence", "normalizers": [{"type": "Sequence", "normalizers": []}]})") ==
        plain);
  CHECK(with("normalizer", R"({"type": "Strip", "strip_left": false, "strip_right": false})") == plain);
  CHECK(with("pre_tokenizer", R"({"type": "Sequence", "pretokenizers": []})") == plain);
  CHECK(with("padding", R"({"strategy": "BatchLongest", "direction": "Right", "pad_to_multiple_of": null,
                            "pad_id": 3, "pad_type_id": 0, "pad_token": "<unk>"})") == plain);

  auto const refuses = [&](std::string const& key, std::string const& value) {
    CHECK(has(refusal("\"" + key + "\": null", "\"" + key + "\": " + value), key + " must be null (got "));
  };
  refuses("post_processor",
          R"({"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<unk>", "type_id": 0}}, )" + sequence +
              "]}");
  refuses("post_processor", R"({"type": "TemplateProcessing", "single": [)" + sequence + ", " + sequence + "]}");
  refuses("post_processor", R"({"type": "TemplateProcessing", "single": []})");
  refuses("post_processor", R"({"type": "TemplateProcessing"})");
  refuses("post_processor", R"({"type": "RobertaProcessing"})");
  refuses("normalizer", R"({"type": "Sequence", "normalizers": [{"type": "NFC"}]})");
  refuses("normalizer", R"({"type": "Strip", "strip_left": false, "strip_right": true})");
  refuses("pre_tokenizer", R"({"type": "Sequence", "pretokenizers": [{"type": "ByteLevel"}]})");
  refuses("pre_tokenizer", R"({"type": "ByteLevel"})");
  refuses("padding", R"({"strategy": {"Fixed": 8}, "pad_to_multiple_of": null})");
  refuses("padding", R"({"strategy": "BatchLongest", "pad_to_multiple_of": 8})");
}

TEST_CASE("tokenizer.json: what cannot be expressed is refused in one sentence") {
  CHECK(has(refusal(R"("type": "BPE")", R"("type": "WordPiece")"), "must be BPE (got \"WordPiece\")"));
  CHECK(has(refusal(R"("pre_tokenizer": null)", R"("pre_tokenizer": {"type": "ByteLevel"})"),
            "pre_tokenizer must be null"));
  CHECK(has(refusal(R"("normalizer": null)", R"("normalizer": {"type": "NFC"})"), "normalizer must be null"));
  CHECK(has(refusal(R"("post_processor": null)", R"("post_processor": 1)"), "post_processor must be null (got 1)"));
  CHECK(has(refusal(R"("truncation": null)", R"("truncation": {"max_length": 5})"), "truncation must be null"));
  CHECK(has(refusal(R"("decoder": null)", R"("decoder": {"type": "ByteLevel"})"), "decoder must be"));
  CHECK(has(refusal(R"("decoder": null)", R"("decoder": {"type": "Sequence", "decoders": [1]})"), "decoder must be"));
  CHECK(has(refusal(R"("dropout": null)", R"("dropout": 0.1)"), "dropout must be null (got 0.1)"));
  CHECK(has(refusal(R"("fuse_unk": false)", R"("fuse_unk": true)"), "fuse_unk must be false"));
  CHECK_NOTHROW(parsed(file(R"("unk_token": "<unk>", "fuse_unk": false)", R"("unk_token": null, "fuse_unk": true)")));
  CHECK(has(refusal(R"("fuse_unk": false)", R"("ignore_merges": true)"), "ignore_merges must be false"));
  CHECK(has(refusal(R"("fuse_unk": false)", R"("fuse_unk": "no")"), "must be true or false"));
  CHECK(has(refusal(R"("fuse_unk": false)", R"("end_of_word_suffix": "</w>")"), "end_of_word_suffix must be null"));
  CHECK(has(refusal(R"("unk_token": "<unk>")", R"("unk_token": "?")"), "unk_token must be in the vocabulary"));
  CHECK(has(refusal(R"("unk_token": "<unk>")", R"("unk_token": 3)"), "unk_token must be a string"));
  CHECK(has(refusal(R"("ab": 2)", R"("ab": 1)"), "every id must be there once (got 1 for 'b' and 'ab')"));
  CHECK(has(refusal(R"("ab": 2)", R"("ab": 4)"), "without holes (got no token with id 2)"));
  CHECK(has(refusal(R"("ab": 2)", R"("ab": -2)"), "must be an integer"));
  CHECK(has(refusal(R"("ab": 2)", R"("ab": 2.5)"), "must be an integer"));
  CHECK(has(refusal(R"("ab": 2)", R"("ab": 18446744073709551615)"), "must be an integer"));
  CHECK(has(refusal(R"("ab": 2)", R"("": 2)"), "must be well-formed"));
  CHECK(has(refusal(R"("ab": 2)", R"("ab": 2, "a": 4)"), "must appear once"));
  CHECK(has(refusal(R"("id": 3)", R"("id": 2)"), "every id must be there once (got 2 for 'ab' and '<unk>')"));
  CHECK(has(refusal(R"("id": 3)", R"("id": 4)"), "'<unk>' twice"));
  CHECK(has(refusal(R"("lstrip": false)", R"("lstrip": true)"), "lstrip of added token '<unk>' must be false"));
  CHECK(has(refusal(R"("special": true)", R"("special": false)"), "must be special"));
  CHECK(has(refusal(R"("a b")", R"("a c")"), "names 'c'"));
  CHECK(has(refusal(R"("a b")", R"("b a")"), "names 'ba'"));
  CHECK(has(refusal(R"("a b")", R"("a b", "a b")"), "twice"));
  CHECK(has(refusal(R"("a b")", R"("a  b")"), "one space"));
  CHECK(has(refusal(R"("a b")", R"(["a"])"), "must be a pair"));
  CHECK(has(refusal(R"("merges": ["a b"])", R"("merges": 5)"), "merges must be an array"));
  CHECK(has(refusal(R"({"b": 1, "a": 0, "ab": 2, "<unk>": 3})", "[]"), "vocab must be an object"));
  CHECK(has(refusal(R"("model")", R"("mode")"), "model must be an object"));
  CHECK(has(error_of([] { parsed("[]"); }), "must be a JSON object"));
  CHECK(has(error_of([] { parsed("{"); }), "JSON"));
  CHECK(has(error_of([] { parsed(std::string(100000, '[')); }), "JSON"));
  std::string const whole = file();
  for (std::size_t cut = 0; cut < whole.size(); cut += 7)
    CHECK(error_of([&] { parsed(whole.substr(0, cut)); }) != "no error");
}

TEST_CASE("tokenizer.json: a token whose string belongs to another kind cannot be saved") {
  Vocabulary vocabulary;
  vocabulary.add("<unused_0>", TokenKind::ngram);
  CHECK(has(error_of([&] { TokenizerJson::write(Tokenizer(vocabulary, {})); }), "read otherwise"));
}

}  // namespace tokenizer_json_test
