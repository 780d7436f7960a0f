// SPDX-License-Identifier: MIT
// Frozen random rows: the control that tells what the shape of a glyph is worth.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gt/base/philox.hpp"
#include "gt/substrate/frozen_table.hpp"

namespace gt::inline GT_ABI {

/// The size of the rows, and which of them.
struct RandomEmbeddingOptions {
  int width = 256;  ///< n, numbers a row
  Seed seed{};      ///< other seeds, other rows
};

/// Row i is a point of the unit sphere, uniform:  x_i = z_i / |z_i|,  z_ij the (i * n + j)-th normal number of the
/// stream (seed, Purpose::substrate). Rows do not depend on the tokens, but the fingerprint does: what a row means is a
/// token.
class RandomEmbedding : public FrozenTable {
 public:
  /// A row for each token. Errors: no token, a width below 1.
  static RandomEmbedding draw(std::vector<std::string> const& tokens, RandomEmbeddingOptions options = {});

 private:
  explicit RandomEmbedding(FrozenTable table) : FrozenTable{std::move(table)} {}
};
static_assert(Substrate<RandomEmbedding>);

}  // namespace gt

#if !defined(GT_PREBUILT)
  #include "gt/substrate/random_embedding_impl.hpp"
#endif
