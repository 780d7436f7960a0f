// SPDX-License-Identifier: MIT
// Frozen random rows: the control that tells what the shape of a glyph is worth.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "gt/base/philox.hpp"
#include "gt/substrate/fingerprint.hpp"
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
  static RandomEmbedding draw(std::vector<std::string> const& tokens, RandomEmbeddingOptions options = {}) {
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

 private:
  explicit RandomEmbedding(FrozenTable table) : FrozenTable{std::move(table)} {}
};
static_assert(Substrate<RandomEmbedding>);

}  // namespace gt
