// SPDX-License-Identifier: MIT
// The smallest frozen embedding: a token is the bits of its id.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "gt/substrate/bit_code.hpp"
#include "gt/substrate/frozen_table.hpp"

namespace gt::inline GT_ABI {

/// How many bits a token gets.
struct BinaryEmbeddingOptions {
  int bits = 0;     ///< n, at least ceil(log2 V); 0: substrate::bits_for(V, d_model), or ceil(log2 V) without a d_model
  int d_model = 0;  ///< C that the rows will be lifted to, which `bits` must divide; 0: not known yet
};

/// Row of token i:  x_ij = bit j of i, the lowest first, as 0 or 1 [V, n]; bits beyond ceil(log2 V) are always 0. No
/// offset and no scale: token 0 is the zero row. The table is not lifted; after the lift its rank is still at most n.
/// Source: Bochkov 2025, arXiv:2507.07129, the 16-bit code of the v3 models.
class BinaryEmbedding : public FrozenTable {
 public:
  /// For these tokens, which the fingerprint names. Errors: too few bits, or bits that do not divide d_model.
  static BinaryEmbedding of_ids(std::vector<std::string> const& tokens, BinaryEmbeddingOptions options = {});
  /// For ids that stand for nothing yet: the fingerprint names their number only.
  static BinaryEmbedding of_ids(std::int64_t vocab, BinaryEmbeddingOptions options = {});

 private:
  explicit BinaryEmbedding(FrozenTable table) : FrozenTable{std::move(table)} {}

  static BinaryEmbedding of(std::int64_t vocab, std::vector<std::string> const& tokens, BinaryEmbeddingOptions options);
};
static_assert(Substrate<BinaryEmbedding>);

}  // namespace gt

#if !defined(GT_PREBUILT)
  #include "gt/substrate/binary_embedding_impl.hpp"
#endif
