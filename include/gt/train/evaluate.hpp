// SPDX-License-Identifier: MIT
// How well a model predicts a text it has not seen: bits per byte.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "gt/core/arena.hpp"
#include "gt/core/backend.hpp"
#include "gt/nn/passes.hpp"
#include "gt/text/tokens.hpp"

namespace gt::inline GT_ABI {

/// Sums over the predicted tokens of a text.
struct Evaluation {
  double nats = 0;          ///< sum of -log p(token | tokens before it in its window)
  std::int64_t tokens = 0;  ///< predicted
  std::int64_t bytes = 0;   ///< that these tokens decode to
  bool complete = true;     ///< false: it was ended before all that it was to read

  double loss() const { return tokens > 0 ? nats / static_cast<double>(tokens) : 0; }  ///< nats a token
  double bits_per_byte() const {                                                       ///< comparable across tokenizers
    return bytes > 0 ? nats / (0.6931471805599453 * static_cast<double>(bytes)) : 0;
  }
  double perplexity() const { return std::exp(loss()); }  ///< a token
};

/// Evaluates a model on one text, with memory that is allocated once.
template <Backend B, class Model>
class Evaluator {
 public:
  using T = typename Model::scalar;  ///< in which the model computes
  /// `token_bytes[id]` is the number of bytes that token decodes to.
  Evaluator(B on, BatchShape shape, std::vector<std::int32_t> token_bytes)
      : on_{on},
        shape_{shape},
        token_bytes_{std::move(token_bytes)},
        ids_(static_cast<std::size_t>(shape.rows())),
        targets_(ids_.size()),
        nll_(ids_.size()) {}

  /// After each batch, with the tokens predicted so far and those to predict; false ends it.
  using Proceed = std::function<bool(std::int64_t done, std::int64_t of)>;

  /// Windows of T tokens side by side, each predicting the T tokens one further: every token but the first is predicted
  /// once, those at the start of a window from little context. Where there are more than `most` tokens to predict (0:
  /// no limit) it reads so many in windows spread evenly over the text: window i of w is the text's window
  /// floor((2 i + 1) W / (2 w)) of W, the last one cut. The same `most` reads the same tokens.
  Evaluation operator()(Model const& model, Tokens const& text, std::int64_t most = 0, Proceed const& proceed = {}) {
    check(static_cast<std::int64_t>(token_bytes_.size()) >= model.vocab(), "Evaluator", "each of the ", model.vocab(),
          " tokens needs its bytes (got ", token_bytes_.size(), ")");
    std::int64_t const predicted = std::max<std::int64_t>(0, text.size() - 1);
    std::int64_t const end = most > 0 ? std::min(most, predicted) : predicted;
    std::int64_t const T_ = shape_.tokens, windows = (predicted + T_ - 1) / T_, read = (end + T_ - 1) / T_;
    std::int64_t const needed = measure([&](Arena& arena) { run(model, arena); });
    if (needed > arena_.capacity()) arena_ = Arena(needed);  // the first call, or the model grew, or has adapters now
    Evaluation sum;
    for (std::int64_t first = 0; first < read; first += shape_.batch) {
      std::fill(ids_.begin(), ids_.end(), 0);
      std::fill(targets_.begin(), targets_.end(), no_target);
      for (std::int64_t row = 0; row < shape_.batch && first + row < read; ++row) {
        std::int64_t const w = first + row, begin = (2 * w + 1) * windows / (2 * read) * T_;
        auto const at = static_cast<std::size_t>(row * T_),
                   count = static_cast<std::size_t>(std::min({T_, predicted - begin, end - w * T_}));
        text.copy(begin, std::span(ids_).subspan(at, count));
        text.copy(begin + 1, std::span(targets_).subspan(at, count));
      }
      arena_.reset();
      run(model, arena_);
      for (std::size_t i = 0; i < targets_.size(); ++i) {
        if (targets_[i] == no_target) continue;
        sum.nats += static_cast<double>(nll_[i]);
        sum.bytes += token_bytes_[static_cast<std::size_t>(targets_[i])];
        ++sum.tokens;
      }
      if (proceed && !proceed(sum.tokens, end)) {
        sum.complete = first + shape_.batch >= read;
        break;
      }
    }
    return sum;
  }

 private:
  void run(Model const& model, Arena& arena) {
    std::int64_t const M = shape_.rows();
    token_losses(on_, model, Vector<std::int32_t const>(ids_.data(), M), Vector<std::int32_t const>(targets_.data(), M),
                 shape_, Vector<T>(nll_.data(), M), arena);
  }

  B on_;
  BatchShape shape_;
  std::vector<std::int32_t> token_bytes_, ids_, targets_;
  std::vector<T> nll_;
  Arena arena_;
};

/// Bytes of every token of a tokenizer, for an Evaluator.
template <class Tokenizer>
std::vector<std::int32_t> token_bytes(Tokenizer const& tokenizer) {
  std::vector<std::int32_t> bytes(static_cast<std::size_t>(tokenizer.size()));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::int32_t>(tokenizer.token_bytes(static_cast<std::int32_t>(i)));
  }
  return bytes;
}

}  // namespace gt
