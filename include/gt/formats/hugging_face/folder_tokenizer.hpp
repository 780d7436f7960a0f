// SPDX-License-Identifier: MIT
// The tokenizer of a model's folder, with as many tokens as the model.
#pragma once

#include <cstdint>
#include <string>

#include "gt/formats/hugging_face/model_config.hpp"
#include "gt/formats/hugging_face/model_folder.hpp"
#include "gt/io/json.hpp"
#include "gt/text/tokenizer.hpp"

namespace gt::inline GT_ABI {

namespace formats {
/// `tokenizer` with `<unused_N>` for each id from its size up to `vocab`, N being the id: models are padded to a
/// multiple of 64, for instance, by rows without a token. A tokenizer of at least that size is as it was.
/// Errors: a token of such a name that is there already.
Tokenizer with_unused_tokens(Tokenizer const& tokenizer, std::int64_t vocab);
}  // namespace formats

/// The tokenizer in the folder of a model, filled up by `formats::with_unused_tokens`.   Errors: those of
/// `Tokenizer::load` and `formats::read_model_config`; a tokenizer of another save than the model.
Tokenizer load_tokenizer(std::string const& folder);
/// The same of a folder that is open.
Tokenizer load_tokenizer(ModelFolder const& folder);

}  // namespace gt

#if !defined(GT_PREBUILT)
  #include "gt/formats/hugging_face/folder_tokenizer_impl.hpp"
#endif
