// SPDX-License-Identifier: MIT
// Tokenizers as files: the tokenizer.json of Hugging Face, which the Python package `tokenizers` reads with equal ids.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "gt/base/error.hpp"
#include "gt/io/json.hpp"
#include "gt/text/bpe.hpp"
#include "gt/text/tokenizer.hpp"
#include "gt/text/vocabulary.hpp"

namespace gt::inline GT_ABI {

/// Reads and writes the part of tokenizer.json that a gt::Tokenizer can express: model BPE whose merges are
/// concatenations, byte_fallback or not, an unknown token or not, special added tokens, and nothing before or after the
/// model that changes the ids of a text. What a file asks beyond that is refused: ids that differ silently are worse
/// than none.
struct TokenizerJson {
  /// Writes `path` completely or not at all.
  static void save(Tokenizer const& tokenizer, std::string const& path);
  /// Reads `path`; throws gt::Error, naming the file, if the tokenizer cannot be used.
  static Tokenizer load(std::string const& path);

  /// The file as a string.
  static std::string write(Tokenizer const& tokenizer);

  /// From the contents of a file; `where` names it in errors.
  static Tokenizer parse(std::string_view contents, std::string_view where);

 private:
  static constexpr std::int64_t most_bytes = std::int64_t{1} << 30;  // the largest that are published have some 40 MB

  /// The kind that a string has in this format, special tokens aside.
  static TokenKind kind_of(std::string_view token, bool fallback);
  static bool has(Json const& object, char const* key);
  /// A value as JSON for an error message, cut where it gets long.
  static std::string shown(Json const& object, char const* key);
  /// Does this part of a file leave the text, its pieces and its ids as they are?
  static bool changes_nothing(std::string_view part, Json const& value);
  /// Does this decoder concatenate the tokens, bytes as bytes?
  static bool concatenates(Json const& decoder);
  template <class Need>
  static Vocabulary read_tokens(Json const& file, bool fallback, Need const& need) {
    Json const& vocab = file["model"]["vocab"];
    std::map<std::int64_t, std::pair<std::string, bool>> tokens;  // id -> string, special
    auto const id_of = [&](Json const& id, std::string const& token) {
      need(id.is_number_unsigned() && id.get<std::uint64_t>() < Vocabulary::max_size, "the id of '", token,
           "' must be an integer from 0 to ", Vocabulary::max_size - 1, " (got ",
           id.is_number() ? id.dump() : std::string(id.type_name()), ")");
      return id.get<std::int64_t>();
    };
    for (auto const& [token, id] : vocab.items()) {
      auto const [place, fresh] = tokens.try_emplace(id_of(id, token), token, false);
      need(fresh, "every id must be there once (got ", place->first, " for '", place->second.first, "' and '", token,
           "')");
    }
    if (has(file, "added_tokens")) {
      need(file["added_tokens"].is_array(), "added_tokens must be an array");
      for (Json const& added : file["added_tokens"]) {
        need(added.is_object() && added.contains("content") && added["content"].is_string() && added.contains("id"),
             "an added token must be an object with id and content");
        std::string const& token = added["content"].string();
        need(has(added, "special") && added["special"] == true, "added token '", token, "' must be special");
        for (char const* key : {"single_word", "lstrip", "rstrip"})
          need(!has(added, key) || added[key] == false, key, " of added token '", token, "' must be false");
        auto const [place, fresh] = tokens.try_emplace(id_of(added["id"], token), token, true);
        need(fresh || place->second.first == token, "every id must be there once (got ", place->first, " for '",
             place->second.first, "' and '", token, "')");
        place->second.second = true;
      }
    }
    need(!tokens.empty(), "the vocabulary must not be empty");
    Vocabulary vocabulary;
    for (auto const& [id, token] : tokens) {
      need(id == vocabulary.size(), "ids must be 0, 1, 2, ... without holes (got no token with id ", vocabulary.size(),
           ")");
      vocabulary.add(token.first, token.second ? TokenKind::special : kind_of(token.first, fallback));
    }
    return vocabulary;
  }
  /// ["a", "b"], or "a b" as older files have it.
  template <class Need>
  static bpe::Merge read_merge(Json const& entry, std::size_t rank, Vocabulary const& vocabulary, Need const& need) {
    std::string left, right;
    if (entry.is_string()) {
      std::string const& both = entry.string();
      auto const space = both.find(' ');
      need(space != both.npos && both.find(' ', space + 1) == both.npos, "merge ", rank,
           " must be two tokens with one space between them (got '", both, "')");
      left = both.substr(0, space), right = both.substr(space + 1);
    } else {
      need(entry.is_array() && entry.size() == 2 && entry[0].is_string() && entry[1].is_string(), "merge ", rank,
           " must be a pair of strings");
      left = entry[0].string(), right = entry[1].string();
    }
    auto const id_of = [&](std::string const& token) {
      auto const id = vocabulary.id(token);
      need(id.has_value(), "merge ", rank, " names '", token, "', which must be in the vocabulary");
      return *id;
    };
    return {id_of(left), id_of(right), id_of(left + right)};
  }
};

}  // namespace gt

#if !defined(GT_PREBUILT)
  #include "gt/text/tokenizer_json_impl.hpp"
#endif
