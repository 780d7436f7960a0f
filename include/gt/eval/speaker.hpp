// SPDX-License-Identifier: MIT
// Many short answers from one model: what each prompt is continued with, once or several times.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/core/backend.hpp"
#include "gt/infer/prepared.hpp"
#include "gt/infer/sampler.hpp"
#include "gt/infer/session.hpp"
#include "gt/text/tokenizer.hpp"

namespace gt::inline GT_ABI {

/// Continues prompts. A prompt is run once, however often it is continued; memory is taken once for all prompts; all
/// draws are of one stream. The tokenizer must outlive it.
template <Backend B, class Model, class Tokenizer>
class Speaker {
 public:
  /// Errors: a model and a tokenizer that do not fit; those of check_sampler.
  Speaker(Prepared<B, Model> const& prepared, Tokenizer const& tokenizer, SamplerOptions const& sampler)
      : tokenizer_{tokenizer}, session_(prepared), sampler_(sampler) {
    std::int64_t const V = prepared.model().vocab();
    check(tokenizer.size() == V, "Speaker", "the tokenizer must have as many tokens as the model (got ",
          tokenizer.size(), " and ", V, ")");
  }
  /// With packed weights of its own.
  Speaker(B on, Model const& model, Tokenizer const& tokenizer, SamplerOptions const& sampler)
      : Speaker(Prepared<B, Model>(on, model), tokenizer, sampler) {}

  /// `times` continuations of a prompt, each of at most `tokens` tokens. One ends at the tokenizer's end of text, once
  /// `until(continuation)` holds, or when the context is full; special tokens are left out, and no token is banned. A
  /// prompt that leaves less than the tokens, and less than a quarter of the context, loses its beginning.
  /// Errors: a prompt without a token; tokens or times below 1.
  template <class Until>
  std::vector<std::string> operator()(std::string_view prompt, std::int64_t tokens, int times, Until const& until) {
    check(tokens > 0 && times > 0, "Speaker", "tokens and times must be positive (got ", tokens, " and ", times, ")");
    auto ids = tokenizer_.encode(prompt);
    std::int64_t const context = session_.model().context();
    auto const room = context + 1 - std::min(tokens, std::max<std::int64_t>(context / 4, 1));  // the last is not fed
    if (static_cast<std::int64_t>(ids.size()) > room) {
      ids.erase(ids.begin(), ids.end() - room);
      ++cut_prompts_;
    }
    tokens = std::min(tokens, context + 1 - static_cast<std::int64_t>(ids.size()));
    session_.reset();
    auto const logits = session_.feed(ids);
    std::vector<T> const after_prompt(logits.begin(), logits.end());
    std::vector<std::string> said;
    for (int time = 0; time < times; ++time) {
      session_.rewind(static_cast<std::int64_t>(ids.size()));
      std::span<T const> next = after_prompt;
      std::string continuation;
      for (std::int64_t t = 0; t < tokens; ++t) {
        std::int32_t const id = sampler_(next);
        if (id == tokenizer_.eos()) break;
        tokenizer_.decode_into(id, continuation, Specials::skip);
        if (until(continuation)) break;
        if (t + 1 < tokens) next = session_.feed(std::span(&id, 1));
      }
      said.push_back(std::move(continuation));
    }
    return said;
  }

  std::int64_t cut_prompts() const { return cut_prompts_; }  ///< prompts so far that did not fit the context

 private:
  using T = typename Model::scalar;
  Tokenizer const& tokenizer_;
  Session<B, Model> session_;
  Sampler sampler_;
  std::int64_t cut_prompts_ = 0;
};

}  // namespace gt
