// SPDX-License-Identifier: MIT
// What gt/formats/hugging_face/folder_tokenizer.hpp declares.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/formats/hugging_face/folder_tokenizer.hpp"
#include "gt/formats/hugging_face/model_config.hpp"
#include "gt/formats/hugging_face/model_folder.hpp"
#include "gt/text/tokenizer.hpp"
#include "gt/text/tokenizer_json.hpp"
#include "gt/text/vocabulary.hpp"

namespace gt::inline GT_ABI {

GT_FN Tokenizer formats::with_unused_tokens(Tokenizer const& tokenizer, std::int64_t vocab) {
  if (tokenizer.size() >= vocab) return tokenizer;
  Vocabulary vocabulary = tokenizer.vocabulary();
  while (vocabulary.size() < vocab) vocabulary.add(text("<unused_", vocabulary.size(), ">"), TokenKind::unused);
  return Tokenizer(std::move(vocabulary), tokenizer.merges(), tokenizer.unknown());
}

namespace detail {

/// One read from `folder`, filled up, or an Error.
GT_FN Tokenizer of_model(Tokenizer const& tokenizer, std::string const& folder,
                         formats::ModelFolderConfig const& config) {
  check(!config.own || tokenizer.fingerprint() == config.tokenizer_fingerprint, "load",
        "the model and the tokenizer.json in '", folder, "' must come from one save");
  return formats::with_unused_tokens(tokenizer, config.vocab);
}

}  // namespace detail

GT_FN Tokenizer load_tokenizer(std::string const& folder) {
  auto const tokenizer = TokenizerJson::load(folder + "/tokenizer.json");
  return detail::of_model(tokenizer, folder, formats::read_model_config(folder));
}

GT_FN Tokenizer load_tokenizer(ModelFolder const& folder) {
  return detail::of_model(TokenizerJson::load(folder.path + "/tokenizer.json"), folder.path, folder.config);
}

}  // namespace gt
