// SPDX-License-Identifier: MIT
// What gt/substrate/learned_embedding.hpp declares.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "gt/base/macros.hpp"
#include "gt/base/philox.hpp"
#include "gt/substrate/fingerprint.hpp"
#include "gt/substrate/frozen_table.hpp"
#include "gt/substrate/learned_embedding.hpp"

namespace gt::inline GT_ABI {

GT_FN LearnedEmbedding LearnedEmbedding::start(std::vector<std::string> const& tokens,
                                               LearnedEmbeddingOptions options) {
  auto const vocab = static_cast<std::int64_t>(tokens.size());
  check(vocab >= 1, "LearnedEmbedding", "needs at least one token (got none)");
  check(options.width >= 1, "LearnedEmbedding", "width must be at least 1 (got ", options.width, ")");
  check(options.std > 0 && options.std < 1e3, "LearnedEmbedding", "the standard deviation must be positive (got ",
        options.std, ")");
  Random const random(options.seed, Purpose::substrate, 1);
  Buffer<float> rows(vocab * options.width);
  for (std::int64_t i = 0; i < rows.size(); ++i)
    rows[i] = static_cast<float>(options.std * random.normal(static_cast<std::uint64_t>(i)));
  Fingerprint print(name, vocab, options.width);
  print.tokens(tokens).number(static_cast<std::int64_t>(options.seed.value)).text(text(options.std));
  return LearnedEmbedding(FrozenTable(name, vocab, options.width, std::move(rows), print.hex()));
}

}  // namespace gt
