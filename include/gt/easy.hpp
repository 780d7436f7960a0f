// SPDX-License-Identifier: MIT
// The same functions without a backend: they run on the CPU, on all cores.
#pragma once

#include <concepts>
#include <cstdint>
#include <ostream>
#include <string_view>
#include <type_traits>
#include <utility>

#include "gt/cpu.hpp"
#include "gt/grow/grow.hpp"
#include "gt/grow/policy.hpp"
#include "gt/infer/any_model.hpp"
#include "gt/infer/generate.hpp"
#include "gt/infer/prepared.hpp"
#include "gt/infer/score.hpp"
#include "gt/text/tokenizer.hpp"

namespace gt::inline GT_ABI {

/// A corpus as token ids, with what is needed to count bytes: what the short form of `grow` takes.
struct TrainingText {
  TokenizedCorpus tokens;                     ///< a part to train on, and a part held out
  std::vector<std::int32_t> bytes_of_tokens;  ///< [V], how long each token is
};
/// Encodes a corpus; its last 5 % are held out.
inline TrainingText training_text(Corpus const& corpus, Tokenizer const& tokenizer) {
  return {corpus.tokens(tokenizer), token_bytes(tokenizer)};
}

/// Grows a model on all cores. B is a parameter so that translation units for different instruction sets stay apart.
template <Backend B = Cpu<>, class Model, class... Observers>
requires(std::derived_from<std::remove_cvref_t<Observers>, GrowthObserver>&&...) GrowthResult
    grow(Model& model, GrowthPlan const& plan, TrainingText const& text, GrowOptions const& options,
         Observers&&... observers) {
  return grow(B{}, model, plan, text.tokens, text.bytes_of_tokens, options, std::forward<Observers>(observers)...);
}

/// Grows a model on all cores for about `tokens` tokens, in stages that `policy` begins.
template <Backend B = Cpu<>, class Model, GrowthPolicy P, class... Observers>
requires(std::derived_from<std::remove_cvref_t<Observers>, GrowthObserver>&&...) GrowthResult
    grow_by_policy(Model& model, P policy, std::int64_t tokens, TrainingText const& text, GrowOptions const& options,
                   Observers&&... observers) {
  return grow_by_policy(B{}, model, std::move(policy), tokens, text.tokens, text.bytes_of_tokens, options,
                        std::forward<Observers>(observers)...);
}

/// Continues a prompt on all cores, writing it to `out` as it comes.
template <Backend B = Cpu<>, class Model>
Generated generate(Model const& model, Tokenizer const& tokenizer, std::string_view prompt,
                   GenerateOptions const& options, std::ostream& out) {
  return generate(B{}, model, tokenizer, prompt, options, [&](std::string_view piece) { out << piece << std::flush; });
}

/// The same for a model that is prepared for many prompts, on the backend that it is prepared for.
template <Backend B, class Model>
Generated generate(Prepared<B, Model> const& prepared, Tokenizer const& tokenizer, std::string_view prompt,
                   GenerateOptions const& options, std::ostream& out) {
  return generate(prepared, tokenizer, prompt, options, [&](std::string_view piece) { out << piece << std::flush; });
}

/// Scores a text on all cores.
template <Backend B = Cpu<>, class Model>
TextScore score(Model const& model, Tokenizer const& tokenizer, std::string_view text,
                ScoreOptions const& options = {}) {
  return score(B{}, model, tokenizer, text, options);
}
/// The same for a model that is prepared for many texts, on the backend that it is prepared for.
template <Backend B, class Model>
TextScore score(Prepared<B, Model> const& prepared, Tokenizer const& tokenizer, std::string_view text,
                ScoreOptions const& options = {}) {
  return score(prepared.on(), prepared.model(), tokenizer, text, options);
}

/// Any model on the CPU.
using AnyModel = BasicAnyModel<Cpu<>>;

}  // namespace gt
