// SPDX-License-Identifier: MIT
// How likely a model finds a text, token by token.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/core/arena.hpp"
#include "gt/core/backend.hpp"
#include "gt/core/view.hpp"
#include "gt/infer/prepared.hpp"
#include "gt/nn/passes.hpp"
#include "gt/ops/cross_entropy.hpp"
#include "gt/text/utf8.hpp"

namespace gt::inline GT_ABI {

/// How a text is cut into windows of the model's context.
struct ScoreOptions {
  std::int64_t stride =
      0;  ///< tokens from one window to the next; 0: half the context. Smaller: more context, more time
  std::int64_t batch = 8;                                             ///< windows at a time; no result depends on it
  std::function<bool(std::int64_t done, std::int64_t of)> proceed{};  ///< after each batch, in tokens; false ends it
};

/// Log-likelihoods of all tokens of a text, in nats.
struct Score {
  std::vector<double> log_likelihoods;  ///< log p(token | those before it in its window); of the first: -log V
  std::int64_t stride = 0;              ///< that was used
  bool complete = true;                 ///< false: `proceed` ended it, and what is summed is a part
  /// Of all tokens together: the sum, in nats.
  double log_likelihood() const { return std::accumulate(log_likelihoods.begin(), log_likelihoods.end(), 0.0); }
  double loss() const { return -log_likelihood() / static_cast<double>(log_likelihoods.size()); }  ///< nats a token
  double perplexity() const { return std::exp(loss()); }                                           ///< a token
};

/// Scores all of `ids`. Windows of T = context tokens begin at every multiple of `stride`; a window scores the tokens
/// that the one before it did not, so that each but the first T sees at least T - stride tokens before it. Nothing
/// stands before the very first token: it counts as drawn uniformly from the V tokens, so that sums are over all of the
/// text and exp(log-likelihood) is a probability. The same bits for any batch and any number of threads.
/// Errors: no ids, ids outside of the vocabulary, a stride outside of 1 ... T.
/// Source: the strided perplexity of Hugging Face's documentation ("Perplexity of fixed-length models").
template <Backend B, class Model>
Score score(B const& on, Model const& model, std::span<std::int32_t const> ids, ScoreOptions const& options = {}) {
  using T = typename Model::scalar;
  std::int64_t const context = model.context(), count = static_cast<std::int64_t>(ids.size());
  std::int64_t const stride = options.stride == 0 ? (context + 1) / 2 : options.stride;
  check(count > 0, "score", "there must be at least one token to score (got none)");
  check(stride >= 1 && stride <= context, "score", "the stride must lie in 1 ... ", context,
        ", the model's context (got ", stride, ")");
  check(options.batch > 0, "score", "the batch must be positive (got ", options.batch, ")");
  for (std::int32_t const id : ids) {
    check(id >= 0 && id < model.vocab(), "score", "every id must lie in [0, ", model.vocab(), ") (got ", id, ")");
  }
  Score result{.log_likelihoods = {-std::log(static_cast<double>(model.vocab()))}, .stride = stride};
  std::int64_t const predicted = count - 1;  // target i is token i + 1
  if (predicted == 0) return result;

  std::int64_t const length = std::min(context, predicted);
  std::int64_t const windows = 1 + (std::max<std::int64_t>(0, predicted - length) + stride - 1) / stride;
  BatchShape const shape{std::min(options.batch, windows), length};
  auto const rows = static_cast<std::size_t>(shape.rows());
  std::vector<std::int32_t> inputs(rows), targets(rows);
  std::vector<T> nll(rows);
  auto const run = [&](Arena& arena) {
    token_losses(on, model, Vector<std::int32_t const>(inputs.data(), shape.rows()),
                 Vector<std::int32_t const>(targets.data(), shape.rows()), shape, Vector<T>(nll.data(), shape.rows()),
                 arena);
  };
  Arena arena(measure(run));
  result.log_likelihoods.reserve(ids.size());
  for (std::int64_t window = 0; window < windows; window += shape.batch) {
    std::fill(inputs.begin(), inputs.end(), 0);
    std::fill(targets.begin(), targets.end(), no_target);
    for (std::int64_t row = 0; row < shape.batch && window + row < windows; ++row) {
      std::int64_t const begin = (window + row) * stride, fresh = window + row == 0 ? 0 : begin - stride + length;
      for (std::int64_t t = begin; t < std::min(begin + length, predicted); ++t) {
        auto const at = static_cast<std::size_t>(row * length + t - begin);
        inputs[at] = ids[static_cast<std::size_t>(t)];
        if (t >= fresh) targets[at] = ids[static_cast<std::size_t>(t) + 1];
      }
    }
    arena.reset();
    run(arena);
    for (std::size_t i = 0; i < rows; ++i) {
      if (targets[i] == no_target) continue;
      check(std::isfinite(static_cast<double>(nll[i])), "score", "the model's logits must be finite (got others)");
      result.log_likelihoods.push_back(-static_cast<double>(nll[i]));
    }
    auto const done = static_cast<std::int64_t>(result.log_likelihoods.size());
    if (options.proceed && !options.proceed(done, count)) {
      result.complete = done == count;
      break;
    }
  }
  return result;
}

/// The same with weights that are packed once for all calls: for many short texts.
template <Backend B, class Model>
Score score(Prepared<B, Model> const& prepared, std::span<std::int32_t const> ids, ScoreOptions const& options = {}) {
  return score(prepared.on(), prepared.model(), ids, options);
}

/// A score, and what it is a score of.
struct TextScore : Score {
  std::vector<std::int32_t> ids;                                                ///< the tokens, one a log-likelihood
  std::int64_t bytes = 0, characters = 0;                                       ///< of the whole text
  double bits_per_byte() const { return bits() / static_cast<double>(bytes); }  ///< comparable across tokenizers
  double bits_per_character() const { return bits() / static_cast<double>(characters); }  ///< a code point

 private:
  double bits() const { return -log_likelihood() / 0.6931471805599453; }
};

/// Scores a text as `tokenizer` cuts it.   Errors: an empty text; a model and a tokenizer that do not fit.
///
///     double const bits = gt::score(on, model, tokenizer, "It is a truth").bits_per_byte();
template <Backend B, class Model, class Tokenizer>
TextScore score(B const& on, Model const& model, Tokenizer const& tokenizer, std::string_view text,
                ScoreOptions const& options = {}) {
  check(tokenizer.size() == model.vocab(), "score", "the tokenizer must have as many tokens as the model (got ",
        tokenizer.size(), " and ", model.vocab(), ")");
  check(!text.empty(), "score", "the text must not be empty");
  TextScore result;
  result.ids = tokenizer.encode(text);
  static_cast<Score&>(result) = score(on, model, std::span<std::int32_t const>(result.ids), options);
  result.bytes = static_cast<std::int64_t>(text.size());
  for ([[maybe_unused]] auto const unit : utf8::Units{text}) ++result.characters;
  return result;
}
/// The same with weights that are packed once for all calls.
template <Backend B, class Model, class Tokenizer>
TextScore score(Prepared<B, Model> const& prepared, Tokenizer const& tokenizer, std::string_view text,
                ScoreOptions const& options = {}) {
  return score(prepared.on(), prepared.model(), tokenizer, text, options);
}

}  // namespace gt
