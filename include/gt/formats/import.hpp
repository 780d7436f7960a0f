// SPDX-License-Identifier: MIT
// Models that another program trained and saved under names of its own.
#pragma once

#include <string>

#include "gt/base/error.hpp"
#include "gt/formats/hugging_face/model_config.hpp"
#include "gt/formats/hugging_face/model_folder.hpp"
#include "gt/formats/hugging_face/tensor_files.hpp"
#include "gt/formats/name_map.hpp"
#include "gt/io/json.hpp"
#include "gt/io/safetensors.hpp"
#include "gt/io/text_file.hpp"

namespace gt::inline GT_ABI {

/// The model in the safetensors file `weights`, all frozen: a PyTorch state_dict, for instance. `map` is a JSON file:
/// `config`, the fields of a Starcoder2 config.json that say what the model is, and what formats::NameMap reads. The
/// table that it was trained with becomes its substrate, with a fingerprint of its numbers.
///
///     {"config": {"model_type": "starcoder2", "hidden_size": 64, "num_attention_heads": 4, ...},
///      "tensors": {"model.layers.{l}.mlp.c_fc.weight": "blocks.{l}.up.weight", ...}, "ignore": ["rotary.*"]}
///
/// Errors, each naming the file: those of `formats::model_config_of`, formats::NameMap::of and io::Safetensors::open;
/// missing, surplus or misshapen tensors, all listed. Nothing is then half-loaded.
template <class Model = Transformer<>>
Model import_model(std::string const& weights, std::string const& map) {
  std::string const where = text("name map '", map, "'");
  Json const json = parse_json(read_text_file(map), where);
  formats::NameMap const names = formats::NameMap::of(json, where);
  formats::ModelFolderConfig const config =
      formats::model_config_of(json_get<Json>(json, "config", where), text(where, ": config"));
  auto const files = formats::TensorFiles::of(io::Safetensors::open(weights));
  return detail::make_model<Model>(config, files, names, text("import '", weights, "'"));
}

}  // namespace gt
