// SPDX-License-Identifier: MIT
// A tokenizer as GGUF's tokenizer model "llama": pieces with scores, which give the ids that the merge list gives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/text/tokenizer.hpp"
#include "gt/text/utf8.hpp"
#include "gt/text/vocabulary.hpp"

namespace gt::inline GT_ABI {

/// What the tokens of a GGUF file are; the values are llama.cpp's.
enum class GgufTokenType : std::int32_t {
  normal = 1,   ///< characters, n-grams
  unknown = 2,  ///< the token for what nothing else can spell, where it is a special one
  control = 3,  ///< special tokens
  unused = 5,   ///< `<unused_1234>`
  byte = 6,     ///< `<0xE2>`
};

/// A tokenizer as llama.cpp's model "llama" has it, by id. A space is written as U+2581.
struct GgufTokenizer {
  std::vector<std::string> tokens;      ///< each once
  std::vector<float> scores;            ///< whole numbers; the greatest merges first
  std::vector<std::int32_t> types;      ///< GgufTokenType
  std::int32_t bos = 0, eos = 0;        ///< `<s>`, `</s>`; the byte 0xFF, which no text has, where there is none
  std::optional<std::int32_t> unknown;  ///< the tokenizer's, if any
};

namespace detail {

inline constexpr std::string_view gguf_space = "\xE2\x96\x81";  // U+2581

/// Merges the characters of `text` as long as `priority(left, right)` has a value for two neighbours, the least first,
/// and of equal ones the leftmost. Returns the bytes left of the last merge if one piece remains, 0 if it was one.
template <class Priority>
std::optional<std::size_t> last_merge(std::string_view text, Priority const& priority) {
  std::vector<std::size_t> bounds;  // of the pieces, in bytes; one more than there are
  for (std::size_t at = 0; at < text.size(); at += utf8::decode(text, at).size) bounds.push_back(at);
  bounds.push_back(text.size());
  std::size_t last = 0;
  while (bounds.size() > 2) {
    std::optional<std::int32_t> least;
    std::size_t best = 0;  // the bound that goes
    for (std::size_t i = 1; i + 1 < bounds.size(); ++i) {
      auto const p = priority(text.substr(bounds[i - 1], bounds[i] - bounds[i - 1]),
                              text.substr(bounds[i], bounds[i + 1] - bounds[i]));
      if (p && (!least || *p < *least)) least = p, best = i;
    }
    if (!least) return std::nullopt;
    last = bounds[best];
    bounds.erase(bounds.begin() + static_cast<std::ptrdiff_t>(best));
  }
  return last;
}

/// How merging makes a token of its own characters.
struct TokenOrigin {
  std::optional<std::size_t> left;  ///< characters left of the last merge; 0 for one character; nothing if it does not
  std::int32_t rank = -1;           ///< of that merge
};

}  // namespace detail

/// A tokenizer for llama.cpp, which merges the pair of neighbours whose concatenation is the token of the greatest
/// score, the leftmost first, and spells in bytes what has no token. The score of a token is minus the place, among
/// those of all tokens, of the last merge that makes it of its characters.
///
/// Then the ids are equal for every text of well-formed UTF-8 without U+2581. For what becomes a token was merged
/// inside that token alone, in the order in which its characters merge where they stand by themselves; so each token
/// has one last merge, here and there. That they are the same for each token is what this function checks. Now let
/// the best pair here give t, and there u: both are last merges, so both pairs stand in the merge list and in the
/// vocabulary, and as scores fall with ranks, t = u; of equal pairs both take the leftmost.
///
/// Errors: a last merge that differs, or text that would become a special token, as a merge list of other making can
/// have it; a token with U+2581; bytes without a token.
GgufTokenizer gguf_tokenizer(Tokenizer const& tokenizer);

}  // namespace gt

#if !defined(GT_PREBUILT)
  #include "gt/formats/gguf/tokenizer_impl.hpp"
#endif
