// SPDX-License-Identifier: MIT
// A model as a folder: configuration, weights and tokenizer, as Hugging Face's Starcoder2 has them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/base/sha256.hpp"
#include "gt/formats/hugging_face/model_config.hpp"
#include "gt/formats/hugging_face/tensor_files.hpp"
#include "gt/formats/hugging_face/tensor_reader.hpp"
#include "gt/formats/hugging_face/weights.hpp"
#include "gt/formats/name_map.hpp"
#include "gt/io/atomic_file.hpp"
#include "gt/io/folder.hpp"
#include "gt/io/json.hpp"
#include "gt/io/safetensors.hpp"
#include "gt/io/staging.hpp"
#include "gt/io/text_file.hpp"
#include "gt/nn/transformer.hpp"
#include "gt/substrate/table_embedding.hpp"

namespace gt::inline GT_ABI {

namespace detail {

template <class BlockT>
inline constexpr bool is_starcoder2_block = false;
template <class T>
inline constexpr bool is_starcoder2_block<Block<T>> = true;

inline std::span<std::byte const> bytes_of(float const* data, std::int64_t count) {
  return std::as_bytes(std::span(data, static_cast<std::size_t>(count)));
}

}  // namespace detail

/// How `save` writes.
struct SaveOptions {
  /// Bytes of weights above which they are cut into several files, as Transformers does by default.
  std::int64_t max_shard_bytes = 5'000'000'000;
};

namespace detail {

/// Tensors in order, cut into groups of at most so many bytes; a tensor is never cut.
inline std::vector<std::vector<TensorView>> shards_of(std::vector<TensorView> tensors, std::int64_t most) {
  std::vector<std::vector<TensorView>> shards(1);
  std::int64_t bytes = 0;
  for (auto& t : tensors) {
    auto const size = static_cast<std::int64_t>(t.bytes.size());
    if (bytes > 0 && bytes + size > most) shards.emplace_back(), bytes = 0;
    bytes += size;
    shards.back().push_back(std::move(t));
  }
  return shards;
}
inline std::string shard_name(std::size_t i, std::size_t count) {
  if (count == 1) return "model.safetensors";
  char name[64];
  std::snprintf(name, sizeof name, "model-%05zu-of-%05zu.safetensors", i + 1, count);
  return name;
}
/// Whether a file of a model's folder holds weights, or is the index of those that do.
inline bool is_weights_name(std::string_view name) {
  constexpr std::string_view shard = "model-#####-of-#####.safetensors";
  return name == "model.safetensors" || name == "model.safetensors.index.json" ||
         (name.size() == shard.size() && std::equal(name.begin(), name.end(), shard.begin(), [](char c, char of) {
            return of == '#' ? c >= '0' && c <= '9' : c == of;
          }));
}
/// Writes one file, or several and their index.
template <class J>
void write_shards(Staging& staging, std::vector<TensorView> tensors, std::int64_t most, std::string const& config) {
  auto const shards = shards_of(std::move(tensors), most);
  J index{{"metadata", {{"total_size", 0}}}, {"weight_map", J::object()}};
  std::size_t total = 0;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    auto const name = shard_name(i, shards.size());
    write_safetensors(staging.file(name), std::span<TensorView const>(shards[i]),
                      {{"format", "pt"}, {"gt.config", sha256_hex(config)}});
    for (auto const& t : shards[i]) index["weight_map"][t.name] = name, total += t.bytes.size();
  }
  index["metadata"]["total_size"] = total;
  if (shards.size() > 1)
    write_file_atomically(staging.file("model.safetensors.index.json"), dump_json(index, "save", 2) + "\n");
}

}  // namespace detail

/// Writes a model and its tokenizer into `folder`, making it where it is missing. Each file appears whole or not at
/// all, and names the others, so that a folder of files that do not belong together is refused by `load`. Errors: a
/// folder that cannot be written; a model that Starcoder2 cannot express. Nothing good is then overwritten.
template <class Model, class Tokenizer, class J = Json>
void save(Model const& model, Tokenizer const& tokenizer, std::string const& folder, SaveOptions const& options = {}) {
  static_assert(std::is_same_v<typename Model::scalar, float>, "models are saved in fp32");
  static_assert(detail::is_starcoder2_block<typename Model::block_type>,
                "only models of gt::Block have the shape of Starcoder2; use save_weights for a block of your own");
  check(tokenizer.size() == model.vocab(), "save", "the tokenizer must have as many tokens as the model (got ",
        tokenizer.size(), " and ", model.vocab(), ")");
  check(options.max_shard_bytes > 0, "save", "max_shard_bytes must be positive (got ", options.max_shard_bytes, ")");
  auto const id = [](auto token) { return token ? static_cast<std::int64_t>(*token) : std::int64_t{-1}; };
  J const config = model_config_json<J>(model, tokenizer.fingerprint(), id(tokenizer.bos()), id(tokenizer.eos()));
  std::string const config_text = dump_json(config, "save", 2) + "\n";
  make_folder(folder);

  std::int64_t const C = model.config().d_model, n = model.table_width(), V = model.vocab();
  std::vector<TensorView> tensors;
  Buffer<float> wide;  // the lifted table, where it is not the table itself
  for (auto const& p : model.parameters()) {
    if (p.name == "model.embed_tokens.weight" && n != C) {
      wide = Buffer<float>(V * C);
      for (std::int64_t i = 0; i < V * C; ++i) wide[i] = p.data[i / C * n + i % C / (C / n)];
      tensors.push_back({p.name, "F32", {V, C}, detail::bytes_of(wide.data(), V * C)});
    } else {
      tensors.push_back({p.name, "F32", p.shape, detail::bytes_of(p.data, p.size())});
    }
  }
  // Without this file, AutoTokenizer takes Starcoder2's tokenizer for GPT-2's.
  J tokenizer_config{{"tokenizer_class", "PreTrainedTokenizerFast"},
                     {"clean_up_tokenization_spaces", false},
                     {"model_max_length", model.context()}};
  J generation{{"_from_model_config", true}};
  if (auto const bos = tokenizer.bos()) tokenizer_config["bos_token"] = tokenizer.token(*bos);
  if (auto const eos = tokenizer.eos()) tokenizer_config["eos_token"] = tokenizer.token(*eos);
  if (auto const bos = tokenizer.bos()) generation["bos_token_id"] = *bos;
  if (auto const eos = tokenizer.eos()) generation["eos_token_id"] = *eos;
  detail::Staging staging(folder);
  write_file_atomically(staging.file("tokenizer_config.json"), dump_json(tokenizer_config, "save", 2) + "\n");
  write_file_atomically(staging.file("generation_config.json"), dump_json(generation, "save", 2) + "\n");
  tokenizer.save(staging.file("tokenizer.json"));
  detail::write_shards<J>(staging, std::move(tensors), options.max_shard_bytes, config_text);
  write_file_atomically(staging.file("config.json"), config_text);
  staging.commit([](std::string_view name) { return detail::is_weights_name(name); });
}

