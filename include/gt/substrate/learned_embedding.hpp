// SPDX-License-Identifier: MIT
// A table that is trained in a first stage, and frozen like the others afterwards: the paper's control.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gt/base/philox.hpp"
#include "gt/substrate/frozen_table.hpp"

namespace gt::inline GT_ABI {

/// The size of the rows, and how they start.
struct LearnedEmbeddingOptions {
  int width = 256;    ///< n, numbers a row
  double std = 0.02;  ///< standard deviation of the rows before they are trained, as of all other weights
  Seed seed{};        ///< other seeds, other rows
};

/// Rows that begin as N(0, std^2) and train where a stage says so (`StageOptions::train_table`); a model makes a copy
/// of its own then. When they are frozen again, their fingerprint is one of their numbers, for they have no other
/// definition: only models that were grown on one trained table can be merged.
/// Source: the "unfrozen" models of arXiv:2507.07129v2, in which the table trains with blocks 1 to 3.
class LearnedEmbedding : public FrozenTable {
 public:
  /// What `method()` says, and a model looks for before it trains its table.
  static constexpr auto name = "learned";

  /// A row for each token. Errors: no token, a width below 1, a deviation that is not positive.
  static LearnedEmbedding start(std::vector<std::string> const& tokens, LearnedEmbeddingOptions options = {});

 private:
  explicit LearnedEmbedding(FrozenTable table) : FrozenTable{std::move(table)} {}
};
static_assert(Substrate<LearnedEmbedding>);

}  // namespace gt

#if !defined(GT_PREBUILT)
  #include "gt/substrate/learned_embedding_impl.hpp"
#endif
