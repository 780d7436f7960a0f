// SPDX-License-Identifier: MIT
// The tokenizer: text to ids and back, for every byte string, by merges of n-grams.
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
#include "gt/base/sha256.hpp"
#include "gt/text/bpe.hpp"
#include "gt/text/corpus.hpp"
#include "gt/text/tokenizer_build.hpp"
#include "gt/text/vocabulary.hpp"

namespace gt::inline GT_ABI {

struct TokenizerJson;  // text/tokenizer_json.hpp, which load and save need

/// What `Tokenizer::decode` does with special tokens.
enum class Specials : std::uint8_t { keep, skip };

/// Text to ids and back. Immutable; a copy shares everything; threads may share one.
///
///     auto tokenizer = gt::Tokenizer::build(corpus, {.vocab_size = 4096});
///     auto ids = tokenizer.encode("It is a truth");
///     assert(tokenizer.decode(ids) == "It is a truth");
class Tokenizer {
 public:
  /// The author's tokenizer at any size: every character of the whole corpus, `<0xE2>` for each byte value that is not
  /// one of its ASCII characters, and the n-grams inside words of the training part that rank highest by
  /// count * (length - 1), ties by code points; where they run out, `<unused_N>`. The size is exact. Runs of spaces and
  /// runs of newlines count as words: no other token contains a newline, and no letter shares a token with a space.
  /// Source: the notebooks behind arXiv:2507.04886; the byte tokens are ours, so that no text is lost.
  static Tokenizer build(Corpus const& corpus, TokenizerOptions const& options = {}) {
    auto parts = detail::build_tokenizer(corpus, options);
    return Tokenizer(std::move(parts.vocabulary), std::move(parts.merges));
  }
  /// From a vocabulary and a merge list. `unknown` is the token for characters that nothing else can spell.
  Tokenizer(Vocabulary vocabulary, std::vector<Merge> merges, std::optional<std::int32_t> unknown = std::nullopt) {
    auto state = std::make_shared<State>();
    state->bpe = Bpe(vocabulary, std::move(merges), unknown);
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
  /// Reads a Hugging Face tokenizer.json; include "gt/text/tokenizer_json.hpp".
  template <class Format = TokenizerJson>
  static Tokenizer load(std::string const& path) {
    return Format::load(path);
  }
  /// Writes a Hugging Face tokenizer.json; include "gt/text/tokenizer_json.hpp".
  template <class Format = TokenizerJson>
  void save(std::string const& path) const {
    Format::save(*this, path);
  }

  /// The ids of a text. The text is only text: "<s>" in it is three characters.
  std::vector<std::int32_t> encode(std::string_view text) const {
    std::vector<std::int32_t> ids;
    encode_into(text, ids);
    return ids;
  }
  /// Appends the ids of a text. A cache kept between calls saves work and allocations; one for each thread.
  void encode_into(std::string_view text, std::vector<std::int32_t>& ids, EncodeCache& cache) const {
    state_->bpe.encode_into(vocabulary(), text, ids, cache);
  }
  /// The same with a cache for this call alone.
  void encode_into(std::string_view text, std::vector<std::int32_t>& ids) const {
    EncodeCache cache;
    encode_into(text, ids, cache);
  }
  /// As `encode`, but strings of special tokens become those tokens, the leftmost first and of several the longest.
  std::vector<std::int32_t> encode_with_specials(std::string_view text) const {
    std::vector<std::int32_t> ids;
    EncodeCache cache;
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

  /// The text of ids: `decode(encode(x)) == x` for every byte string x. Throws if an id is not in the vocabulary.
  std::string decode(std::span<std::int32_t const> ids, Specials specials = Specials::keep) const {
    std::string text;
    for (std::int32_t const id : ids) decode_into(id, text, specials);
    return text;
  }
  /// Appends the text of one id, which may be a part of a character: print `utf8_complete_prefix` of a stream.
  void decode_into(std::int32_t id, std::string& text, Specials specials = Specials::keep) const {
    std::string const& token = checked(id);
    TokenKind const kind = vocabulary().kind(id);
    if (kind == TokenKind::special && specials == Specials::skip) return;
    if (kind == TokenKind::byte) {
      text += static_cast<char>(*byte_of_token(token));
    } else {
      text += token;
    }
  }

  std::int64_t size() const { return vocabulary().size(); }                         ///< V
  Vocabulary const& vocabulary() const { return state_->vocabulary; }               ///< tokens with their kinds
  std::vector<std::string> const& tokens() const { return vocabulary().tokens(); }  ///< as they are drawn, by id
  std::vector<Merge> const& merges() const { return state_->bpe.merges(); }         ///< by rank
  std::optional<std::int32_t> unknown() const { return state_->bpe.unknown(); }     ///< id, if there is one
  /// The id of a token string of any kind, if there is one.
  std::optional<std::int32_t> id(std::string_view token) const { return vocabulary().id(token); }
  std::optional<std::int32_t> bos() const { return special("<s>"); }       ///< begin of a text, if any
  std::optional<std::int32_t> eos() const { return special("</s>"); }      ///< end of a text, if any
  std::string const& token(std::int32_t id) const { return checked(id); }  ///< as it is drawn
  /// Bytes of text that an id stands for: 1 for a byte token, 0 for a special.
  std::int64_t token_bytes(std::int32_t id) const {
    std::string const& token = checked(id);
    TokenKind const kind = vocabulary().kind(id);
    return kind == TokenKind::special ? 0 : kind == TokenKind::byte ? 1 : static_cast<std::int64_t>(token.size());
  }
  /// SHA-256 over tokens, kinds and merges, in hexadecimal: equal if and only if they encode and decode alike.
  std::string const& fingerprint() const { return state_->fingerprint; }

 private:
  struct State {
    Vocabulary vocabulary;
    Bpe bpe;
    std::array<bool, 256> begins_special{};  // by the first byte of a special token
    std::vector<std::size_t> special_sizes;  // bytes, each once, the longest first
    std::string fingerprint;
  };

  std::string const& checked(std::int32_t id) const {
    check(vocabulary().contains(id), "Tokenizer", "an id must be in [0, ", size(), ") (got ", id, ")");
    return vocabulary().token(id);
  }
  std::optional<std::int32_t> special(std::string_view token) const {
    auto const found = id(token);
    return found && vocabulary().kind(*found) == TokenKind::special ? found : std::nullopt;
  }
  std::optional<std::int32_t> special_at(std::string_view text, std::size_t at) const {
    if (!state_->begins_special[static_cast<unsigned char>(text[at])]) return std::nullopt;
    for (std::size_t const size : state_->special_sizes)
      if (auto const found = size <= text.size() - at ? special(text.substr(at, size)) : std::nullopt) return found;
    return std::nullopt;
  }
  static std::string fingerprint_of(State const& state) {
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
    for (Merge const& merge : state.bpe.merges()) number(std::int64_t{merge.left} << 32 | merge.right);
    number(state.bpe.unknown().value_or(-1));
    return hash.hex();
  }

  std::shared_ptr<State const> state_;
};

static_assert(TextEncoder<Tokenizer>);

}  // namespace gt
