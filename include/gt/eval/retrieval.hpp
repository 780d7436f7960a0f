// SPDX-License-Identifier: MIT
// Tasks whose answer stands in the context and nowhere else, and how often a model finds it.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/base/philox.hpp"
#include "gt/core/arena.hpp"
#include "gt/core/backend.hpp"
#include "gt/core/buffer.hpp"
#include "gt/core/view.hpp"
#include "gt/nn/passes.hpp"
#include "gt/ops/cross_entropy.hpp"
#include "gt/ops/linear.hpp"

namespace gt::inline GT_ABI {

/// The samples of a task are numbered, without end, in two parts that share no random numbers.
enum class TaskPart : std::uint32_t { train, held_out };

/// Sequences of T tokens that ask for something they have shown. `fill` writes samples first, first + 1, ... one after
/// the other: ids [batch * T] and the token that is to follow each, targets [batch * T], `no_target` where that is not
/// asked. A sample is a pure function of (seed, part, number). In held-out samples only answers are targets.
template <class Task>
concept RetrievalTask = requires(Task const& task, std::span<std::int32_t> ids) {
  { task.vocab() } -> std::same_as<std::int64_t>;    // V
  { task.context() } -> std::same_as<std::int64_t>;  // T
  { task.chance() } -> std::same_as<double>;         // right answers of a guess among the candidates in the context
  task.fill(TaskPart::held_out, std::int64_t{}, std::int64_t{}, ids, ids);
};

/// What a model answered.
struct RetrievalScore {
  std::int64_t tokens = 0;        ///< asked for
  std::int64_t tokens_right = 0;  ///< of them: the model's likeliest token was the one
  std::int64_t samples = 0;       ///< sequences with something to answer
  std::int64_t exact = 0;         ///< of them: every token asked for was right

  double accuracy() const { return share(tokens_right, tokens); }  ///< of tokens, 0 to 1
  double exact_match() const { return share(exact, samples); }     ///< of sequences, 0 to 1

 private:
  static double share(std::int64_t part, std::int64_t all) {
    return all > 0 ? static_cast<double>(part) / static_cast<double>(all) : 0;
  }
};

/// What `score_retrieval` looks at.
struct RetrievalOptions {
  std::int64_t samples = 1024;         ///< sequences, from number 0 on
  std::int64_t batch = 64;             ///< of them at a time; changes no result
  TaskPart part = TaskPart::held_out;  ///< that they are of
};

namespace detail {

/// The random numbers of one sample: 2^20 of them, of no other sample, part or task.
class SampleDraws {
 public:
  SampleDraws(Seed seed, TaskPart part, std::uint32_t task, std::int64_t sample)
      : random_(seed, Purpose::data, static_cast<std::uint32_t>(part), task),
        next_{static_cast<std::uint64_t>(sample) << 20} {}
  /// Uniform in 0 ... n - 1.
  std::int64_t below(std::int64_t n) {
    return static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(n), next_++));
  }
  /// Uniform in [0, 1), in steps of 2^-24.
  double uniform() { return static_cast<double>(below(std::int64_t{1} << 24)) / (1 << 24); }
  /// `count` different numbers out of 0 ... n - 1, in any order.
  std::vector<std::int32_t> choose(std::int64_t count, std::int64_t n) {
    std::vector<std::int32_t> all(static_cast<std::size_t>(n));
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::int32_t>(i);
    for (std::int64_t i = 0; i < count; ++i)
      std::swap(all[static_cast<std::size_t>(i)], all[static_cast<std::size_t>(i + below(n - i))]);
    all.resize(static_cast<std::size_t>(count));
    return all;
  }

 private:
  Random random_;
  std::uint64_t next_;
};

inline void check_fill(std::string_view where, std::int64_t first, std::int64_t batch, std::int64_t context,
                       std::size_t ids, std::size_t targets) {
  check(first >= 0 && first < (std::int64_t{1} << 43) && batch >= 0, where,
        "sample and batch must not be negative, and samples below 2^43 (got ", first, ", ", batch, ")");
  check(ids == static_cast<std::size_t>(batch * context) && targets == ids, where,
        "ids and targets must hold batch * context = ", batch * context, " (got ", ids, ", ", targets, ")");
}

}  // namespace detail

/// How often the model's likeliest token (of equals, the first) is the one asked for, where the tokens before it are
/// those of the sample. A sample is `exact` if and only if greedy decoding gives its answer word for word: up to the
/// first mistake it is fed the same tokens.   Errors: a task of other tokens or longer sequences than the model's.
template <Backend B, nn::HasBlocks Model, RetrievalTask Task, class T = typename Model::scalar>
RetrievalScore score_retrieval(B const& on, Model const& model, Task const& task,
                               RetrievalOptions const& options = {}) {
  std::int64_t const context = task.context(), V = model.vocab(), C = model.config().d_model;
  check(task.vocab() <= V && context <= model.context(), "score_retrieval", "the model must have the task's ",
        task.vocab(), " tokens and its context of ", context, " (got ", V, " and ", model.context(), ")");
  check(options.samples > 0 && options.batch > 0, "score_retrieval", "samples and batch must be positive (got ",
        options.samples, " and ", options.batch, ")");
  BatchShape const shape{std::min(options.batch, options.samples), context};
  auto const rows = static_cast<std::size_t>(shape.rows());
  std::vector<std::int32_t> ids(rows), targets(rows);
  nn::States<T> const x(shape.rows(), C), asked(shape.rows(), C), z(shape.rows(), V);
  Buffer<T> const mean(shape.rows()), rstd(shape.rows());
  auto const run = [&](Arena& arena) {
    hidden_states(on, model, Vector<std::int32_t const>(ids.data(), shape.rows()), shape, x.x, arena);
  };
  Arena arena(measure(run));
  RetrievalScore score;
  for (std::int64_t first = 0; first < options.samples; first += shape.batch) {
    std::int64_t const batch = std::min(shape.batch, options.samples - first);
    auto const used = static_cast<std::size_t>(batch * context);
    task.fill(options.part, first, batch, std::span(ids).first(used), std::span(targets).first(used));
    std::fill(ids.begin() + batch * context, ids.end(), 0);
    arena.reset();
    run(arena);
    std::int64_t n = 0;  // rows asked for, moved together
    for (std::int64_t i = 0; i < batch * context; ++i)
      if (targets[static_cast<std::size_t>(i)] != no_target) std::copy_n(x.x.row(i), C, asked.x.row(n++));
    if (n == 0) continue;
    Matrix<T> const states = asked.x.rows(0, n), logits = z.x.rows(0, n);
    nn::final_norm(on, model, states, states, Vector<T>(mean.data(), n), Vector<T>(rstd.data(), n));
    ops::linear(on, states, model.head(), model.head_bias(), logits);
    for (std::int64_t b = 0, row = 0; b < batch; ++b) {
      std::int64_t tokens = 0, right = 0;
      for (std::int64_t t = b * context; t < (b + 1) * context; ++t) {
        std::int32_t const target = targets[static_cast<std::size_t>(t)];
        if (target == no_target) continue;
        T const* const of_row = logits.row(row++);
        ++tokens, right += std::max_element(of_row, of_row + V) - of_row == target;
      }
      score.tokens += tokens, score.tokens_right += right;
      score.samples += tokens > 0, score.exact += tokens > 0 && right == tokens;
    }
  }
  return score;
}

}  // namespace gt
