// SPDX-License-Identifier: MIT
// What gt/substrate/binary_embedding.hpp declares.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/substrate/binary_embedding.hpp"
#include "gt/substrate/bit_code.hpp"
#include "gt/substrate/fingerprint.hpp"
#include "gt/substrate/frozen_table.hpp"

namespace gt::inline GT_ABI {

GT_FN BinaryEmbedding BinaryEmbedding::of_ids(std::vector<std::string> const& tokens, BinaryEmbeddingOptions options) {
  return of(static_cast<std::int64_t>(tokens.size()), tokens, options);
}

GT_FN BinaryEmbedding BinaryEmbedding::of_ids(std::int64_t vocab, BinaryEmbeddingOptions options) {
  return of(vocab, {}, options);
}

GT_FN BinaryEmbedding BinaryEmbedding::of(std::int64_t vocab, std::vector<std::string> const& tokens,
                                          BinaryEmbeddingOptions options) {
  check(vocab >= 1, "BinaryEmbedding", "needs at least one token (got ", vocab, ")");
  int const least = substrate::bits_for(vocab);
  int const bits = options.bits != 0      ? options.bits
                   : options.d_model != 0 ? substrate::bits_for(vocab, options.d_model)
                                          : least;
  check(bits >= least, "BinaryEmbedding", "bits must be at least ", least, " to tell ", vocab, " tokens apart (got ",
        bits, ")");
  if (options.d_model != 0) substrate::check_lift(bits, options.d_model);
  Buffer<float> rows(vocab * bits);
  for (std::int64_t i = 0; i < vocab; ++i)
    for (int j = 0; j < least; ++j) rows[i * bits + j] = static_cast<float>(i >> j & 1);
  auto print = Fingerprint("binary", vocab, bits).tokens(tokens);
  return BinaryEmbedding(FrozenTable("binary", vocab, bits, std::move(rows), print.hex()));
}

}  // namespace gt
