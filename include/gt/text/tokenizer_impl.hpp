// SPDX-License-Identifier: MIT
// What gt/text/tokenizer.hpp declares.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/base/sha256.hpp"
#include "gt/text/bpe.hpp"
#include "gt/text/corpus.hpp"
#include "gt/text/tokenizer.hpp"
#include "gt/text/tokenizer_build.hpp"
#include "gt/text/vocabulary.hpp"

namespace gt::inline GT_ABI {

GT_FN Tokenizer Tokenizer::build(Corpus const& corpus, TokenizerOptions const& options) {
  auto parts = detail::build_tokenizer(corpus, options);
  return Tokenizer(std::move(parts.vocabulary), std::move(parts.merges));
}

GT_FN Tokenizer::Tokenizer(Vocabulary vocabulary, std::vector<bpe::Merge> merges, std::optional<std::int32_t> unknown) {
  auto state = std::make_shared<State>();
  state->bpe = bpe::Bpe(vocabulary, std::move(merges), unknown);
  state->vocabulary = std::move(vocabulary);
  for (std::int32_t id = 0; id < state->vocabulary.size(); ++id) {
    if (state->vocabulary.kind(id) != TokenKind::special) continue;
    std::string const& token = state->vocabulary.token(id);
    state->begins_special[static_cast<unsigned char>(token[0])] = true;
    state->special_sizes.push_back(token.size());
  }
  auto& sizes = state->special_sizes;
  std::sort(sizes.begin(), sizes.end(), std::greater<>{});
  sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
  state->fingerprint = fingerprint_of(*state);
  state_ = std::move(state);
}

GT_FN std::vector<std::int32_t> Tokenizer::encode(std::string_view text) const {
  std::vector<std::int32_t> ids;
  encode_into(text, ids);
  return ids;
}

GT_FN void Tokenizer::encode_into(std::string_view text, std::vector<std::int32_t>& ids,
                                  bpe::EncodeCache& cache) const {
  state_->bpe.encode_into(vocabulary(), text, ids, cache);
}

GT_FN void Tokenizer::encode_into(std::string_view text, std::vector<std::int32_t>& ids) const {
  bpe::EncodeCache cache;
  encode_into(text, ids, cache);
}

GT_FN std::vector<std::int32_t> Tokenizer::encode_with_specials(std::string_view text) const {
  std::vector<std::int32_t> ids;
  bpe::EncodeCache cache;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    auto const special = special_at(text, at);
    if (!special) {
      ++at;
      continue;
    }
    encode_into(text.substr(begin, at - begin), ids, cache);
    ids.push_back(*special);
    at += token(*special).size();
    begin = at;
  }
  encode_into(text.substr(begin), ids, cache);
  return ids;
}

GT_FN std::string Tokenizer::decode(std::span<std::int32_t const> ids, Specials specials) const {
  std::string text;
  for (std::int32_t const id : ids) decode_into(id, text, specials);
  return text;
}

GT_FN void Tokenizer::decode_into(std::int32_t id, std::string& text, Specials specials) const {
  std::string const& token = checked(id);
  TokenKind const kind = vocabulary().kind(id);
  if (kind == TokenKind::special && specials == Specials::skip) return;
  if (kind == TokenKind::byte) {
    text += static_cast<char>(*byte_of_token(token));
  } else {
    text += token;
  }
}

GT_FN std::int64_t Tokenizer::token_bytes(std::int32_t id) const {
  std::string const& token = checked(id);
  TokenKind const kind = vocabulary().kind(id);
  return kind == TokenKind::special ? 0 : kind == TokenKind::byte ? 1 : static_cast<std::int64_t>(token.size());
}

GT_FN std::string const& Tokenizer::checked(std::int32_t id) const {
  check(vocabulary().contains(id), "Tokenizer", "an id must be in [0, ", size(), ") (got ", id, ")");
  return vocabulary().token(id);
}

GT_FN std::optional<std::int32_t> Tokenizer::special(std::string_view token) const {
  auto const found = id(token);
  return found && vocabulary().kind(*found) == TokenKind::special ? found : std::nullopt;
}

GT_FN std::optional<std::int32_t> Tokenizer::special_at(std::string_view text, std::size_t at) const {
  if (!state_->begins_special[static_cast<unsigned char>(text[at])]) return std::nullopt;
  for (std::size_t const size : state_->special_sizes)
    if (auto const found = size <= text.size() - at ? special(text.substr(at, size)) : std::nullopt) return found;
  return std::nullopt;
}

GT_FN std::string Tokenizer::fingerprint_of(State const& state) {
  Sha256 hash;
  auto const number = [&hash](std::int64_t value) {
    std::array<char, 8> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i)
      bytes[i] = static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i) & 0xFF);
    hash.update(std::string_view{bytes.data(), bytes.size()});
  };
  hash.update("gt tokenizer 1");
  number(state.vocabulary.size());
  for (std::int32_t id = 0; id < state.vocabulary.size(); ++id) {
    number(static_cast<std::int64_t>(state.vocabulary.kind(id)));
    number(static_cast<std::int64_t>(state.vocabulary.token(id).size()));
    hash.update(state.vocabulary.token(id));
  }
  number(static_cast<std::int64_t>(state.bpe.merges().size()));
  for (bpe::Merge const& merge : state.bpe.merges()) number(std::int64_t{merge.left} << 32 | merge.right);
  number(state.bpe.unknown().value_or(-1));
  return hash.hex();
}

}  // namespace gt
