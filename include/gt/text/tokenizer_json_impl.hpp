// SPDX-License-Identifier: MIT
// What gt/text/tokenizer_json.hpp declares.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/io/atomic_file.hpp"
#include "gt/io/json.hpp"
#include "gt/io/text_file.hpp"
#include "gt/text/bpe.hpp"
#include "gt/text/tokenizer.hpp"
#include "gt/text/tokenizer_json.hpp"
#include "gt/text/utf8.hpp"
#include "gt/text/vocabulary.hpp"

namespace gt::inline GT_ABI {

GT_FN void TokenizerJson::save(Tokenizer const& tokenizer, std::string const& path) {
  io::write_file_atomically(path, write(tokenizer));
}

GT_FN Tokenizer TokenizerJson::load(std::string const& path) { return parse(read_text_file(path, most_bytes), path); }

GT_FN TokenKind TokenizerJson::kind_of(std::string_view token, bool fallback) {
  if (fallback && byte_of_token(token)) return TokenKind::byte;
  if (is_unused_token(token)) return TokenKind::unused;
  return utf8::decode(token, 0).size == token.size() ? TokenKind::character : TokenKind::ngram;
}

GT_FN bool TokenizerJson::has(Json const& object, char const* key) {
  return object.contains(key) && !object[key].is_null();
}

GT_FN std::string TokenizerJson::shown(Json const& object, char const* key) {
  if (!object.contains(key)) return "nothing";
  std::string const whole = object[key].dump();
  if (whole.size() <= 60) return whole;
  std::size_t end = 57;
  while ((static_cast<unsigned char>(whole[end]) & 0xC0) == 0x80) --end;  // at the end of a character
  return whole.substr(0, end) + "...";
}

GT_FN bool TokenizerJson::changes_nothing(std::string_view part, Json const& value) {
  if (!value.is_object()) return false;
  auto const is = [&](char const* key, auto const& wanted) { return value.contains(key) && value[key] == wanted; };
  if (part == "padding") return is("strategy", "BatchLongest") && !has(value, "pad_to_multiple_of");
  if (part == "post_processor" && is("type", "ByteLevel")) return true;  // it moves offsets
  if (part == "normalizer" && is("type", "Strip")) return is("strip_left", false) && is("strip_right", false);
  if (part == "post_processor" && is("type", "TemplateProcessing")) {  // of one text: its ids once, and no more
    if (!value.contains("single") || !value["single"].is_array() || value["single"].size() != 1) return false;
    Json const& only = value["single"][0];
    return only.is_object() && only.contains("Sequence") && only["Sequence"].is_object() &&
           only["Sequence"].contains("id") && only["Sequence"]["id"] == "A";
  }
  char const* const parts = part == "normalizer"      ? "normalizers"
                            : part == "pre_tokenizer" ? "pretokenizers"
                                                      : "processors";
  if (!is("type", "Sequence") || !value.contains(parts) || !value[parts].is_array()) return false;
  for (Json const& each : value[parts])
    if (!changes_nothing(part, each)) return false;
  return true;
}

GT_FN bool TokenizerJson::concatenates(Json const& decoder) {
  auto const plain = [](Json const& d) {
    return d.is_object() && d.contains("type") && (d["type"] == "ByteFallback" || d["type"] == "Fuse");
  };
  if (plain(decoder)) return true;
  if (!decoder.is_object() || !decoder.contains("type") || decoder["type"] != "Sequence") return false;
  if (!decoder.contains("decoders") || !decoder["decoders"].is_array()) return false;
  for (Json const& part : decoder["decoders"])
    if (!plain(part)) return false;
  return true;
}

GT_FN std::string TokenizerJson::write(Tokenizer const& tokenizer) {
  Vocabulary const& vocabulary = tokenizer.vocabulary();
  auto const quoted = [](std::string const& token) { return Json(token).dump(); };
  bool fallback = false;
  for (int byte = 0; byte < 256; ++byte) fallback |= vocabulary.byte(static_cast<unsigned char>(byte)) >= 0;

  std::string added, vocab, merges;
  for (std::int32_t id = 0; id < vocabulary.size(); ++id) {
    std::string const name = quoted(vocabulary.token(id));
    bool const special = vocabulary.kind(id) == TokenKind::special;
    check(special || kind_of(vocabulary.token(id), fallback) == vocabulary.kind(id), "Tokenizer::save",
          "tokenizer.json tells the kind of a token from its string (got ", name, ", which would be read otherwise)");
    if (special)
      added += text(added.empty() ? "" : ",", "\n    {\"id\": ", id, ", \"content\": ", name,
                    ", \"single_word\": false, \"lstrip\": false, \"rstrip\": false, \"normalized\": false, "
                    "\"special\": true}");
    vocab += text(vocab.empty() ? "" : ",", "\n      ", name, ": ", id);
  }
  for (bpe::Merge const& merge : tokenizer.merges())
    merges += text(merges.empty() ? "" : ",", "\n      [", quoted(vocabulary.token(merge.left)), ", ",
                   quoted(vocabulary.token(merge.right)), "]");
  auto const unknown = tokenizer.unknown() ? quoted(vocabulary.token(*tokenizer.unknown())) : "null";
  return text("{\n  \"version\": \"1.0\",\n  \"truncation\": null,\n  \"padding\": null,\n  \"added_tokens\": [", added,
              "\n  ],\n  \"normalizer\": null,\n  \"pre_tokenizer\": null,\n  \"post_processor\": null,\n"
              "  \"decoder\": {\"type\": \"Sequence\", \"decoders\": [{\"type\": \"ByteFallback\"}, {\"type\": "
              "\"Fuse\"}]},\n  \"model\": {\n    \"type\": \"BPE\",\n    \"dropout\": null,\n    \"unk_token\": ",
              unknown, ",\n    \"continuing_subword_prefix\": null,\n    \"end_of_word_suffix\": null,\n",
              "    \"fuse_unk\": false,\n    \"byte_fallback\": ", fallback ? "true" : "false",
              ",\n    \"ignore_merges\": false,\n    \"vocab\": {", vocab, "\n    },\n    \"merges\": [", merges,
              "\n    ]\n  }\n}\n");
}

GT_FN Tokenizer TokenizerJson::parse(std::string_view contents, std::string_view where) {
  auto const need = [&](bool holds, auto const&... what) {
    check(holds, "Tokenizer::load", "'", where, "': ", what...);
  };
  Json const file = parse_json(contents, text("Tokenizer::load: '", where, "'"));
  need(file.is_object(), "the file must be a JSON object");
  for (char const* key : {"normalizer", "pre_tokenizer", "post_processor", "truncation", "padding"})
    need(!has(file, key) || changes_nothing(key, file[key]), key, " must be null (got ", shown(file, key),
         "); gt encodes the text as it is");
  need(file.contains("model") && file["model"].is_object(), "model must be an object");
  need(!has(file, "decoder") || concatenates(file["decoder"]), "decoder must be ByteFallback and Fuse (got ",
       shown(file, "decoder"), ")");

  Json const& model = file["model"];
  need(!has(model, "type") || model["type"] == "BPE", "the model must be BPE (got ", shown(model, "type"), ")");
  need(!has(model, "dropout") || model["dropout"] == 0, "dropout must be null (got ", shown(model, "dropout"), ")");
  for (char const* key : {"continuing_subword_prefix", "end_of_word_suffix"})
    need(!has(model, key) || model[key] == "", key, " must be null (got ", shown(model, key), ")");
  for (char const* key : {"fuse_unk", "ignore_merges", "byte_fallback"})
    need(!has(model, key) || model[key].is_boolean(), key, " must be true or false (got ", shown(model, key), ")");
  need(!has(model, "ignore_merges") || model["ignore_merges"] == false, "ignore_merges must be false (got true)");
  need(!has(model, "fuse_unk") || model["fuse_unk"] == false || !has(model, "unk_token"),
       "fuse_unk must be false where there is an unk_token (got true)");
  bool const fallback = has(model, "byte_fallback") && model["byte_fallback"] == true;
  need(model.contains("vocab") && model["vocab"].is_object(), "model.vocab must be an object");
  need(model.contains("merges") && model["merges"].is_array(), "model.merges must be an array");

  try {
    Vocabulary vocabulary = read_tokens(file, fallback, need);
    std::vector<bpe::Merge> merges;
    merges.reserve(model["merges"].size());
    for (Json const& entry : model["merges"]) merges.push_back(read_merge(entry, merges.size(), vocabulary, need));
    std::optional<std::int32_t> unknown;
    if (has(model, "unk_token")) {
      need(model["unk_token"].is_string(), "unk_token must be a string or null");
      unknown = vocabulary.id(model["unk_token"].string());
      need(unknown.has_value(), "unk_token must be in the vocabulary (got ", shown(model, "unk_token"), ")");
    }
    return Tokenizer(std::move(vocabulary), std::move(merges), unknown);
  } catch (Error const& error) {
    std::string_view const what = error.what();
    if (what.starts_with("gt: Tokenizer::load")) throw;
    fail("Tokenizer::load", "'", where, "': ", what.substr(what.find(' ') + 1));
  }
}

}  // namespace gt
