// SPDX-License-Identifier: MIT
// A model as a folder: configuration, weights and tokenizer, as Hugging Face's Starcoder2 has them.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/base/sha256.hpp"
#include "gt/base/version.hpp"
#include "gt/io/atomic_file.hpp"
#include "gt/io/file_descriptor.hpp"
#include "gt/io/json.hpp"
#include "gt/io/safetensors.hpp"
#include "gt/io/text_file.hpp"
#include "gt/nn/transformer.hpp"
#include "gt/substrate/table_embedding.hpp"

namespace gt {

inline constexpr int model_folder_version = 1;  ///< of the `gt` part of config.json; others are refused by number

/// What config.json says: enough to choose a type and make the model before its weights are read.
struct ModelFolderConfig {
  BlockConfig block{};           ///< C, H, F (`d_ff` 0 where F = 4 C), and the constants
  TransformerOptions options{};  ///< the context only: widths and heads stand in `block`
  int depth = 0;                 ///< L
  std::int64_t vocab = 0;        ///< V
  std::uint64_t seed = 1;        ///< that the model was made with
  std::int64_t table_width = 0;  ///< n of the substrate; the saved table is lifted to C
  /// How the table was made ("glyph", "binary", ...), and the fingerprints of the table and of the tokenizer.
  std::string substrate_method, substrate_fingerprint, tokenizer_fingerprint;
};

namespace detail {

inline void make_folder(std::string const& path) {
  for (std::size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    std::string const part = path.substr(0, slash);
    if (::mkdir(part.c_str(), 0777) != 0 && errno != EEXIST) {
      fail("make_folder", "the folder '", part, "' must be writable (got: ", std::strerror(errno), ")");
    }
    if (slash == std::string::npos) break;
  }
  struct stat info {};
  check(::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode), "make_folder", "'", path, "' must be a folder");
}

/// Files that appear in a folder together: written to `folder/.saving`, moved out by `commit`, and removed without it,
/// so that a full disk leaves the folder as it was.
class Staging {
 public:
  explicit Staging(std::string folder) : folder_{std::move(folder)}, stage_{folder_ + "/.saving"} {
    make_folder(stage_);
  }
  Staging(Staging const&) = delete;
  Staging& operator=(Staging const&) = delete;
  ~Staging() {
    for (auto const& name : names_) ::unlink((stage_ + "/" + name).c_str());
    ::rmdir(stage_.c_str());
  }
  /// Where to write the file that will be `folder/name`, which must be replaceable.
  std::string file(std::string const& name) {
    struct stat info {};
    std::string const target = folder_ + "/" + name;
    check(::stat(target.c_str(), &info) != 0 || S_ISREG(info.st_mode), "save", "'", target, "' must be a regular file");
    names_.push_back(name);
    return stage_ + "/" + name;
  }
  void commit() {
    for (auto const& name : names_) {
      check(std::rename((stage_ + "/" + name).c_str(), (folder_ + "/" + name).c_str()) == 0, "save", "'", folder_, "/",
            name, "' must be replaceable (got: ", std::strerror(errno), ")");
    }
    FileDescriptor const folder{::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (folder.is_open()) ::fsync(folder.get());  // the names survive a power cut; some file systems sync no folders
  }

 private:
  std::string folder_, stage_;
  std::vector<std::string> names_;
};

template <class BlockT>
inline constexpr bool is_starcoder2_block = false;
template <BlockConfig Cfg, class T>
inline constexpr bool is_starcoder2_block<Block<Cfg, T>> = true;

inline std::span<std::byte const> bytes_of(float const* data, std::int64_t count) {
  return std::as_bytes(std::span(data, static_cast<std::size_t>(count)));
}

}  // namespace detail

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

/// Writes a model and its tokenizer into `folder`, making it where it is missing. Each file appears whole or not at
/// all, and names the others, so that a folder of files that do not belong together is refused by `load`. Errors: a
/// folder that cannot be written; a model that Starcoder2 cannot express. Nothing good is then overwritten.
template <class Model, class Tokenizer, class J = Json>
void save(Model const& model, Tokenizer const& tokenizer, std::string const& folder) {
  static_assert(std::is_same_v<typename Model::scalar, float>, "models are saved in fp32");
  static_assert(detail::is_starcoder2_block<typename Model::block_type>,
                "only models of gt::Block have the shape of Starcoder2; use save_weights for a block of your own");
  check(tokenizer.size() == model.vocab(), "save", "the tokenizer must have as many tokens as the model (got ",
        tokenizer.size(), " and ", model.vocab(), ")");
  auto const id = [](auto token) { return token ? static_cast<std::int64_t>(*token) : std::int64_t{-1}; };
  J const config = model_config_json<J>(model, tokenizer.fingerprint(), id(tokenizer.bos()), id(tokenizer.eos()));
  std::string const config_text = dump_json(config, "save", 2) + "\n";
  detail::make_folder(folder);

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
  if (auto const bos = tokenizer.bos()) tokenizer_config["bos_token"] = tokenizer.token(*bos);
  if (auto const eos = tokenizer.eos()) tokenizer_config["eos_token"] = tokenizer.token(*eos);
  detail::Staging staging(folder);
  write_file_atomically(staging.file("tokenizer_config.json"), dump_json(tokenizer_config, "save", 2) + "\n");
  tokenizer.save(staging.file("tokenizer.json"));
  write_safetensors(staging.file("model.safetensors"), std::span<TensorView const>(tensors),
                    {{"format", "pt"}, {"gt.config", sha256_hex(config_text)}});
  write_file_atomically(staging.file("config.json"), config_text);
  staging.commit();
}

/// Reads and checks config.json. Errors: a missing or malformed file; another architecture; a field that gt cannot
/// honour.
template <class J = Json>
ModelFolderConfig read_model_config(std::string const& folder) {
  std::string const where = text("load '", folder, "/config.json'");
  J const json = parse_json<J>(read_text_file(folder + "/config.json"), where);
  auto const number = [&](char const* key) { return json_get<std::int64_t>(json, key, where); };
  auto const expect = [&](bool holds, auto const&... what) { check(holds, where, what...); };
  expect(json_get<std::string>(json, "model_type", where) == "starcoder2", "model_type must be starcoder2");
  ModelFolderConfig c;
  auto const small = [&](char const* key, std::int64_t most) {
    std::int64_t const value = number(key);
    expect(value > 0 && value <= most, key, " must lie in 1 ... ", most, " (got ", value, ")");
    return value;
  };
  c.block.d_model = static_cast<int>(small("hidden_size", 65536));
  c.block.heads = static_cast<int>(small("num_attention_heads", 65536));
  c.block.d_ff = static_cast<int>(small("intermediate_size", 1 << 20));
  if (c.block.d_ff == 4 * c.block.d_model) c.block.d_ff = 0;
  c.block.norm_eps = json_get<double>(json, "norm_epsilon", where);
  for (char const* key : {"sliding_window", "rope_scaling"}) {
    expect(!json.contains(key) || json[key].is_null(), key, " must be null: gt attends to the whole context");
  }
  if (json.contains("rope_parameters")) {  // where transformers 5 keeps rope_theta
    J const rope = json_get<J>(json, "rope_parameters", where);
    expect(json_get<std::string>(rope, "rope_type", where) == "default", "rope_type must be default");
    c.block.rope_base = json_get<double>(rope, "rope_theta", where);
  } else {
    c.block.rope_base = json_get<double>(json, "rope_theta", where);
  }
  expect(c.block.norm_eps > 0 && c.block.norm_eps < 1 && c.block.rope_base > 1,
         "norm_epsilon and rope_theta must be sane");
  c.options.context = small("max_position_embeddings", std::int64_t{1} << 24);
  c.vocab = small("vocab_size", std::int64_t{1} << 28);
  std::int64_t const depth = number("num_hidden_layers");
  expect(depth >= 0 && depth <= 4096, "num_hidden_layers must lie in 0 ... 4096 (got ", depth, ")");
  c.depth = static_cast<int>(depth);
  expect(number("num_key_value_heads") == c.block.heads, "gt needs as many KV heads as heads");
  expect(!json_get<bool>(json, "tie_word_embeddings", where), "the head must not be tied to the embedding");
  expect(json_get<bool>(json, "use_bias", where), "use_bias must be true");
  auto const activation = json_get<std::string>(json, "hidden_act", where);
  expect(activation == "gelu_pytorch_tanh" || activation == "gelu", "hidden_act must be gelu_pytorch_tanh or gelu");
  c.block.gelu = activation == "gelu" ? Gelu::erf : Gelu::tanh;
  expect(heads_divide_d_model(c.block) && d_head_is_even(c.block),
         "num_attention_heads must cut hidden_size into equal parts of even width (got ", c.block.heads, " for ",
         c.block.d_model, ")");

  J const gt_part = json_get<J>(json, "gt", where);
  auto const format = json_get<std::int64_t>(gt_part, "format", where);
  expect(format == model_folder_version, "this version of gt reads format ", model_folder_version, " (got ", format,
         ")");
  c.seed = json_get<std::uint64_t>(gt_part, "seed", where);
  c.tokenizer_fingerprint = json_get<std::string>(gt_part, "tokenizer", where);
  J const substrate = json_get<J>(gt_part, "substrate", where);
  c.substrate_method = json_get<std::string>(substrate, "method", where);
  c.substrate_fingerprint = json_get<std::string>(substrate, "fingerprint", where);
  c.table_width = json_get<std::int64_t>(substrate, "width", where);
  expect(c.table_width > 0 && c.block.d_model % c.table_width == 0,
         "the substrate's width must divide hidden_size (got ", c.table_width, ")");
  return c;
}

/// The model in `folder`, all frozen, as the type Model. Errors, each naming the file: what `read_model_config`
/// refuses; a width or number of heads that Model does not have; missing, surplus or misshapen tensors, all listed;
/// damaged weights; files that do not belong together.
template <class Model, class J = Json>
Model load_model(std::string const& folder) {
  ModelFolderConfig c = read_model_config<J>(folder);
  constexpr BlockConfig type = Model::static_config;
  std::string const where = text("load '", folder, "'");
  check(type.d_model == BlockConfig::run_time || type.d_model == c.block.d_model, where, "this type's width is ",
        type.d_model, " (got ", c.block.d_model, ")");
  check(type.heads == BlockConfig::run_time || type.heads == c.block.heads, where, "this type has ", type.heads,
        " heads (got ", c.block.heads, ")");
  check(type.d_model == BlockConfig::run_time ? type.d_ff == 0 || type.d_ff == c.block.ff() : type.ff() == c.block.ff(),
        where, "this type's MLP is ", type.ff(), " wide (got ", c.block.ff(), ")");
  if (type.d_ff > 0) c.block.d_ff = c.block.ff();
  auto const file = Safetensors::open(folder + "/model.safetensors");
  auto const& meta = file.metadata();
  auto const named = meta.find("gt.config");
  check(named == meta.end() || named->second == sha256_hex(read_text_file(folder + "/config.json")), where,
        "model.safetensors and config.json must come from one save");

  std::int64_t const C = c.block.d_model, n = c.table_width;
  std::string wrong;
  auto const expected = [&](std::string const& name, std::vector<std::int64_t> const& shape) -> float const* {
    TensorView const* const t = file.find(name);
    if (!t || t->dtype != "F32" || t->shape != shape) {
      wrong += text(wrong.empty() ? "" : ", ", name, t ? " is misshapen" : " is missing");
      return nullptr;
    }
    return reinterpret_cast<float const*>(t->bytes.data());
  };
  // All names and shapes are checked against the file before memory is taken for them.
  std::size_t count = 0;
  for (auto const& [name, shape] : Model::tensor_shapes(c.block, c.vocab, C, c.depth, false))
    expected(name, shape), ++count;
  if (file.tensors().size() != count)
    wrong += text(wrong.empty() ? "" : ", ", file.tensors().size(), " tensors where ", count, " belong");
  check(wrong.empty(), where, "the tensors must be those of the model (got: ", wrong, ")");

  Buffer<float> table(c.vocab * n);
  {
    float const* const wide = expected("model.embed_tokens.weight", {c.vocab, C});
    for (std::int64_t i = 0; i < c.vocab * n; ++i) table[i] = wide[i / n * C + i % n * (C / n)];
    bool repeats = true;
    for (std::int64_t i = 0; i < c.vocab * C; ++i) repeats = repeats && wide[i] == table[i / C * n + i % C / (C / n)];
    check(repeats, where, "model.embed_tokens.weight must have each number of the substrate ", C / n,
          " times in a row");
  }
  TransformerOptions options = c.options;
  options.d_model = c.block.d_model, options.heads = c.block.heads, options.d_ff = c.block.d_ff;
  if (is_run_time(type))
    options.gelu = c.block.gelu, options.norm_eps = c.block.norm_eps, options.rope_base = c.block.rope_base;
  Model model(TableEmbedding::loaded(c.substrate_method, c.substrate_fingerprint, c.vocab, static_cast<int>(n), table),
              Seed{c.seed}, options);
  check(model.config() == c.block, where, "the block's shape must be that of the model's type");
  model.append(c.depth);
  for (auto const& p : model.parameters()) {
    if (p.name != "model.embed_tokens.weight") std::copy_n(expected(p.name, p.shape), p.size(), p.data);
  }
  return model;
}

}  // namespace gt
