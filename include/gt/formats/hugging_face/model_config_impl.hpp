// SPDX-License-Identifier: MIT
// What gt/formats/hugging_face/model_config.hpp declares.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/formats/hugging_face/model_config.hpp"
#include "gt/io/json.hpp"
#include "gt/io/text_file.hpp"

namespace gt::inline GT_ABI::formats {

GT_FN ModelFolderConfig model_config_of(Json const& json, std::string const& where) {
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
           gt::detail::in_quotes(norm), ")");
  }
  auto const activation = field("hidden_act", std::string("gelu_pytorch_tanh"));
  bool const by_tanh = activation == "gelu_pytorch_tanh" || activation == "gelu_new";
  expect(by_tanh || activation == "gelu", "hidden_act must be gelu_pytorch_tanh or gelu");
  c.block.gelu = by_tanh ? Gelu::tanh : Gelu::erf;
  expect(nn::heads_divide_d_model(c.block) && nn::d_head_is_even(c.block),
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
  Json const gt_part = json_get<Json>(json, "gt", where);
  auto const format = json_get<std::int64_t>(gt_part, "format", where);
  expect(format == 1 || format == model_folder_version, "this version of gt reads formats 1 and ", model_folder_version,
         " (got ", format, ")");
  c.seed = json_get<std::uint64_t>(gt_part, "seed", where);
  c.tokenizer_fingerprint = json_get<std::string>(gt_part, "tokenizer", where);
  Json const substrate = json_get<Json>(gt_part, "substrate", where);
  c.substrate_method = json_get<std::string>(substrate, "method", where);
  c.substrate_fingerprint = json_get<std::string>(substrate, "fingerprint", where);
  if (format > 1) c.rows_sha256 = json_get<std::string>(substrate, "rows_sha256", where);
  c.table_width = json_get<std::int64_t>(substrate, "width", where);
  expect(c.table_width > 0 && c.block.d_model % c.table_width == 0,
         "the substrate's width must divide hidden_size (got ", c.table_width, ")");
  return c;
}

GT_FN ModelFolderConfig read_model_config(std::string const& folder) {
  std::string const where = text("load '", folder, "/config.json'");
  return model_config_of(parse_json(read_text_file(folder + "/config.json"), where), where);
}

}  // namespace gt::formats
