// SPDX-License-Identifier: MIT
// Low-rank adapters as folders of Hugging Face's PEFT: adapter_config.json and adapter_model.safetensors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/formats/hugging_face/model_config.hpp"
#include "gt/formats/hugging_face/model_folder.hpp"
#include "gt/formats/hugging_face/tensor_files.hpp"
#include "gt/formats/hugging_face/tensor_reader.hpp"
#include "gt/formats/name_map.hpp"
#include "gt/io/atomic_file.hpp"
#include "gt/io/folder.hpp"
#include "gt/io/json.hpp"
#include "gt/io/safetensors.hpp"
#include "gt/io/staging.hpp"
#include "gt/io/text_file.hpp"
#include "gt/nn/lora_config.hpp"

namespace gt::inline GT_ABI {

namespace detail {

inline constexpr auto peft_prefix = "base_model.model.";
inline bool is_adapter(std::string const& name) { return name.find(".lora_") != name.npos; }

}  // namespace detail

/// Writes the adapters of `model` into `folder`, making it where it is missing: what `peft` loads on the model that
/// `save` writes of the same weights without adapters. `base` is that model's folder or name, for readers.
/// Errors: a model without adapters; a folder that cannot be written. Nothing good is then overwritten.
template <class Model, class J = Json>
void save_adapter(Model const& model, std::string const& folder, std::string const& base = "") {
  static_assert(std::is_same_v<typename Model::scalar, float>, "adapters are saved in fp32");
  check(model.has_adapters(), "save_adapter",
        "the model must have adapters (got none); merged ones are in its weights");
  LoraConfig const lora = model.lora();
  J targets = J::array();
  for (auto const* name : {"q_proj", "k_proj", "v_proj", "o_proj", "c_fc", "c_proj"})
    if (("," + to_text(lora.targets) + ",").find(text(",", name, ",")) != std::string::npos) targets.push_back(name);
  J config{{"peft_type", "LORA"},
           {"task_type", "CAUSAL_LM"},
           {"base_model_name_or_path", base.empty() ? J(nullptr) : J(base)},
           {"inference_mode", true},
           {"r", lora.rank},
           {"lora_alpha", lora.alpha != 0 ? lora.alpha : lora.rank},
           {"lora_dropout", 0.0},
           {"use_rslora", lora.rank_stabilised},
           {"bias", "none"},
           {"fan_in_fan_out", false},
           {"target_modules", targets},
           {"modules_to_save", nullptr}};
  if (model.adapted() < model.depth()) {  // PEFT finds the number of a block behind `layers_pattern`
    std::vector<int> layers(static_cast<std::size_t>(model.adapted()));
    std::iota(layers.begin(), layers.end(), 0);
    config["layers_to_transform"] = layers, config["layers_pattern"] = "layers";
  }
  std::vector<TensorView> tensors;
  for (auto const& p : model.parameters()) {
    if (detail::is_adapter(p.name))
      tensors.push_back({detail::peft_prefix + p.name, "F32", p.shape, detail::bytes_of(p.data, p.size())});
  }
  make_folder(folder);
  detail::Staging staging(folder);
  write_safetensors(staging.file("adapter_model.safetensors"), std::span<TensorView const>(tensors),
                    {{"format", "pt"}, {"gt.substrate", model.substrate_fingerprint()}});
  write_file_atomically(staging.file("adapter_config.json"), dump_json(config, "save_adapter", 2) + "\n");
  staging.commit();
}

/// What an adapter_config.json says.
struct PeftConfig {
  LoraConfig lora{};        ///< rank, scale, matrices
  std::vector<int> layers;  ///< the blocks that have one; empty: all
  std::string base;         ///< what the adapter was trained on, as its writer named it; may be empty
};

/// Reads and checks an adapter_config.json.   Errors: a malformed text; a kind of adapter that gt has not, with its
/// name.
template <class J>
PeftConfig peft_config_of(J const& json, std::string const& where) {
  auto const kind = json_get<std::string>(json, "peft_type", where);
  check(kind == "LORA", where, "peft_type must be LORA (got ", detail::in_quotes(kind), ")");
  auto const given = [&](char const* key) { return json.contains(key) && !json[key].is_null(); };
  auto const flag = [&](char const* key) { return given(key) && json_get<bool>(json, key, where); };
  for (auto const* key : {"use_dora", "fan_in_fan_out", "lora_bias", "use_qalora"})
    check(!flag(key), where, key, " must be false: gt's adapters are W + s B A");
  for (auto const* key : {"rank_pattern", "alpha_pattern", "modules_to_save", "exclude_modules", "target_parameters"})
    check(!given(key) || json[key].empty(), where, key, " must be empty: gt has one rank and scale for all of a model");
  check(!given("bias") || json_get<std::string>(json, "bias", where) == "none", where, "bias must be none");
  PeftConfig c;
  c.lora.rank = json_get<int>(json, "r", where);
  c.lora.alpha = json_get<double>(json, "lora_alpha", where);
  c.lora.rank_stabilised = flag("use_rslora");
  check(json.contains("target_modules") && json["target_modules"].is_array(), where,
        "target_modules must list the names of matrices");
  std::string names;
  for (auto const& name : json_get<std::vector<std::string>>(json, "target_modules", where))
    names += (names.empty() ? "" : ",") + name;
  check(!names.empty(), where, "target_modules must name a matrix");
  c.lora.targets = lora_targets(names);
  if (given("layers_to_transform")) {
    c.layers = json["layers_to_transform"].is_array()
                   ? json_get<std::vector<int>>(json, "layers_to_transform", where)
                   : std::vector<int>{json_get<int>(json, "layers_to_transform", where)};
    for (std::size_t i = 0; i < c.layers.size(); ++i)
      check(c.layers[i] == static_cast<int>(i), where,
            "layers_to_transform must be the lowest blocks, 0, 1, ... in order (got ", c.layers[i], ")");
  }
  if (given("base_model_name_or_path")) c.base = json_get<std::string>(json, "base_model_name_or_path", where);
  return c;
}

/// Reads the adapters in `folder`, of PEFT or `save_adapter`, into a model that has none: `merge_adapters` then adds
/// them to its weights. All is frozen.   Errors, each naming the file: a kind of adapter that gt has not; a rank above
/// the width; missing, surplus or misshapen tensors, all listed; an adapter that gt saved for another substrate. The
/// model is then as it was.
template <class Model, class J = Json>
void load_adapter(Model& model, std::string const& folder) {
  std::string const file = folder + "/adapter_config.json", where = text("load_adapter '", folder, "'");
  check(!model.has_adapters(), where, "the model must have no adapters yet; merge or drop them first");
  PeftConfig const c = peft_config_of<J>(parse_json<J>(read_text_file(file), file), text("load_adapter '", file, "'"));
  check_lora(c.lora, model.config());
  int const adapted = c.layers.empty() ? model.depth() : static_cast<int>(c.layers.size());
  check(adapted >= 1 && adapted <= model.depth(), where, "the adapted blocks must be the model's (got ", adapted,
        " of ", model.depth(), ")");
  auto const files = TensorFiles::open<J>(folder, "adapter_model");
  for (auto const& opened : files.files()) {
    auto const substrate = opened.metadata().find("gt.substrate");
    check(substrate == opened.metadata().end() || substrate->second == model.substrate_fingerprint(), where,
          "the adapter must be of a model on this substrate");
  }
  ModelFolderConfig shape;
  shape.block = model.config(), shape.kv_heads = model.config().heads;
  NameMap const names = NameMap::with_prefix(detail::peft_prefix);
  detail::TensorReader reader(files, names, shape, where);
  for (auto const& [name, sizes] : Model::tensor_shapes(model.config(), model.vocab(), model.table_width(),
                                                        model.depth(), model.has_head_bias(), c.lora, adapted)) {
    if (detail::is_adapter(name)) reader.expect(name, sizes);
  }
  reader.finish();
  model.attach_adapters(c.lora, adapted);
  model.set_adapters_trainable(false);
  for (auto const& p : model.parameters()) {
    if (detail::is_adapter(p.name)) reader.read(p.name, p.shape, p.data);
  }
}

}  // namespace gt
