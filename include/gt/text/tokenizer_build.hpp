// SPDX-License-Identifier: MIT
// Building a tokenizer from a corpus: its characters, raw bytes for all others, and its most useful n-grams.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gt/base/macros.hpp"
#include "gt/text/bpe.hpp"
#include "gt/text/corpus.hpp"
#include "gt/text/vocabulary.hpp"

namespace gt::inline GT_ABI {

/// How Tokenizer::build chooses its tokens.
struct TokenizerOptions {
  std::int64_t vocab_size = 4096;                    ///< V, exactly: specials, bytes and characters included
  int min_ngram = 2;                                 ///< code points, at least 2
  int max_ngram = 7;                                 ///< code points
  std::int64_t min_count = 2;                        ///< rarer n-grams are not worth a token
  std::vector<std::string> specials{"<s>", "</s>"};  ///< ids 0, 1, …
  double held_out = Corpus::default_held_out;        ///< share at the end of the corpus that n-grams never see
  bool drop_unused = true;  ///< n-grams that merging makes of the text less than min_count times give way to the next
                            ///< best; false keeps the ranking as it is, as the author of the method does
};

namespace detail {

struct TokenizerParts {
  Vocabulary vocabulary;
  std::vector<bpe::Merge> merges;
};

/// The best n-grams that merging can produce from their own text. An n-gram without a merge path would waste its id:
/// it makes room for the next best, until all can be produced or there are no more.
TokenizerParts build_tokenizer(Corpus const& corpus, TokenizerOptions const& options);

}  // namespace detail

}  // namespace gt

#if !defined(GT_PREBUILT)
  #include "gt/text/tokenizer_build_impl.hpp"
#endif
