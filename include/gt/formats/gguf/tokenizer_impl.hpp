// SPDX-License-Identifier: MIT
// What gt/formats/gguf/tokenizer.hpp declares.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/formats/gguf/tokenizer.hpp"
#include "gt/text/tokenizer.hpp"
#include "gt/text/utf8.hpp"
#include "gt/text/vocabulary.hpp"

namespace gt::inline GT_ABI {

namespace detail {

GT_FN std::vector<TokenOrigin> token_origins(Tokenizer const& tokenizer) {
  Vocabulary const& vocabulary = tokenizer.vocabulary();
  auto const key = [](std::int32_t left, std::int32_t right) {
    return std::uint64_t{static_cast<std::uint32_t>(left)} << 32 | static_cast<std::uint32_t>(right);
  };
  IdMap ranks;
  for (std::size_t rank = 0; rank < tokenizer.merges().size(); ++rank) {
    bpe::Merge const& merge = tokenizer.merges()[rank];
    ranks.insert(key(merge.left, merge.right), static_cast<std::int32_t>(rank));
  }
  auto const id_of = [&](std::string_view piece) {
    utf8::Unit const first = utf8::decode(piece, 0);
    return first.size == piece.size() ? vocabulary.character(first.value) : vocabulary.text_id(piece);
  };
  auto const rank_of = [&](std::string_view a, std::string_view b) -> std::optional<std::int32_t> {
    auto const left = id_of(a), right = id_of(b);
    auto const rank = left < 0 || right < 0 ? -1 : ranks.find(key(left, right));
    return rank < 0 ? std::nullopt : std::optional{rank};
  };
  std::vector<TokenOrigin> origins;
  for (std::int32_t id = 0; id < tokenizer.size(); ++id) {
    auto& origin = origins.emplace_back();
    std::string_view const token = vocabulary.token(id);
    if (!vocabulary.is_text(id) || id_of(token) != id) continue;
    auto const cut = last_merge(token, rank_of);
    if (!cut) continue;
    origin.left = utf8::length(token.substr(0, *cut));
    if (*cut > 0) origin.rank = *rank_of(token.substr(0, *cut), token.substr(*cut));
  }
  return origins;
}

/// The strings and types of all tokens; scores are missing.
GT_FN GgufTokenizer gguf_pieces(Tokenizer const& tokenizer) {
  Vocabulary const& vocabulary = tokenizer.vocabulary();
  GgufTokenizer g;
  for (std::int32_t id = 0; id < tokenizer.size(); ++id) {
    std::string piece = vocabulary.token(id);
    auto type = GgufTokenType::normal;
    switch (vocabulary.kind(id)) {
      case TokenKind::special:
        type = tokenizer.unknown() == id ? GgufTokenType::unknown : GgufTokenType::control;
        break;
      case TokenKind::unused:
        type = GgufTokenType::unused;
        break;
      case TokenKind::byte:
        if (byte_of_token(piece) == ' ') {  // spaces without a character's token
          piece = gguf_space;
        } else {
          type = GgufTokenType::byte;
        }
        break;
      case TokenKind::character:
      case TokenKind::ngram:
        check(piece.find(gguf_space) == piece.npos, "write_gguf",
              "llama.cpp writes a space as U+2581, so that no token may have that character (got '", piece, "')");
        for (std::size_t at = 0; (at = piece.find(' ', at)) != piece.npos;) piece.replace(at, 1, gguf_space);
        break;
    }
    g.tokens.push_back(std::move(piece));
    g.types.push_back(static_cast<std::int32_t>(type));
  }
  return g;
}

}  // namespace detail

GT_FN GgufTokenizer gguf_tokenizer(Tokenizer const& tokenizer) {
  constexpr std::string_view where = "write_gguf";
  Vocabulary const& vocabulary = tokenizer.vocabulary();
  auto g = detail::gguf_pieces(tokenizer);
  std::unordered_map<std::string_view, std::size_t> ids;
  for (std::size_t id = 0; id < g.tokens.size(); ++id) {
    auto const [place, fresh] = ids.emplace(g.tokens[id], id);
    auto const name = [&](std::size_t i) { return vocabulary.token(static_cast<std::int32_t>(i)); };
    if (!fresh)
      fail(where, "every token must be there once, with spaces as U+2581 (got '", name(place->second), "' with id ",
           place->second, " and '", name(id), "' with id ", id, ")");
  }
  for (int byte = 0; byte < 256; ++byte) {
    auto const value = static_cast<unsigned char>(byte);
    check(
        vocabulary.byte(value) >= 0 || (byte < 128 && vocabulary.character(value) >= 0), where,
        "llama.cpp spells in bytes what has no token, so that the tokenizer must have a token for each byte (got none "
        "for ",
        byte_token(value), ")");
  }

  auto const origins = detail::token_origins(tokenizer);
  std::vector<std::size_t> merged;
  for (std::size_t id = 0; id < origins.size(); ++id) {
    if (origins[id].rank >= 0) merged.push_back(id);
  }
  std::sort(merged.begin(), merged.end(), [&](auto a, auto b) { return origins[a].rank < origins[b].rank; });
  g.scores.assign(g.tokens.size(), -static_cast<float>(merged.size()));  // of what merging makes of nothing
  for (std::size_t place = 0; place < merged.size(); ++place) g.scores[merged[place]] = -static_cast<float>(place);

  std::string joined;
  auto const priority = [&](std::string_view a, std::string_view b) -> std::optional<std::int32_t> {
    joined.assign(a).append(b);
    auto const found = ids.find(joined);
    return found == ids.end() ? std::nullopt : std::optional{static_cast<std::int32_t>(-g.scores[found->second])};
  };
  for (std::size_t id = 0; id < g.tokens.size(); ++id) {
    std::string_view const piece = g.tokens[id];
    if (piece == detail::gguf_space) continue;
    auto const cut = detail::last_merge(piece, priority);
    auto const left = cut ? std::optional{utf8::length(piece.substr(0, *cut))} : std::nullopt;
    if (left == origins[id].left) continue;
    check(vocabulary.is_text(static_cast<std::int32_t>(id)), where, "text must never become the token '", piece,
          "' (got tokens that llama.cpp would merge to it)");
    fail(where,
         "llama.cpp must merge every token of the parts that the tokenizer's merge list joins, or ids would "
         "differ (got '",
         piece, "' of others); Tokenizer::build makes lists that agree");
  }
  std::int32_t const none = vocabulary.byte(0xFF);
  g.bos = tokenizer.bos().value_or(none), g.eos = tokenizer.eos().value_or(none);
  g.unknown = tokenizer.unknown();
  return g;
}

}  // namespace gt
