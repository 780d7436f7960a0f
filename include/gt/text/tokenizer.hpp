// SPDX-License-Identifier: MIT
// The tokenizer: text to ids and back, for every byte string, by merges of n-grams.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gt/base/error.hpp"
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
  static Tokenizer build(Corpus const& corpus, TokenizerOptions const& options = {});
  /// From a vocabulary and a merge list. `unknown` is the token for characters that nothing else can spell.
  Tokenizer(Vocabulary vocabulary, std::vector<bpe::Merge> merges, std::optional<std::int32_t> unknown = std::nullopt);
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
  std::vector<std::int32_t> encode(std::string_view text) const;
  /// Appends the ids of a text. A cache kept between calls saves work and allocations; one for each thread.
  void encode_into(std::string_view text, std::vector<std::int32_t>& ids, bpe::EncodeCache& cache) const;
  /// The same with a cache for this call alone.
  void encode_into(std::string_view text, std::vector<std::int32_t>& ids) const;
  /// As `encode`, but strings of special tokens become those tokens, the leftmost first and of several the longest.
  std::vector<std::int32_t> encode_with_specials(std::string_view text) const;

  /// The text of ids: `decode(encode(x)) == x` for every byte string x. Throws if an id is not in the vocabulary.
  std::string decode(std::span<std::int32_t const> ids, Specials specials = Specials::keep) const;
  /// Appends the text of one id, which may be a part of a character: print `utf8::complete_prefix` of a stream.
  void decode_into(std::int32_t id, std::string& text, Specials specials = Specials::keep) const;

  std::int64_t size() const { return vocabulary().size(); }                         ///< V
  Vocabulary const& vocabulary() const { return state_->vocabulary; }               ///< tokens with their kinds
  std::vector<std::string> const& tokens() const { return vocabulary().tokens(); }  ///< as they are drawn, by id
  std::vector<bpe::Merge> const& merges() const { return state_->bpe.merges(); }    ///< by rank
  std::optional<std::int32_t> unknown() const { return state_->bpe.unknown(); }     ///< id, if there is one
  /// The id of a token string of any kind, if there is one.
  std::optional<std::int32_t> id(std::string_view token) const { return vocabulary().id(token); }
  std::optional<std::int32_t> bos() const { return special("<s>"); }       ///< begin of a text, if any
  std::optional<std::int32_t> eos() const { return special("</s>"); }      ///< end of a text, if any
  std::string const& token(std::int32_t id) const { return checked(id); }  ///< as it is drawn
  /// Bytes of text that an id stands for: 1 for a byte token, 0 for a special.
  std::int64_t token_bytes(std::int32_t id) const;
  /// SHA-256 over tokens, kinds and merges, in hexadecimal: equal if and only if they encode and decode alike.
  std::string const& fingerprint() const { return state_->fingerprint; }

 private:
  struct State {
    Vocabulary vocabulary;
    bpe::Bpe bpe;
    std::array<bool, 256> begins_special{};  // by the first byte of a special token
    std::vector<std::size_t> special_sizes;  // bytes, each once, the longest first
    std::string fingerprint;
  };

  std::string const& checked(std::int32_t id) const;
  std::optional<std::int32_t> special(std::string_view token) const;
  std::optional<std::int32_t> special_at(std::string_view text, std::size_t at) const;
  static std::string fingerprint_of(State const& state);

  std::shared_ptr<State const> state_;
};

static_assert(TextEncoder<Tokenizer>);

}  // namespace gt

#if !defined(GT_PREBUILT)
  #include "gt/text/tokenizer_impl.hpp"
#endif
