// SPDX-License-Identifier: MIT
// Associative recall: pairs of symbols, then some of their first ones again; what stood behind each of them?
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "gt/base/defaults.hpp"
#include "gt/base/error.hpp"
#include "gt/base/philox.hpp"
#include "gt/eval/retrieval.hpp"
#include "gt/ops/cross_entropy.hpp"

namespace gt::inline GT_ABI {

/// The size of the task. Symbols: keys 0 ... keys - 1, then values.
struct AssociativeRecallOptions {
  int pairs = 8;         ///< P, shown in each held-out sequence
  int queries = 16;      ///< Q, asked behind them; T = 2 P + Q
  int keys = 16;         ///< different keys there are, at least P
  int values = 16;       ///< different values there are, at least P
  int fewest_pairs = 0;  ///< training sequences show fewest ... P pairs, and ask more; 0: P, as held-out ones
  Seed seed{};           ///< other seeds, other samples
};

/// k_1 v_1 k_2 v_2 ... k_P v_P q_1 ... q_Q:  the target of q_j = k_i is v_i; nothing else is asked, and no answer is
/// shown. Keys differ within a sequence and so do values, all equally likely, as are the queries: who does not know
/// which value stands behind which key is right once in P times at most, `chance()`.
///
/// One attention layer cannot know: a query finds its key, whose state says nothing of what follows it, and the values,
/// whose states say nothing of what precedes them. In two, the first can look one token back and the second then finds
/// the value that has seen the key: an induction head (Olsson et al. 2022, arXiv:2209.11895; with many queries in one
/// sequence: Arora et al. 2023, arXiv:2312.04927).
class AssociativeRecall {
 public:
  explicit AssociativeRecall(Defaults) : AssociativeRecall(AssociativeRecallOptions{}) {}  ///< `AssociativeRecall({})`
  /// Errors: no pairs or queries, more pairs than keys or values, more `fewest_pairs` than pairs.
  explicit AssociativeRecall(AssociativeRecallOptions options = {}) : options_{options} {
    auto& o = options_;
    check(o.pairs >= 1 && o.queries >= 1 && o.pairs <= 4096 && o.queries <= 4096, "AssociativeRecall",
          "pairs and queries must lie in 1 ... 4096 (got ", o.pairs, " and ", o.queries, ")");
    check(o.keys >= o.pairs && o.values >= o.pairs, "AssociativeRecall", "there must be a key and a value for each of ",
          o.pairs, " pairs (got ", o.keys, " keys and ", o.values, " values)");
    check(o.keys <= (1 << 24) && o.values <= (1 << 24), "AssociativeRecall",
          "keys and values must be at most 2^24 (got ", o.keys, " and ", o.values, ")");
    check(o.fewest_pairs >= 0 && o.fewest_pairs <= o.pairs, "AssociativeRecall",
          "fewest_pairs must be at most the number of pairs, ", o.pairs, " (got ", o.fewest_pairs, ")");
    if (o.fewest_pairs == 0) o.fewest_pairs = o.pairs;
  }

  AssociativeRecallOptions const& options() const noexcept { return options_; }                  ///< none left open
  std::int64_t vocab() const noexcept { return std::int64_t{options_.keys} + options_.values; }  ///< keys, then values
  std::int64_t context() const noexcept { return 2 * std::int64_t{options_.pairs} + options_.queries; }  ///< T
  double chance() const noexcept { return 1.0 / options_.pairs; }                                        ///< 1 / P

  /// Samples as RetrievalTask says.   Errors: spans of another size.
  void fill(TaskPart part, std::int64_t first, std::int64_t batch, std::span<std::int32_t> ids,
            std::span<std::int32_t> targets) const {
    detail::check_fill("AssociativeRecall::fill", first, batch, context(), ids.size(), targets.size());
    auto const length = static_cast<std::size_t>(context());
    for (std::int64_t b = 0; b < batch; ++b) {
      auto const row = static_cast<std::size_t>(b) * length;
      fill_one(part, first + b, ids.subspan(row, length), targets.subspan(row, length));
    }
  }

 private:
  void fill_one(TaskPart part, std::int64_t sample, std::span<std::int32_t> ids,
                std::span<std::int32_t> targets) const {
    detail::SampleDraws draw(options_.seed, part, 1, sample);
    std::int64_t const fewest = part == TaskPart::train ? options_.fewest_pairs : options_.pairs;
    auto const pairs = static_cast<std::size_t>(fewest + draw.below(options_.pairs - fewest + 1));
    auto const keys = draw.choose(static_cast<std::int64_t>(pairs), options_.keys);
    auto const values = draw.choose(static_cast<std::int64_t>(pairs), options_.values);
    for (std::size_t t = 0; t < ids.size(); ++t) {
      bool const asks = t >= 2 * pairs;
      auto const pair = asks ? static_cast<std::size_t>(draw.below(static_cast<std::int64_t>(pairs))) : t / 2;
      bool const key = asks || t % 2 == 0;
      ids[t] = key ? keys[pair] : options_.keys + values[pair];
      targets[t] = asks ? options_.keys + values[pair] : no_target;
    }
  }

  AssociativeRecallOptions options_;
};
static_assert(RetrievalTask<AssociativeRecall>);

}  // namespace gt
