// SPDX-License-Identifier: MIT
// The tokenizer of a model's folder, with as many tokens as the model.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "gt/base/error.hpp"
#include "gt/formats/hugging_face/model_config.hpp"
#include "gt/formats/hugging_face/model_folder.hpp"
#include "gt/io/json.hpp"
#include "gt/text/tokenizer.hpp"
#include "gt/text/tokenizer_json.hpp"
#include "gt/text/vocabulary.hpp"

namespace gt::inline GT_ABI {

/// `tokenizer` with `<unused_N>` for each id from its size up to `vocab`, N being the id: models are padded to a
/// multiple of 64, for instance, by rows without a token. A tokenizer of at least that size is as it was.
/// Errors: a token of such a name that is there already.
inline Tokenizer with_unused_tokens(Tokenizer const& tokenizer, std::int64_t vocab) {
  if (tokenizer.size() >= vocab) return tokenizer;
  Vocabulary vocabulary = tokenizer.vocabulary();
  while (vocabulary.size() < vocab) vocabulary.add(text("<unused_", vocabulary.size(), ">"), TokenKind::unused);
  return Tokenizer(std::move(vocabulary), tokenizer.merges(), tokenizer.unknown());
}

namespace detail {

/// One read from `folder`, filled up, or an Error.
inline Tokenizer of_model(Tokenizer const& tokenizer, std::string const& folder, ModelFolderConfig const& config) {
  check(!config.own || tokenizer.fingerprint() == config.tokenizer_fingerprint, "load",
        "the model and the tokenizer.json in '", folder, "' must come from one save");
  return with_unused_tokens(tokenizer, config.vocab);
}

}  // namespace detail

/// The tokenizer in the folder of a model, filled up by `with_unused_tokens`.   Errors: those of `Tokenizer::load` and
/// `read_model_config`; a tokenizer of another save than the model.
template <class J = Json>
Tokenizer load_tokenizer(std::string const& folder) {
  auto const tokenizer = TokenizerJson::load<J>(folder + "/tokenizer.json");
  return detail::of_model(tokenizer, folder, read_model_config<J>(folder));
}
/// The same of a folder that is open.
template <class J = Json>
Tokenizer load_tokenizer(ModelFolder const& folder) {
  return detail::of_model(TokenizerJson::load<J>(folder.path + "/tokenizer.json"), folder.path, folder.config);
}

}  // namespace gt