namespace detail {

/// The model that a configuration and tensors describe, all frozen. All names and shapes are checked before memory is
/// taken.   Errors: missing, surplus or misshapen tensors, all listed.
template <class Model>
Model make_model(ModelFolderConfig const& c, TensorFiles const& files, NameMap const& names, std::string const& where) {
  std::int64_t const C = c.block.d_model, n = c.table_width, V = c.vocab;
  TensorReader reader(files, names, c, where);
  for (auto const& [name, shape] : Model::tensor_shapes(c.block, V, C, c.depth, false)) reader.expect(name, shape);
  reader.finish();

  Buffer<float> table(V * n);
  if (n == C) {
    reader.read(table_name, {V, C}, table.data());
  } else {
    Buffer<float> wide(V * C);
    reader.read(table_name, {V, C}, wide.data());
    for (std::int64_t i = 0; i < V * n; ++i) table[i] = wide[i / n * C + i % n * (C / n)];
    bool repeats = true;
    for (std::int64_t i = 0; i < V * C; ++i) repeats = repeats && wide[i] == table[i / C * n + i % C / (C / n)];
    check(repeats, where, "model.embed_tokens.weight must have each number of the substrate ", C / n,
          " times in a row");
  }
  auto const width = static_cast<int>(n);
  TransformerOptions options = c.options;
  options.draw_head = false;  // as of the blocks below, all of it is read
  Model model(c.own ? TableEmbedding::loaded(c.substrate_method, c.substrate_fingerprint, V, width, table)
                    : TableEmbedding::of_rows("imported", V, width, table),
              c.block, Seed{c.seed}, options);
  for (int l = 0; l < c.depth; ++l) model.blocks().push_back(typename Model::block_type(c.block));
  // Copied, though the file is mapped: a model changes when it trains, lives on when its folder is saved again, and
  // must not end the program when somebody cuts off the file (SIGBUS).
  for (auto const& p : model.parameters()) {
    if (p.name != table_name) reader.read(p.name, p.shape, p.data);
  }
  return model;
}

}  // namespace detail

/// A model's folder, opened: read once, for whoever asks for its configuration, its weights or its model.
///
///     auto const folder = gt::ModelFolder::open("my-model");
///     auto const model = gt::load_model(folder);
///     gt::check(tokenizer.fingerprint() == folder.config.tokenizer_fingerprint, ...);
struct ModelFolder {
  std::string path;
  ModelFolderConfig config;
  TensorFiles weights;  ///< mapped, checked against their checksums, and of one save with the configuration

  /// Errors, each naming the file: what `model_config_of` refuses; damaged weights; files that do not belong together.
  template <class J = Json>
  static ModelFolder open(std::string const& folder) {
    return open_with<J>(folder, [&] { return TensorFiles::open<J>(folder); });
  }
  /// The same with weights of the folder that are open already.
  template <class J = Json>
  static ModelFolder open(std::string const& folder, TensorFiles weights) {
    return open_with<J>(folder, [&] { return std::move(weights); });
  }

 private:
  template <class J, class Weights>
  static ModelFolder open_with(std::string const& folder, Weights const& weights) {
    std::string const where = text("load '", folder, "/config.json'"), json = read_text_file(folder + "/config.json");
    auto config = model_config_of<J>(parse_json<J>(json, where), where);
    ModelFolder opened{folder, std::move(config), weights()};
    std::string const saved_with = sha256_hex(json);
    for (auto const& file : opened.weights.files()) {
      auto const named = file.metadata().find("gt.config");
      check(named == file.metadata().end() || named->second == saved_with, text("load '", folder, "'"),
            "model.safetensors and config.json must come from one save");
    }
    return opened;
  }
};

/// The model in a folder, all frozen, of the block's kind that Model has: one that `save` wrote, or another program's
/// Starcoder2, whose weights may be fp32, fp16 or bf16 and in several files.   Errors, each naming the file: those of
/// `ModelFolder::open`; missing, surplus or misshapen tensors, all listed.
template <class Model = Transformer<>>
Model load_model(ModelFolder const& folder) {
  return detail::make_model<Model>(folder.config, folder.weights, {}, text("load '", folder.path, "'"));
}
/// The same of a path.
template <class Model = Transformer<>, class J = Json>
Model load_model(std::string const& folder) {
  return load_model<Model>(ModelFolder::open<J>(folder));
}

}  // namespace gt
