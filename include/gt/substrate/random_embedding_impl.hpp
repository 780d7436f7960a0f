// SPDX-License-Identifier: MIT
// What gt/substrate/random_embedding.hpp declares.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "gt/base/macros.hpp"
#include "gt/base/philox.hpp"
#include "gt/substrate/fingerprint.hpp"
#include "gt/substrate/frozen_table.hpp"
#include "gt/substrate/random_embedding.hpp"

namespace gt::inline GT_ABI {

GT_FN RandomEmbedding RandomEmbedding::draw(std::vector<std::string> const& tokens, RandomEmbeddingOptions options) {
  auto const vocab = static_cast<std::int64_t>(tokens.size());
  check(vocab >= 1, "RandomEmbedding", "needs at least one token (got none)");
  check(options.width >= 1, "RandomEmbedding", "width must be at least 1 (got ", options.width, ")");
  Random const random(options.seed, Purpose::substrate);
  Buffer<float> rows(vocab * options.width);
  for (std::int64_t i = 0; i < rows.size(); ++i)
    rows[i] = static_cast<float>(random.normal(static_cast<std::uint64_t>(i)));
  detail::normalise_rows(rows, options.width);
  Fingerprint print("random", vocab, options.width);
  print.tokens(tokens).number(static_cast<std::int64_t>(options.seed.value));
  return RandomEmbedding(FrozenTable("random", vocab, options.width, std::move(rows), print.hex()));
}

}  // namespace gt
