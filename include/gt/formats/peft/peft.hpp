// SPDX-License-Identifier: MIT
// Low-rank adapters as folders of Hugging Face's PEFT: adapter_config.json and adapter_model.safetensors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/formats/hugging_face/model_config.hpp"
#include "gt/formats/hugging_face/model_folder.hpp"
#include "gt/formats/hugging_face/tensor_files.hpp"
#include "gt/formats/hugging_face/tensor_reader.hpp"
#include "gt/formats/name_map.hpp"
#include "gt/formats/peft/peft_config.hpp"
#include "gt/io/atomic_file.hpp"
#include "gt/io/folder.hpp"
#include "gt/io/json.hpp"
#include "gt/io/safetensors.hpp"
#include "gt/io/staging.hpp"
#include "gt/io/text_file.hpp"
#include "gt/nn/lora.hpp"
#include "gt/nn/lora_config.hpp"

namespace gt::inline GT_ABI {

namespace detail {

inline constexpr auto peft_prefix = "base_model.model.";
inline bool is_adapter(std::string const& name) { return name.find(".lora_") != name.npos; }

}  // namespace detail

/// Writes the adapters of `model` into `folder`, making it where it is missing: what `peft` loads on the model that
/// `save` writes of the same weights without adapters. `base` is that model's folder or name, for readers.
/// Errors: a model without adapters; a folder that cannot be written. Nothing good is then overwritten.
template <class Model>
void save_adapter(Model const& model, std::string const& folder, std::string const& base = "") {
  static_assert(std::is_same_v<typename Model::scalar, float>, "adapters are saved in fp32");
  check(model.has_adapters(), "save_adapter",
        "the model must have adapters (got none); merged ones are in its weights");
  LoraConfig const lora = model.lora();
  Json targets = Json::array();
  for (auto const* name : {"q_proj", "k_proj", "v_proj", "o_proj", "c_fc", "c_proj"})
    if (("," + to_text(lora.targets) + ",").find(text(",", name, ",")) != std::string::npos) targets.push_back(name);
  Json config{{"peft_type", "LORA"},
              {"task_type", "CAUSAL_LM"},
              {"base_model_name_or_path", base.empty() ? Json(nullptr) : Json(base)},
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
  std::vector<io::TensorView> tensors;
  for (auto const& p : model.parameters()) {
    if (detail::is_adapter(p.name))
      tensors.push_back({detail::peft_prefix + p.name, "F32", p.shape, detail::bytes_of(p.data, p.size())});
  }
  io::make_folder(folder);
  io::Staging staging(folder);
  io::write_safetensors(staging.file("adapter_model.safetensors"), std::span<io::TensorView const>(tensors),
                        {{"format", "pt"}, {"gt.substrate", model.substrate_fingerprint()}});
  io::write_file_atomically(staging.file("adapter_config.json"), dump_json(config, "save_adapter", 2) + "\n");
  staging.commit();
}

/// How `load_adapter` reads.
struct LoadAdapterOptions {
  std::vector<std::string> ignore_fields;  ///< of adapter_config.json: read as if they were not there
};

namespace detail {

/// Throws where an adapter is of a base whose keys and values serve several heads.
void check_own_heads(formats::TensorFiles const& files, std::int64_t width, std::string const& where);

}  // namespace detail

/// Reads the adapters in `folder`, of PEFT or `save_adapter`, into a model that has none: `merge_adapters` then adds
/// them to its weights. All is frozen. Where the adapters are not of the same matrices in the lowest blocks, those
/// between them are zero.   Errors, each naming the file: what `peft_config_of` and `peft_targets` refuse; a rank above
/// the width; missing, surplus or misshapen tensors, all listed; an adapter of a base with shared KV heads, or that gt
/// saved for another substrate. The model is then as it was.
template <class Model>
void load_adapter(Model& model, std::string const& folder, LoadAdapterOptions const& options = {}) {
  std::string const file = folder + "/adapter_config.json", where = text("load_adapter '", folder, "'");
  check(!model.has_adapters(), where, "the model must have no adapters yet; merge or drop them first");
  std::string const of_file = text("load_adapter '", file, "'");
  PeftConfig c = peft_config_of(parse_json(read_text_file(file), file), of_file, options.ignore_fields);
  auto const blocks = peft_targets(c, model.depth(), of_file);
  c.lora.targets = {false, false, false, false, false, false};
  int adapted = 0;
  for (std::size_t block = 0; block < blocks.size(); ++block) {
    LoraTargets const& on = blocks[block];
    LoraTargets& any = c.lora.targets;
    any = {any.q || on.q, any.k || on.k, any.v || on.v, any.o || on.o, any.fc || on.fc, any.proj || on.proj};
    if (on.count() > 0) adapted = static_cast<int>(block) + 1;
  }
  nn::check_lora(c.lora, model.config(), of_file);
  auto const files = formats::TensorFiles::open(folder, "adapter_model");
  for (auto const& opened : files.files()) {
    auto const substrate = opened.metadata().find("gt.substrate");
    check(substrate == opened.metadata().end() || substrate->second == model.substrate_fingerprint(), where,
          "the adapter must be of a model on this substrate");
  }
  formats::ModelFolderConfig shape;
  shape.block = model.config(), shape.kv_heads = model.config().heads;
  formats::NameMap const names = formats::NameMap::with_prefix(detail::peft_prefix);
  detail::TensorReader reader(files, names, shape, where);
  // Those of a block are named by its place, as in `model.layers.1.mlp.c_fc.lora_A.weight`.
  std::set<std::string> there;
  for (std::size_t block = 0; block < blocks.size(); ++block) {
    LoraConfig of_block = c.lora;
    of_block.targets = blocks[block];
    for (auto const& spec : LoraAdapter<float>::tensors(model.config(), of_block))
      if (spec.size() > 0) there.insert(text("model.layers.", block, ".", spec.name));
  }
  detail::check_own_heads(files, model.config().d_model, where);
  for (auto const& [name, sizes] : Model::tensor_shapes(model.config(), model.vocab(), model.table_width(),
                                                        model.depth(), model.has_head_bias(), c.lora, adapted)) {
    if (there.contains(name)) reader.expect(name, sizes);
  }
  reader.finish();
  model.attach_adapters(c.lora, adapted);  // with B = 0, which is right where the file has none
  model.set_adapters_trainable(false);
  for (auto const& p : model.parameters()) {
    if (there.contains(p.name)) reader.read(p.name, p.shape, p.data);
  }
}

}  // namespace gt

#if !defined(GT_PREBUILT)
  #include "gt/formats/peft/peft_impl.hpp"
#endif
