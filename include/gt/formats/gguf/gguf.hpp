// SPDX-License-Identifier: MIT
// A model and its tokenizer as one GGUF file, which llama.cpp runs as its architecture starcoder2.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/core/buffer.hpp"
#include "gt/formats/gguf/file.hpp"
#include "gt/formats/gguf/tokenizer.hpp"
#include "gt/formats/hugging_face/model_folder.hpp"
#include "gt/nn/block_config.hpp"
#include "gt/ops/gelu.hpp"

namespace gt::inline GT_ABI {

/// What `write_gguf` is told beside the model.
struct GgufOptions {
  GgufType type = GgufType::f32;  ///< of the matrices; norms and biases stay f32, as llama.cpp has them
  std::string name = "gt";        ///< general.name, which programs show
};

/// What `write_gguf` wrote.
struct GgufWritten {
  /// A tensor of the file.
  struct Tensor {
    std::string name;                 ///< llama.cpp's, as "blk.0.attn_q.weight"
    std::vector<std::int64_t> shape;  ///< outermost first
    GgufType type;                    ///< in the file
    std::int64_t bytes;               ///< that its numbers take
  };
  std::vector<Tensor> tensors;  ///< in the order of the file
  std::int64_t bytes = 0;       ///< of the file
  int f16_fallbacks = 0;        ///< matrices written as f16 because 32 does not divide their rows, as q8_0 asks
};

namespace detail {

/// llama.cpp's name of a tensor of Starcoder2.
std::string gguf_name(std::string_view ours);

std::int64_t gguf_file_type(GgufType type);

void add_gguf_tokenizer(GgufMetadata& metadata, Tokenizer const& tokenizer);

}  // namespace detail

/// Writes a model and its tokenizer for llama.cpp, completely or not at all:
///
///     gt::write_gguf(model, tokenizer, "austen.gguf", {.type = gt::GgufType::q8_0, .name = "austen"});
///
/// The default block is starcoder2's of llama.cpp: LayerNorm, biases, GELU in its tanh form, rotary positions of
/// halves, an untied head. The table is written lifted, [V, C]. Texts become the same ids; see `gguf_tokenizer`.
/// Errors: what Starcoder2 cannot express, as in `save`; the exact GELU; no blocks; a tokenizer of another size, or one
/// that llama.cpp would apply otherwise; a number too great for its type; a file that cannot be written.
template <class Model>
GgufWritten write_gguf(Model const& model, Tokenizer const& tokenizer, std::string const& path,
                       GgufOptions const& options = {}) {
  static_assert(std::is_same_v<typename Model::scalar, float>, "models are written from fp32");
  static_assert(detail::is_starcoder2_block<typename Model::block_type>,
                "only models of gt::Block have the shape of starcoder2");
  BlockConfig const& c = model.config();
  formats::model_config_json(model, tokenizer.fingerprint(), -1, -1);  // for its errors
  check(c.gelu == Gelu::tanh, "write_gguf",
        "llama.cpp's starcoder2 has the tanh form of GELU; make the block with gelu = Gelu::tanh");
  check(model.depth() > 0, "write_gguf", "llama.cpp's models have blocks; append one");
  check(tokenizer.size() == model.vocab(), "write_gguf", "the tokenizer must have as many tokens as the model (got ",
        tokenizer.size(), " and ", model.vocab(), ")");

  GgufMetadata metadata;
  metadata.add_text("general.architecture", "starcoder2");
  metadata.add_text("general.type", "model");
  metadata.add_text("general.name", utf8::replace_malformed(options.name));
  metadata.add_u32("general.file_type", detail::gguf_file_type(options.type));
  metadata.add_u32("general.quantization_version", 2);
  auto const key = [](char const* name) { return text("starcoder2.", name); };
  metadata.add_u32(key("context_length"), model.context());
  metadata.add_u32(key("embedding_length"), c.d_model);
  metadata.add_u32(key("block_count"), model.depth());
  metadata.add_u32(key("feed_forward_length"), c.ff());
  metadata.add_u32(key("attention.head_count"), c.heads);
  metadata.add_u32(key("attention.head_count_kv"), c.heads);
  metadata.add_f32(key("attention.layer_norm_epsilon"), static_cast<float>(c.norm_eps));
  metadata.add_f32(key("rope.freq_base"), static_cast<float>(c.rope_base));
  metadata.add_u32(key("rope.dimension_count"), c.d_head());
  metadata.add_u32(key("vocab_size"), model.vocab());
  detail::add_gguf_tokenizer(metadata, tokenizer);

  std::int64_t const C = c.d_model, n = model.table_width(), V = model.vocab();
  Buffer<float> wide;  // the lifted table, where it is not the table itself
  std::vector<GgufTensor> tensors;
  GgufWritten written;
  for (auto const& p : model.parameters()) {
    GgufTensor t{detail::gguf_name(p.name), p.shape, GgufType::f32, p.data};
    if (p.name == "model.embed_tokens.weight" && n != C) {
      wide = Buffer<float>(V * C);
      for (std::int64_t i = 0; i < V * C; ++i) wide[i] = p.data[i / C * n + i % C / (C / n)];
      t.shape = {V, C}, t.data = wide.data();
    }
    bool const blocks = t.shape.back() % gguf_block == 0;
    if (t.shape.size() > 1) t.type = options.type == GgufType::q8_0 && !blocks ? GgufType::f16 : options.type;
    written.f16_fallbacks += t.type != GgufType::f32 && t.type != options.type;
    written.tensors.push_back({t.name, t.shape, t.type, gguf_bytes(t.type, t.size())});
    tensors.push_back(std::move(t));
  }
  written.bytes = write_gguf_file(path, std::move(metadata), tensors);
  return written;
}

}  // namespace gt

#if !defined(GT_PREBUILT)
  #include "gt/formats/gguf/gguf_impl.hpp"
#endif
