// SPDX-License-Identifier: MIT
// The trained tensors of a model of any block, as one safetensors file.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/formats/hugging_face/tensor_faults.hpp"
#include "gt/io/safetensors.hpp"
#include "gt/substrate/learned_embedding.hpp"

namespace gt::inline GT_ABI {

namespace detail {

inline constexpr auto table_name = "model.embed_tokens.weight";

/// Whether a tensor is saved with what was trained: all but a frozen table, which the substrate gives again.
template <class Model>
bool was_trained(Model const& model, std::string const& name) {
  return name != table_name || model.substrate_method() == LearnedEmbedding::name;
}
/// Throws unless all numbers of tensors that are saved or read are finite: nothing can be done with others.
inline void check_finite(std::span<io::TensorView const> tensors, std::string_view where) {
  for (auto const& t : tensors)
    check(t.dtype != "F32" || all_finite(t.bytes), where, "the weights must be finite (got others in ", t.name,
          "; did training or an adapter's scale carry them off?)");
}
/// All tensors that were trained.
template <class Model>
std::vector<io::TensorView> trained_tensors(Model const& model) {
  static_assert(std::is_same_v<typename Model::scalar, float>, "models are saved in fp32");
  std::vector<io::TensorView> tensors;
  for (auto const& p : model.parameters()) {
    if (!was_trained(model, p.name)) continue;
    tensors.push_back({p.name, "F32", p.shape, std::as_bytes(std::span(p.data, static_cast<std::size_t>(p.size())))});
  }
  return tensors;
}
/// Throws unless `file` holds, beside `others` more, the trained tensors of a model of these shapes and substrate.
template <class Model, class Shapes>
void check_trained_tensors(io::Safetensors const& file, std::size_t others, Model const& model, Shapes const& shapes,
                           int depth, std::string const& where) {
  auto const substrate = file.metadata().find("gt.substrate");
  check(substrate != file.metadata().end() && substrate->second == model.substrate_origin(), where,
        "the weights must have been trained on this model's substrate (got another one, or none)");
  TensorFaults faults;
  std::size_t count = others;
  for (auto const& [name, sizes] : shapes) {
    if (!was_trained(model, name)) continue;
    ++count;
    io::TensorView const* const found = file.find(name);
    if (!found) {
      faults.add(name, " is missing");
    } else if (found->dtype != "F32") {
      faults.add(name, text(" is of type ", found->dtype));
    } else if (found->shape != sizes) {
      faults.add(name, " is misshapen");
    }
  }
  if (auto const there = file.tensors().size(); there != count)
    faults.add(text(there - others), text(" tensors where ", count - others, " belong"));
  check(faults.none(), where, "the tensors must be those of the model of ", depth, " blocks (got: ", faults.list(),
        ")");
}
/// Copies them into a model of these shapes.
template <class Model>
void copy_trained_tensors(io::Safetensors const& file, Model& model) {
  model.unshare();
  bool const with_table = was_trained(model, table_name), table_trains = model.table_trains();
  if (with_table) model.set_table_trainable(true);  // in a copy of its own
  for (auto const& p : model.parameters()) {
    if (!was_trained(model, p.name)) continue;
    auto const bytes = file.find(p.name)->bytes;
    std::copy(bytes.begin(), bytes.end(), reinterpret_cast<std::byte*>(p.data));
  }
  if (with_table) model.set_table_trainable(table_trains);
}

}  // namespace detail

/// Writes all tensors but a frozen substrate's table, by name, completely or not at all. For models of a user's own
/// block; one of gt's block is better saved with `save`, which other programs can read.
template <class Model>
void save_weights(Model const& model, std::string const& path) {
  auto const tensors = detail::trained_tensors(model);
  detail::check_finite(tensors, "save_weights");
  io::write_safetensors(path, std::span<io::TensorView const>(tensors),
                        {{"format", "pt"}, {"gt.substrate", model.substrate_origin()}});
}
/// Reads them into a model of the same blocks on the same substrate.   Errors, each naming the file: missing, surplus
/// or misshapen tensors, listed; another substrate; damage. The model is then as it was.
template <class Model>
void load_weights(Model& model, std::string const& path) {
  auto const file = io::Safetensors::open(path);
  auto const shapes = Model::tensor_shapes(model.config(), model.vocab(), model.table_width(), model.depth(),
                                           model.has_head_bias(), model.lora(), model.adapted());
  std::string const where = text("load_weights '", path, "'");
  detail::check_trained_tensors(file, 0, model, shapes, model.depth(), where);
  detail::check_finite(file.tensors(), where);
  detail::copy_trained_tensors(file, model);
}

}  // namespace gt
