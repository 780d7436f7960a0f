// SPDX-License-Identifier: MIT
// The author's own tokenizers, bvv241-2-3 and bvv241-max, built from the n-gram lists that he published.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/paper/bvv241_ngrams.hpp"
#include "gt/text/bpe.hpp"
#include "gt/text/tokenizer.hpp"
#include "gt/text/utf8.hpp"
#include "gt/text/vocabulary.hpp"

namespace gt::inline GT_ABI {
namespace detail {

/// What one of the tokenizers takes from its files, and what must come out.
struct Bvv241Layout {
  std::string_view name;
  NgramSelection selection;
  std::int64_t vocab_size, ngrams, merges;
};
inline constexpr Bvv241Layout bvv241_2_3_layout{"bvv241-2-3", {.longest = 3, .top = 338}, 65536, 8177, 12224};
inline constexpr Bvv241Layout bvv241_max_layout{"bvv241-max", {.longest = 5, .top = 906}, 131072, 73768, 182678};

/// From <pad> = 0xE000 on.
inline constexpr std::array<std::string_view, 23> bvv241_specials{
    "<pad>",        "<s>",          "</s>",        "<unk>",        "<think>",         "</think>",
    "<emotions>",   "</emotions>",  "<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>",
    "[INST]",       "[/INST]",      "[EOT]",       "[USER]",       "[ASSISTANT]",     "[FIM_PREFIX]",
    "[FIM_MIDDLE]", "[FIM_SUFFIX]", "[FIM_PAD]",   "[REPO_NAME]",  "[FILE_SEP]"};

/// The tokenizer of `vocab_size` ids over n-grams in placement order; those that find no place are dropped.
inline Tokenizer bvv241_tokenizer(std::vector<std::string> const& ngrams, std::int64_t vocab_size) {
  constexpr std::int32_t specials = 0xE000, unknown = 0xE003;
  Vocabulary vocabulary;
  std::vector<std::int32_t> placed;
  for (std::int32_t id = 0; id < vocab_size; ++id) {
    bool const special = id >= specials && id < specials + 256;
    bool const place = (id >= 0xD800 && id <= 0xF8FF && !special) || (id > 0xFFFF && id < 0x1FFFF);
    if (special) {
      auto const i = static_cast<std::size_t>(id - specials);
      vocabulary.add(i < bvv241_specials.size() ? std::string{bvv241_specials[i]} : text("<special_token_", id, ">"),
                     TokenKind::special);
    } else if (place && placed.size() < ngrams.size()) {
      placed.push_back(vocabulary.add(ngrams[placed.size()], TokenKind::ngram));
    } else if (place || id >= 0xFFFF) {
      vocabulary.add(text("<unused_", id, ">"), TokenKind::unused);
    } else {
      vocabulary.add(utf8::encode(static_cast<char32_t>(id)), TokenKind::character);
    }
  }
  auto merges = bpe::merges(vocabulary, placed);
  return Tokenizer(std::move(vocabulary), std::move(merges), unknown);
}

/// The same, if the files held what the author published.
inline Tokenizer bvv241_tokenizer(std::vector<std::string> const& ngrams, Bvv241Layout const& layout,
                                  std::string_view files) {
  auto const order = in_placement_order(ngrams);
  check(static_cast<std::int64_t>(order.size()) == layout.ngrams, "bvv241", files, " must give the ", layout.ngrams,
        " different n-grams of ", layout.name, " (got ", order.size(), "); ", ngram_source);
  auto tokenizer = bvv241_tokenizer(order, layout.vocab_size);
  check(static_cast<std::int64_t>(tokenizer.merges().size()) == layout.merges, "bvv241", files, " must give the ",
        layout.merges, " merges of ", layout.name, " (got ", tokenizer.merges().size(), "); ", ngram_source);
  return tokenizer;
}

}  // namespace detail

/// bvv241-2-3: V = 65,536 with 8,177 n-grams of two and three characters and 12,224 merges.
///
///     auto const tokenizer = gt::bvv241_2_3("_n-gramms-2-3.txt");
///     auto const ids = tokenizer.encode_with_specials("<s>hello the test");   // as the author encodes
///     tokenizer.save("tokenizer.json");                                       // needs gt/text/tokenizer_json.hpp
///
/// The layout of the ids, equal to the author's:
///
///     0x0000-0xD7FF, 0xF900-0xFFFE   the code point itself
///     0xD800-0xDFFF, 0xE100-0xF8FF   n-grams, the longest first, then by code points; `<unused_N>` where they run out
///     0xE000-0xE0FF                  specials: <pad> <s> </s> <unk> ... [FILE_SEP], then `<special_token_N>`
///     0xFFFF                         `<unused_65535>`
///
/// Encoding is BPE over the whole text, ranks falling with the length of the n-gram. Every character beyond U+FFFF and
/// of private use becomes `<unk>` = 57347, and so does each byte that is no UTF-8: there decoding does not give the
/// text back. Errors: a file that cannot be read or has another format, with the line; one with other n-grams than
/// the author's. Source: the notebooks of AVBochkov/PGT; Bochkov 2025, arXiv:2507.04886 and arXiv:2507.07129.
inline Tokenizer bvv241_2_3(std::string const& ngrams) {
  auto const& layout = detail::bvv241_2_3_layout;
  auto const contents = detail::read_ngram_file(ngrams);
  auto const list = detail::NgramReader(contents, ngrams).read(layout.selection);
  return detail::bvv241_tokenizer(list, layout, text("'", ngrams, "'"));
}

/// bvv241-max, which is also bvv241-abs: V = 131,072 and 182,678 merges of n-grams of two to five characters, and of
/// those that six other tokenizers share.
///
///     auto const tokenizer = gt::bvv241_max("_n-gramms-2-3-4-5.txt", "_n-gramms-intersection.txt");
///
/// As bvv241-2-3, with 65,535 n-grams more from 0x10000 on; 0x1FFFF is `<unused_131071>`. The last 41 of the 73,768
/// n-grams find no place.
inline Tokenizer bvv241_max(std::string const& ngrams, std::string const& intersection) {
  auto const& layout = detail::bvv241_max_layout;
  auto const contents = detail::read_ngram_file(ngrams);
  auto list = detail::NgramReader(contents, ngrams).read(layout.selection);
  auto const lines = detail::read_ngram_file(intersection);
  for (auto& ngram : detail::read_ngram_lines(lines, intersection)) list.push_back(std::move(ngram));
  return detail::bvv241_tokenizer(list, layout, text("'", ngrams, "' with '", intersection, "'"));
}

}  // namespace gt
