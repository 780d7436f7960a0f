// SPDX-License-Identifier: MIT
// The config.json of a model: Hugging Face's Starcoder2Config, written and read.
#pragma once

#include <cstdint>
#include <string>

#include "gt/base/error.hpp"
#include "gt/base/version.hpp"
#include "gt/io/json.hpp"
#include "gt/nn/transformer.hpp"

namespace gt::inline GT_ABI::formats {

/// Of the `gt` part of config.json: 1 says nothing about the rows of the table; others are refused by number.
inline constexpr int model_folder_version = 2;

/// What config.json says: enough to make the model before its weights are read.
struct ModelFolderConfig {
  BlockConfig block{};           ///< C, H, F (`d_ff` 0 where F = 4 C), and the constants
  TransformerOptions options{};  ///< the context
  int depth = 0;                 ///< L
  std::int64_t vocab = 0;        ///< V
  std::uint64_t seed = 1;        ///< that the model was made with
  std::int64_t table_width = 0;  ///< n of the substrate; the saved table is lifted to C
  bool own = true;               ///< saved by gt; others have no substrate, and need not have all tensors of their own
  int kv_heads = 0;              ///< in the file; fewer than `block.heads`: each serves several heads
  bool tied_head = false;        ///< the head may be the table
  bool biases = true;            ///< of the projections; without them they are zero
  /// How the table was made ("glyph", "binary", ...), and the fingerprints of the table and of the tokenizer.
  std::string substrate_method, substrate_fingerprint, tokenizer_fingerprint;
  std::string rows_sha256;  ///< of the table's rows as they were saved, lifted, in fp32; empty: not known
};

/// Hugging Face's config.json for a model: every field of Starcoder2Config that matters is written, for its defaults
/// tie the head and use two KV heads. Errors: what Starcoder2 cannot express, with the switch that would make it
/// possible.
template <class Model>
Json model_config_json(Model const& model, std::string const& tokenizer_fingerprint, std::int64_t bos,
                       std::int64_t eos) {
  BlockConfig const& c = model.config();
  check(!model.has_adapters(), "save", "a model is saved without adapters; merge them first, or drop them");
  check(!model.has_head_bias(), "save", "Starcoder2 has no bias on its head; make the model with head_bias = false");
  check(c.norm == Norm::layer, "save", "Starcoder2 has LayerNorm; make the block with norm = Norm::layer");
  check(c.qkv_bias == c.out_bias, "save",
        "Starcoder2 has biases on all attention projections or on none; set qkv_bias and out_bias alike");
  check(c.qkv_bias, "save",
        "Starcoder2's biases are all on or all off, and the MLP's are on; set qkv_bias and out_bias");
  auto const token = [](std::int64_t id) { return id < 0 ? Json(nullptr) : Json(id); };
  return Json{{"architectures", {"Starcoder2ForCausalLM"}},
              {"model_type", "starcoder2"},
              {"vocab_size", model.vocab()},
              {"hidden_size", c.d_model},
              {"intermediate_size", c.ff()},
              {"num_hidden_layers", model.depth()},
              {"num_attention_heads", c.heads},
              {"num_key_value_heads", c.heads},
              {"hidden_act", c.gelu == Gelu::erf ? "gelu" : "gelu_pytorch_tanh"},
              {"max_position_embeddings", model.context()},
              {"initializer_range", 0.02},
              {"norm_epsilon", c.norm_eps},
              {"rope_theta", c.rope_base},
              {"rope_scaling", nullptr},
              {"sliding_window", nullptr},
              {"attention_dropout", 0.0},
              {"residual_dropout", 0.0},
              {"embedding_dropout", 0.0},
              {"use_bias", true},
              {"use_cache", true},
              {"tie_word_embeddings", false},
              {"bos_token_id", token(bos)},
              {"eos_token_id", token(eos)},
              {"torch_dtype", "float32"},
              {"gt",
               {{"format", model_folder_version},
                {"version", version},
                {"seed", model.seed().value},
                {"tokenizer", tokenizer_fingerprint},
                {"substrate",
                 {{"method", model.substrate_method()},
                  {"width", model.table_width()},
                  {"fingerprint", model.substrate_fingerprint()}}}}}};
}

namespace detail {

/// rope_theta, as transformers 4 has it, or inside rope_parameters, as transformers 5 does.   Errors: other positions
/// than plain rotary ones.
template <class Field>
double rope_base_of(Json const& json, Field const& field, std::string const& where) {
  auto const plain = [&](Json const& rope) {  // whether it names the kind "default", by today's key or an older one
    for (auto const* key : {"rope_type", "type"})
      if (rope.is_object() && rope.contains(key)) return rope[key] == "default";
    return rope.empty();
  };
  auto const whole = [&](Json const& part) {
    check(!part.contains("partial_rotary_factor") || part["partial_rotary_factor"].is_null() ||
              part["partial_rotary_factor"] == 1,
          where, "partial_rotary_factor must be 1: gt turns all of a head");
  };
  check(!json.contains("rope_scaling") || plain(json["rope_scaling"]), where,
        "rope_scaling must be null: gt has plain rotary positions");
  whole(json);
  if (!json.contains("rope_parameters") || json["rope_parameters"].is_null()) return field("rope_theta", 10000.0);
  Json const rope = json_get<Json>(json, "rope_parameters", where);
  check(rope.is_object(), where, "rope_parameters must be a JSON object (got ", rope.type_name(), ")");
  check(plain(rope) || !(rope.contains("rope_type") || rope.contains("type")), where, "rope_type must be default");
  whole(rope);
  bool const foreign = !json.contains("gt");
  return foreign && !rope.contains("rope_theta") ? field("rope_theta", 10000.0)
                                                 : json_get<double>(rope, "rope_theta", where);
}

}  // namespace detail

/// Reads and checks what a config.json holds; `where` says whose. One without the part `gt` is another program's
/// Starcoder2: what it leaves out, but for sizes, is Starcoder2Config's default, as transformers writes some only where
/// they differ; its table stands for the substrate, keys and values that serve several heads are repeated, and of a
/// sliding window only the first is used, in which it sees everything.   Errors: a malformed text; another
/// architecture; a field that gt cannot honour, with the reason.
ModelFolderConfig model_config_of(Json const& json, std::string const& where);

/// The same of `folder`/config.json.   Errors: those of `model_config_of`, naming the file; a missing file.
ModelFolderConfig read_model_config(std::string const& folder);

}  // namespace gt::formats

#if !defined(GT_PREBUILT)
  #include "gt/formats/hugging_face/model_config_impl.hpp"
#endif
