// SPDX-License-Identifier: MIT
// What gt/formats/gguf/gguf.hpp declares.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/formats/gguf/file.hpp"
#include "gt/formats/gguf/gguf.hpp"
#include "gt/formats/gguf/tokenizer.hpp"

namespace gt::inline GT_ABI {

namespace detail {

GT_FN std::string gguf_name(std::string_view ours) {
  constexpr std::pair<std::string_view, std::string_view> names[] = {{"model.embed_tokens", "token_embd"},
                                                                     {"model.norm", "output_norm"},
                                                                     {"lm_head", "output"},
                                                                     {"input_layernorm", "attn_norm"},
                                                                     {"self_attn.q_proj", "attn_q"},
                                                                     {"self_attn.k_proj", "attn_k"},
                                                                     {"self_attn.v_proj", "attn_v"},
                                                                     {"self_attn.o_proj", "attn_output"},
                                                                     {"post_attention_layernorm", "ffn_norm"},
                                                                     {"mlp.c_fc", "ffn_up"},
                                                                     {"mlp.c_proj", "ffn_down"}};
  constexpr std::string_view layers = "model.layers.";
  std::string prefix;
  std::string_view inner = ours;
  if (ours.starts_with(layers)) {
    inner.remove_prefix(layers.size());
    auto const dot = inner.find('.');
    prefix = text("blk.", inner.substr(0, dot), ".");
    inner.remove_prefix(dot + 1);
  }
  auto const kind = inner.rfind('.');  // of ".weight", ".bias"
  for (auto const& [from, to] : names) {
    if (inner.substr(0, kind) == from) return text(prefix, to, inner.substr(kind));
  }
  fail("write_gguf", "starcoder2 must have the tensor '", ours, "'");
}

GT_FN std::int64_t gguf_file_type(GgufType type) {  // llama_ftype: what most tensors are
  return type == GgufType::f32 ? 0 : type == GgufType::f16 ? 1 : type == GgufType::q8_0 ? 7 : 32;
}

GT_FN void add_gguf_tokenizer(GgufMetadata& metadata, Tokenizer const& tokenizer) {
  auto const g = gguf_tokenizer(tokenizer);
  auto const key = [](char const* name) { return text("tokenizer.ggml.", name); };
  metadata.add_text(key("model"), "llama");
  metadata.add_texts(key("tokens"), g.tokens);
  metadata.add_f32s(key("scores"), g.scores);
  metadata.add_i32s(key("token_type"), g.types);
  metadata.add_u32(key("bos_token_id"), g.bos);
  metadata.add_u32(key("eos_token_id"), g.eos);
  if (g.unknown) metadata.add_u32(key("unknown_token_id"), *g.unknown);
  for (char const* name : {"add_bos_token", "add_eos_token", "add_space_prefix", "remove_extra_whitespaces"})
    metadata.add_bool(key(name), false);
}

}  // namespace detail

}  // namespace gt
