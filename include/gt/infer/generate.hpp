// SPDX-License-Identifier: MIT
// Text from a model, a whole character at a time.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/core/backend.hpp"
#include "gt/infer/prepared.hpp"
#include "gt/infer/sampler.hpp"
#include "gt/infer/session.hpp"
#include "gt/text/utf8.hpp"
#include "gt/text/vocabulary.hpp"

namespace gt::inline GT_ABI {

/// What is asked of `generate`.
struct GenerateOptions {
  std::int64_t max_tokens = 200;     ///< drawn at most
  SamplerOptions sampler{};          ///< how each is drawn
  std::vector<std::string> stop{};   ///< texts that end it; they are not given out
  bool special_tokens = false;       ///< spellings of special tokens in the prompt are these tokens, not their letters
  std::function<bool()> cancel{};    ///< asked before each token
  std::function<void()> on_slide{};  ///< called once, when the context is full and its older half is forgotten
};

/// What ended a text: `max_tokens`, the tokenizer's end of text, a text of `stop`, or `cancel`.
enum class GenerateEnd { max_tokens, end_of_text, stop_text, cancelled };

/// What `generate` did.
struct Generated {
  GenerateEnd end = GenerateEnd::max_tokens;   ///< why it ended
  std::int64_t prompt_tokens = 0, tokens = 0;  ///< of the whole prompt; drawn, an end of text included
};

namespace detail {
/// Holds back what may still change: an unfinished character, or the beginning of a stop text.
class StopFilter {
 public:
  explicit StopFilter(std::vector<std::string> const& stops) : stops_{stops} {}
  /// Takes more text; gives what is certain to `sink`. True once a stop text appeared: the text before it was given
  /// out.
  template <class Sink>
  bool take(std::string_view more, Sink const& sink, bool last) {
    held_ += more;
    std::size_t at = std::string::npos;
    for (auto const& stop : stops_) {
      if (!stop.empty()) at = std::min(at, held_.find(stop));
    }
    if (at != std::string::npos) {
      give(at, sink);
      return true;
    }
    std::size_t certain = utf8::complete_prefix(held_);  // a character that the end cuts off is left out
    if (!last) {
      for (auto const& stop : stops_) {  // the longest end of the text that begins a stop text waits
        for (std::size_t n = std::min(stop.size(), held_.size()); n > 0; --n) {
          if (held_.ends_with(std::string_view(stop).substr(0, n))) {
            certain = std::min(certain, held_.size() - n);
            break;
          }
        }
      }
    }
    give(certain, sink);
    return false;
  }

 private:
  template <class Sink>
  void give(std::size_t bytes, Sink const& sink) {
    if (bytes > 0) sink(std::string_view(held_).substr(0, bytes));
    held_.erase(0, bytes);
  }
  std::vector<std::string> const& stops_;
  std::string held_;
};

using TextSink = std::function<void(std::string_view)>;

/// `generate` with the sink's type forgotten: one function a backend and a kind of model, which gt::prebuilt may have.
template <Backend B, class Model, class Tokenizer>
Generated continue_text(Prepared<B, Model> const& prepared, Tokenizer const& tokenizer, std::string_view prompt,
                        GenerateOptions const& options, TextSink const& sink) {
  Model const& model = prepared.model();
  check(tokenizer.size() <= model.vocab(), "generate", "the tokenizer must have as many tokens as the model (got ",
        tokenizer.size(), " and ", model.vocab(), ")");
  auto history = options.special_tokens ? tokenizer.encode_with_specials(prompt) : tokenizer.encode(prompt);
  Generated result{.prompt_tokens = static_cast<std::int64_t>(history.size())};
  if (history.empty()) history.push_back(tokenizer.bos().value_or(0));
  auto const context = static_cast<std::size_t>(model.context());
  bool slid = false;
  auto const keep_last = [&](std::size_t n) {
    if (!slid && options.on_slide) options.on_slide();
    slid = true;
    history.erase(history.begin(), history.end() - static_cast<std::ptrdiff_t>(std::min(n, history.size())));
  };
  if (history.size() >= context) keep_last(context - std::min<std::size_t>(context / 4, context - 1));

  std::vector<std::int32_t> banned;  // tokens that stand for no text
  auto const eos = tokenizer.eos();
  for (std::int32_t id = 0; id < tokenizer.size(); ++id) {
    std::string spelling;
    tokenizer.decode_into(id, spelling);
    if ((tokenizer.token_bytes(id) == 0 || is_unused_token(spelling)) && id != eos) banned.push_back(id);
  }
  for (std::int64_t id = tokenizer.size(); id < model.vocab(); ++id) banned.push_back(static_cast<std::int32_t>(id));
  Session<B, Model> session(prepared);
  Sampler sampler(options.sampler);
  detail::StopFilter filter(options.stop);
  std::span<std::int32_t const> fresh = history;
  std::string piece;
  while (result.tokens < options.max_tokens) {
    if (options.cancel && options.cancel()) {
      result.end = GenerateEnd::cancelled;
      break;
    }
    std::int32_t const next = sampler(session.feed(fresh), banned);
    ++result.tokens;
    if (next == eos) {
      result.end = GenerateEnd::end_of_text;
      break;
    }
    history.push_back(next);
    piece.clear();
    tokenizer.decode_into(next, piece);
    if (filter.take(piece, sink, false)) {
      result.end = GenerateEnd::stop_text;
      return result;
    }
    if (session.room() > 0 || result.tokens == options.max_tokens) {
      fresh = std::span(history).last(1);
    } else {
      session.reset();
      keep_last(context / 2 > 0 ? context / 2 : 1);
      fresh = history;
    }
  }
  filter.take("", sink, true);
  return result;
}
}  // namespace detail

/// Continues `prompt` and gives the text to `sink(std::string_view)` as it comes, always in whole characters. It ends
/// after `max_tokens`, at the tokenizer's end of text, or before a stop text. A prompt longer than the context keeps
/// its last part. When the context is full, its older half is forgotten and the rest read again. An empty prompt starts
/// from the tokenizer's begin of text. Ids of the model without a token are never drawn.   Errors: a tokenizer of more
/// tokens than the model.
template <Backend B, class Model, class Tokenizer, std::invocable<std::string_view> Sink>
Generated generate(Prepared<B, Model> const& prepared, Tokenizer const& tokenizer, std::string_view prompt,
                   GenerateOptions const& options, Sink const& sink) {
  return detail::continue_text(prepared, tokenizer, prompt, options, detail::TextSink(std::cref(sink)));
}
/// The same for one prompt alone: weights are packed for it, and forgotten.
template <Backend B, class Model, class Tokenizer, std::invocable<std::string_view> Sink>
Generated generate(B const& on, Model const& model, Tokenizer const& tokenizer, std::string_view prompt,
                   GenerateOptions const& options, Sink const& sink) {
  return generate(Prepared<B, Model>(on, model), tokenizer, prompt, options, sink);
}

}  // namespace gt
