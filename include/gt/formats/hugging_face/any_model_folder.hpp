// SPDX-License-Identifier: MIT
// Opens a model's folder as whatever type its kind of block asks for.
#pragma once

#include <string>

#include "gt/formats/hugging_face/model_folder.hpp"
#include "gt/infer/any_model.hpp"

namespace gt::inline GT_ABI {

/// The model in `folder`, all frozen, for the backend `on`.   Errors: those of `load_model`.
template <Backend B>
BasicAnyModel<B> load_any_model(B const&, std::string const& folder) {
  return BasicAnyModel<B>(load_model<Transformer<>>(folder));
}
/// The same of a folder that is open.
template <Backend B>
BasicAnyModel<B> load_any_model(B const&, ModelFolder const& folder) {
  return BasicAnyModel<B>(load_model(folder));
}

}  // namespace gt
