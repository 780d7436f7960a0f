// SPDX-License-Identifier: MIT
// A model that says what it is told, to see what generation does with it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gt/nn/transformer.hpp"
#include "gt/substrate/frozen_table.hpp"
#include "gt/text/tokenizer.hpp"

namespace gt::test {

/// Tokens that follow each other in the given order; none may appear twice. `<s>` and `</s>` are special, `<0xE2>` is a
/// byte, the others are texts of their own. Behind the last token comes the first again.
///
/// The model has no blocks: its table is the identity, and row j of its head points along the token before j. The
/// likeliest next token is thus a function of the last one alone.
class Recital {
 public:
  static constexpr BlockConfig shape{.d_model = 64, .heads = 1};

  explicit Recital(std::vector<std::string> const& tokens, std::int64_t context = 64)
      : tokenizer_{Tokenizer(vocabulary_of(tokens), {})},
        model_{identity(tokenizer_.size()), shape, Seed{}, {.context = context}} {
    auto const V = static_cast<std::size_t>(tokenizer_.size());
    float* const head = model_.head_buffer().data() + 2 * shape.d_model;
    std::fill_n(head, V * shape.d_model, 0.0F);
    for (std::size_t i = 0; i < V; ++i) head[(i + 1) % V * shape.d_model + i] = 1;
  }

  Tokenizer const& tokenizer() const { return tokenizer_; }
  Transformer<> const& model() const { return model_; }

 private:
  static Vocabulary vocabulary_of(std::vector<std::string> const& tokens) {
    Vocabulary vocabulary;
    for (auto const& token : tokens) {
      vocabulary.add(token, token == "<s>" || token == "</s>"             ? TokenKind::special
                            : byte_of_token(token)                        ? TokenKind::byte
                            : utf8::decode(token, 0).size == token.size() ? TokenKind::character
                                                                          : TokenKind::ngram);
    }
    return vocabulary;
  }
  static FrozenTable identity(std::int64_t V) {
    Buffer<float> rows(V * shape.d_model);
    for (std::int64_t i = 0; i < V; ++i) rows[i * shape.d_model + i] = 1;
    return FrozenTable("identity", V, shape.d_model, std::move(rows), "identity");
  }

  Tokenizer tokenizer_;
  Transformer<> model_;
};

}  // namespace gt::test
