// SPDX-License-Identifier: MIT
// Opens a model's folder as whatever type its width asks for.
#pragma once

#include <optional>
#include <string>

#include "gt/formats/hugging_face/model_folder.hpp"
#include "gt/infer/any_model.hpp"

namespace gt {

/// The model in `folder`, all frozen, for the backend `on`: as a type of static width where its width is in the list
/// (and its MLP is four times as wide), else as the one generic type, whose width is a run-time value; the results are
/// equal.   Errors: those of `load_model`.
template <int... Widths, class J = Json, Backend B>
BasicAnyModel<B> load_any_model(B const&, std::string const& folder) {
  constexpr int later = BlockConfig::run_time;
  [[maybe_unused]] ModelFolderConfig const c = read_model_config<J>(folder);
  std::optional<BasicAnyModel<B>> model;
  [[maybe_unused]] auto const load = [&]<int W>() {
    if (model || c.block.d_model != W || c.block.d_ff != 0) return;
    model.emplace(load_model<Transformer<BlockConfig{.d_model = W, .heads = later}>, J>(folder));
  };
  (load.template operator()<Widths>(), ...);
  if (!model) model.emplace(load_model<Transformer<BlockConfig{.d_model = later, .heads = later}>, J>(folder));
  return *model;
}

}  // namespace gt
