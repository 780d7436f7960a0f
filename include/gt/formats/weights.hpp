// SPDX-License-Identifier: MIT
// The trained tensors of a model of any block, as one safetensors file.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/io/safetensors.hpp"

namespace gt {

namespace detail {

inline constexpr auto table_name = "model.embed_tokens.weight";

/// All tensors but the frozen table, which the substrate gives again.
template <class Model>
std::vector<TensorView> trained_tensors(Model const& model) {
  static_assert(std::is_same_v<typename Model::scalar, float>, "models are saved in fp32");
  std::vector<TensorView> tensors;
  for (auto const& p : model.parameters()) {
    if (p.name == table_name) continue;
    tensors.push_back({p.name, "F32", p.shape, std::as_bytes(std::span(p.data, static_cast<std::size_t>(p.size())))});
  }
  return tensors;
}
/// Copies them from a file that has `others` tensors beside them; nothing is copied unless all of them fit.
template <class Model>
void copy_trained_tensors(Safetensors const& file, std::size_t others, Model& model, std::string const& where) {
  auto const substrate = file.metadata().find("gt.substrate");
  check(substrate != file.metadata().end() && substrate->second == model.substrate_fingerprint(), where,
        "the weights must have been trained on this model's substrate (got another one, or none)");
  auto const tensors = trained_tensors(model);
  std::string wrong;
  for (auto const& tensor : tensors) {
    TensorView const* const found = file.find(tensor.name);
    if (!found || found->dtype != tensor.dtype || found->shape != tensor.shape)
      wrong += text(wrong.empty() ? "" : ", ", tensor.name, found ? " is misshapen" : " is missing");
  }
  if (file.tensors().size() != tensors.size() + others)
    wrong +=
        text(wrong.empty() ? "" : ", ", file.tensors().size() - others, " tensors where ", tensors.size(), " belong");
  check(wrong.empty(), where, "the tensors must be those of the model of ", model.depth(), " blocks (got: ", wrong,
        ")");
  for (auto const& p : model.parameters()) {
    if (p.name == table_name) continue;
    auto const bytes = file.find(p.name)->bytes;
    std::copy(bytes.begin(), bytes.end(), reinterpret_cast<std::byte*>(p.data));
  }
}

}  // namespace detail

/// Writes all tensors but the substrate's table, by name, completely or not at all. For models of a user's own block;
/// one of gt's block is better saved with `save`, which other programs can read.
template <class Model>
void save_weights(Model const& model, std::string const& path) {
  auto const tensors = detail::trained_tensors(model);
  write_safetensors(path, std::span<TensorView const>(tensors),
                    {{"format", "pt"}, {"gt.substrate", model.substrate_fingerprint()}});
}
/// Reads them into a model of the same blocks on the same substrate.   Errors, each naming the file: missing, surplus
/// or misshapen tensors, all listed; another substrate; damage. The model is then as it was.
template <class Model>
void load_weights(Model& model, std::string const& path) {
  detail::copy_trained_tensors(Safetensors::open(path), 0, model, text("load_weights '", path, "'"));
}

}  // namespace gt
