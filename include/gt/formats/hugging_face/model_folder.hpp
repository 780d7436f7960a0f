// SPDX-License-Identifier: MIT
// A model as a folder: configuration, weights and tokenizer, as Hugging Face's Starcoder2 has them.
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
#include "gt/text/vocabulary.hpp"

namespace gt::inline GT_ABI {

namespace detail {

template <class BlockT>
inline constexpr bool is_starcoder2_block = false;
template <class T>
inline constexpr bool is_starcoder2_block<Block<T>> = true;

std::span<std::byte const> bytes_of(float const* data, std::int64_t count);

}  // namespace detail

/// How `save` writes.
struct SaveOptions {
  /// Bytes of weights above which they are cut into several files, as Transformers does by default.
  std::int64_t max_shard_bytes = 5'000'000'000;
};

namespace detail {

/// Whether a file of a model's folder holds weights, or is the index of those that do.
bool is_weights_name(std::string_view name);
/// Writes one file, or several and their index.
void write_shards(io::Staging& staging, std::vector<io::TensorView> tensors, std::int64_t most,
                  std::string const& config);

}  // namespace detail

namespace detail {

/// `<pad>`, or what stands in for it: a special token, as others would become special by this; none where there is
/// none.
template <class Tokenizer>
auto padding_token(Tokenizer const& tokenizer) {
  auto const pad = tokenizer.id("<pad>");
  if (pad && tokenizer.vocabulary().kind(*pad) == TokenKind::special) return pad;
  return tokenizer.eos() ? tokenizer.eos() : tokenizer.bos();
}

}  // namespace detail

/// Writes a model and its tokenizer into `folder`, making it where it is missing. Each file appears whole or not at
/// all, and names the others, so that a folder of files that do not belong together is refused by `load`. Errors: a
/// folder that cannot be written; a model that Starcoder2 cannot express. Nothing good is then overwritten.
template <class Model, class Tokenizer>
void save(Model const& model, Tokenizer const& tokenizer, std::string const& folder, SaveOptions const& options = {}) {
  static_assert(std::is_same_v<typename Model::scalar, float>, "models are saved in fp32");
  static_assert(detail::is_starcoder2_block<typename Model::block_type>,
                "only models of gt::Block have the shape of Starcoder2; use save_weights for a block of your own");
  check(tokenizer.size() == model.vocab(), "save", "the tokenizer must have as many tokens as the model (got ",
        tokenizer.size(), " and ", model.vocab(), ")");
  check(options.max_shard_bytes > 0, "save", "max_shard_bytes must be positive (got ", options.max_shard_bytes, ")");
  auto const id = [](auto token) { return token ? static_cast<std::int64_t>(*token) : std::int64_t{-1}; };
  Json config = formats::model_config_json(model, tokenizer.fingerprint(), id(tokenizer.bos()), id(tokenizer.eos()));
  io::make_folder(folder);

  std::int64_t const C = model.config().d_model, n = model.table_width(), V = model.vocab();
  std::vector<io::TensorView> tensors;
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
  detail::check_finite(tensors, "save");
  for (auto const& t : tensors)
    if (t.name == detail::table_name) config["gt"]["substrate"]["rows_sha256"] = Sha256{}.update(t.bytes).hex();
  std::string const config_text = dump_json(config, "save", 2) + "\n";
  // Without this file, AutoTokenizer takes Starcoder2's tokenizer for GPT-2's, and transformers 4 gives token_type_ids
  // that its models refuse. Padding is masked, so that any special token will do.
  Json tokenizer_config{{"tokenizer_class", "PreTrainedTokenizerFast"},
                        {"clean_up_tokenization_spaces", false},
                        {"model_input_names", {"input_ids", "attention_mask"}},
                        {"model_max_length", model.context()}};
  Json generation{{"_from_model_config", true}};
  auto const use = [&](char const* as, auto token) {
    if (!token) return;
    tokenizer_config[text(as, "_token")] = tokenizer.token(*token);
    generation[text(as, "_token_id")] = *token;
  };
  use("bos", tokenizer.bos()), use("eos", tokenizer.eos()), use("pad", detail::padding_token(tokenizer));
  io::Staging staging(folder);
  io::write_file_atomically(staging.file("tokenizer_config.json"), dump_json(tokenizer_config, "save", 2) + "\n");
  io::write_file_atomically(staging.file("generation_config.json"), dump_json(generation, "save", 2) + "\n");
  tokenizer.save(staging.file("tokenizer.json"));
  detail::write_shards(staging, std::move(tensors), options.max_shard_bytes, config_text);
  io::write_file_atomically(staging.file("config.json"), config_text);
  staging.commit([](std::string_view name) { return detail::is_weights_name(name); });
}

namespace detail {

/// The table [V, n] whose lifted rows [V, C] were read, if they are those that were saved; else of no numbers.
Buffer<float> saved_rows(formats::ModelFolderConfig const& c, Buffer<float> const& rows);

/// The model that a configuration and tensors describe, all frozen. All names and shapes are checked before memory is
/// taken.   Errors: missing, surplus or misshapen tensors, all listed.
template <class Model>
Model make_model(formats::ModelFolderConfig const& c, formats::TensorFiles const& files, formats::NameMap const& names,
                 std::string const& where) {
  std::int64_t const C = c.block.d_model, V = c.vocab;
  TensorReader reader(files, names, c, where);
  for (auto const& [name, shape] : Model::tensor_shapes(c.block, V, C, c.depth, false)) reader.expect(name, shape);
  reader.finish();

  Buffer<float> rows(V * C);
  reader.read(table_name, {V, C}, rows.data());
  check(!c.tied_head || reader.holds("lm_head.weight", {V, C}, rows.data()), where,
        "lm_head.weight must be the table, as tie_word_embeddings says, which is true where it is missing (got another "
        "head, which some programs would read, and some not); set it to false, or take the head away");
  auto const frozen = c.own ? saved_rows(c, rows) : Buffer<float>();
  auto const own_width = static_cast<int>(c.table_width);
  TransformerOptions options = c.options;
  options.draw_head = false;  // as of the blocks below, all of it is read
  Model model(frozen.size() > 0
                  ? TableEmbedding::loaded(c.substrate_method, c.substrate_fingerprint, V, own_width, frozen)
                  : TableEmbedding::of_rows("imported", V, static_cast<int>(C), rows),
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
  formats::ModelFolderConfig config;
  formats::TensorFiles weights;  ///< mapped, checked against their checksums, and of one save with the configuration

  /// Errors, each naming the file: what `formats::model_config_of` refuses; damaged weights; files that do not belong
  /// together.
  static ModelFolder open(std::string const& folder);
  /// The same with weights of the folder that are open already.
  static ModelFolder open(std::string const& folder, formats::TensorFiles weights);

 private:
  template <class Weights>
  static ModelFolder open_with(std::string const& folder, Weights const& weights) {
    std::string const where = text("load '", folder, "/config.json'"), json = read_text_file(folder + "/config.json");
    auto config = formats::model_config_of(parse_json(json, where), where);
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
/// Starcoder2, whose weights may be fp32, fp16 or bf16 and in several files. A table that is not, to the bit, the one
/// that `save` wrote is a substrate of its own, of the method "table"; see `formats::table_note`.   Errors, each naming
/// the file: those of `ModelFolder::open`; missing, surplus or misshapen tensors, all listed.
template <class Model = Transformer<>>
Model load_model(ModelFolder const& folder) {
  return detail::make_model<Model>(folder.config, folder.weights, {}, text("load '", folder.path, "'"));
}
/// The same of a path.
template <class Model = Transformer<>>
Model load_model(std::string const& folder) {
  return load_model<Model>(ModelFolder::open(folder));
}

namespace formats {
/// For who opens a folder: one sentence if the model stands on another table than `save` wrote, or an empty text.
template <class Model>
std::string table_note(ModelFolder const& folder, Model const& model) {
  if (!folder.config.own || model.substrate_fingerprint() == folder.config.substrate_fingerprint) return "";
  return text("the token embeddings in '", folder.path, "' are not the frozen ones that were saved (method ",
              folder.config.substrate_method,
              "): they count as a table of their own, and the model merges with none on the frozen one");
}
}  // namespace formats

}  // namespace gt

#if !defined(GT_PREBUILT)
  #include "gt/formats/hugging_face/model_folder_impl.hpp"
#endif
