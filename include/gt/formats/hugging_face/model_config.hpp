// SPDX-License-Identifier: MIT
// The config.json of a model: Hugging Face's Starcoder2Config, written and read.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "gt/base/error.hpp"
#include "gt/base/version.hpp"
#include "gt/io/json.hpp"
#include "gt/io/text_file.hpp"
#include "gt/nn/transformer.hpp"

namespace gt::inline GT_ABI {

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
template <class J = Json, class Model>
J model_config_json(Model const& model, std::string const& tokenizer_fingerprint, std::int64_t bos, std::int64_t eos) {
  BlockConfig const& c = model.config();
  check(!model.has_adapters(), "save", "a model is saved without adapters; merge them first, or drop them");
  check(!model.has_head_bias(), "save", "Starcoder2 has no bias on its head; make the model with head_bias = false");
  check(c.norm == Norm::layer, "save", "Starcoder2 has LayerNorm; make the block with norm = Norm::layer");
  check(c.qkv_bias == c.out_bias, "save",
        "Starcoder2 has biases on all attention projections or on none; set qkv_bias and out_bias alike");
  check(c.qkv_bias, "save",
        "Starcoder2's biases are all on or all off, and the MLP's are on; set qkv_bias and out_bias");
  auto const token = [](std::int64_t id) { return id < 0 ? J(nullptr) : J(id); };
  return J{{"architectures", {"Starcoder2ForCausalLM"}},
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
template <class J, class Field>
double rope_base_of(J const& json, Field const& field, std::string const& where) {
  auto const plain = [&](J const& rope) {  // whether it names the kind "default", by today's key or an older one
    for (auto const* key : {"rope_type", "type"})
      if (rope.is_object() && rope.contains(key)) return rope[key] == "default";
    return rope.empty();
  };
  auto const whole = [&](J const& part) {
    check(!part.contains("partial_rotary_factor") || part["partial_rotary_factor"].is_null() ||
              part["partial_rotary_factor"] == 1,
          where, "partial_rotary_factor must be 1: gt turns all of a head");
  };
  check(!json.contains("rope_scaling") || plain(json["rope_scaling"]), where,
        "rope_scaling must be null: gt has plain rotary positions");
  whole(json);
  if (!json.contains("rope_parameters") || json["rope_parameters"].is_null()) return field("rope_theta", 10000.0);
  J const rope = json_get<J>(json, "rope_parameters", where);
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
template <class J = Json>
ModelFolderConfig model_config_of(J const& json, std::string const& where) {
  auto const has = [&](char const* key) { return json.contains(key) && !json[key].is_null(); };
  auto const expect = [&](bool holds, auto const&... what) { check(holds, where, what...); };
  expect(json_get<std::string>(json, "model_type", where) == "starcoder2", "model_type must be starcoder2");
  ModelFolderConfig c;
  c.own = json.contains("gt");
  auto const field = [&]<class T>(char const* key, T standard) {
    return c.own || json.contains(key) ? json_get<T>(json, key, where) : standard;
  };
  auto const small = [&](char const* key, std::int64_t most, std::int64_t standard = 0) {
    std::int64_t const value = standard > 0 ? field(key, standard) : json_get<std::int64_t>(json, key, where);
    expect(value > 0 && value <= most, key, " must lie in 1 ... ", most, " (got ", value, ")");
    return value;
  };
  c.block.d_model = static_cast<int>(small("hidden_size", 65536));
  c.block.heads = static_cast<int>(small("num_attention_heads", 65536));
  c.block.d_ff = static_cast<int>(small("intermediate_size", 1 << 20));
  if (c.block.d_ff == 4 * c.block.d_model) c.block.d_ff = 0;
  c.block.norm_eps = field("norm_epsilon", 1e-5);
  c.block.rope_base = detail::rope_base_of(json, field, where);
  expect(c.block.norm_eps > 0 && c.block.norm_eps < 1 && c.block.rope_base > 1,
         "norm_epsilon and rope_theta must be sane");
  c.options.context = small("max_position_embeddings", std::int64_t{1} << 24, 4096);
  if (has("sliding_window")) {
    expect(!c.own, "sliding_window must be null: gt attends to the whole context");
    c.options.context = std::min(c.options.context, small("sliding_window", std::int64_t{1} << 24));
  }
  c.vocab = small("vocab_size", std::int64_t{1} << 28);
  std::int64_t const depth = json_get<std::int64_t>(json, "num_hidden_layers", where);
  expect(depth >= 0 && depth <= 4096, "num_hidden_layers must lie in 0 ... 4096 (got ", depth, ")");
  c.depth = static_cast<int>(depth);
  c.kv_heads = static_cast<int>(small("num_key_value_heads", 65536, 2));
  expect(!c.own || c.kv_heads == c.block.heads, "gt needs as many KV heads as heads");
  expect(c.block.heads % c.kv_heads == 0, "num_key_value_heads must divide num_attention_heads (got ", c.kv_heads,
         " and ", c.block.heads, ")");
  c.tied_head = field("tie_word_embeddings", true);
  expect(!c.own || !c.tied_head, "the head must not be tied to the embedding");
  c.biases = field("use_bias", true);
  expect(!c.own || c.biases, "use_bias must be true");
  if (has("norm_type")) {
    auto const norm = json_get<std::string>(json, "norm_type", where);
    expect(norm == "layer_norm", "norm_type must be layer_norm, as Starcoder2's blocks have it (got ",
           detail::in_quotes(norm), ")");
  }
  auto const activation = field("hidden_act", std::string("gelu_pytorch_tanh"));
  bool const by_tanh = activation == "gelu_pytorch_tanh" || activation == "gelu_new";
  expect(by_tanh || activation == "gelu", "hidden_act must be gelu_pytorch_tanh or gelu");
  c.block.gelu = by_tanh ? Gelu::tanh : Gelu::erf;
  expect(heads_divide_d_model(c.block) && d_head_is_even(c.block),
         "num_attention_heads must cut hidden_size into equal parts of even width (got ", c.block.heads, " for ",
         c.block.d_model, ")");
  // A model holds their sines and cosines, which no size of its weights accounts for.
  expect(c.options.context * c.block.d_head() <= std::int64_t{1} << 24,
         "max_position_embeddings times the width of a head must be at most 16777216 (got ", c.options.context,
         " times ", c.block.d_head(), ")");
  if (!c.own) {
    c.table_width = c.block.d_model;
    c.substrate_method = "table";
    return c;
  }
  J const gt_part = json_get<J>(json, "gt", where);
  auto const format = json_get<std::int64_t>(gt_part, "format", where);
  expect(format == 1 || format == model_folder_version, "this version of gt reads formats 1 and ", model_folder_version,
         " (got ", format, ")");
  c.seed = json_get<std::uint64_t>(gt_part, "seed", where);
  c.tokenizer_fingerprint = json_get<std::string>(gt_part, "tokenizer", where);
  J const substrate = json_get<J>(gt_part, "substrate", where);
  c.substrate_method = json_get<std::string>(substrate, "method", where);
  c.substrate_fingerprint = json_get<std::string>(substrate, "fingerprint", where);
  if (format > 1) c.rows_sha256 = json_get<std::string>(substrate, "rows_sha256", where);
  c.table_width = json_get<std::int64_t>(substrate, "width", where);
  expect(c.table_width > 0 && c.block.d_model % c.table_width == 0,
         "the substrate's width must divide hidden_size (got ", c.table_width, ")");
  return c;
}

/// The same of `folder`/config.json.   Errors: those of `model_config_of`, naming the file; a missing file.
template <class J = Json>
ModelFolderConfig read_model_config(std::string const& folder) {
  std::string const where = text("load '", folder, "/config.json'");
  return model_config_of<J>(parse_json<J>(read_text_file(folder + "/config.json"), where), where);
}

}  // namespace gt
