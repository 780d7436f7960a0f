// SPDX-License-Identifier: MIT
// Models as folders: what is saved is loaded to the bit, config.json says all of it, and a save that fails harms
// nothing.
#include "gt/formats/hugging_face/model_folder.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "formats/support.hpp"
#include "gt/base/version.hpp"
#include "gt/cpu.hpp"
#include "gt/formats/hugging_face/any_model_folder.hpp"
#include "gt/infer/generate.hpp"

namespace model_folder_test {

using gt::Cpu, gt::load_model, gt::formats::read_model_config, gt::save, gt::Tokenizer, gt::Transformer;
using gt::test::bit_equal, gt::test::differences, gt::test::error_of, gt::test::has, gt::test::model_on_bits,
    gt::test::model_on_rows, gt::test::put, gt::test::TemporaryFolder, gt::test::tokenizer_of_prose;

namespace {

template <class Model>
std::string said_by(Model const& model, Tokenizer const& tokenizer) {
  std::string said;
  generate(Cpu<>(1), model, tokenizer, "the dar",
           {.max_tokens = 60, .sampler = {.temperature = 1.2, .seed = gt::seed(2)}},
           [&](std::string_view piece) { said += piece; });
  return said;
}
template <class Model>
auto logits_of(Model const& model) {
  return gt::test::logits(Cpu<>(1), model, gt::test::ids_below(model.vocab(), 20, 1), {1, 20});
}
/// Saves a model, loads it, and checks that nothing was lost.
void round_trip(Transformer<> const& model) {
  TemporaryFolder const folder;
  save(model, tokenizer_of_prose(), folder.path());
  auto const loaded = load_model(folder.path());
  CHECK(differences(model, loaded) == std::vector<std::string>{});
  CHECK(loaded.config() == model.config());
  CHECK(loaded.depth() == model.depth());
  CHECK(loaded.context() == model.context());
  CHECK(loaded.table_width() == model.table_width());
  CHECK(loaded.substrate_method() == model.substrate_method());
  CHECK(loaded.substrate_fingerprint() == model.substrate_fingerprint());
  CHECK(gt::test::trainable_names(loaded).empty());
  CHECK(bit_equal(logits_of(loaded), logits_of(model)));
}

}  // namespace

TEST_CASE("model folder: a model and its tokenizer come back to the bit and say the same") {
  auto const model = model_on_bits();
  TemporaryFolder const folder;
  save(model, tokenizer_of_prose(), folder / "a/b/model");
  auto const tokenizer = Tokenizer::load(folder / "a/b/model/tokenizer.json");
  auto const config = read_model_config(folder / "a/b/model");
  CHECK(tokenizer.fingerprint() == tokenizer_of_prose().fingerprint());
  CHECK(config.tokenizer_fingerprint == tokenizer.fingerprint());
  CHECK(config.substrate_fingerprint == model.substrate_fingerprint());
  CHECK(config.substrate_method == "binary");
  CHECK(config.table_width == 16);
  CHECK(config.vocab == 420);
  CHECK(config.depth == 2);
  CHECK(config.options.context == 24);
  CHECK(config.block == model.config());

  auto const loaded = load_model(folder / "a/b/model");
  CHECK(differences(model, loaded) == std::vector<std::string>{});
  CHECK(said_by(loaded, tokenizer) == said_by(model, tokenizer_of_prose()));
}

TEST_CASE("ModelFolder: what was opened is read once; the folder may change before its model is made, and after") {
  auto const model = model_on_bits();
  TemporaryFolder const folder;
  save(model, tokenizer_of_prose(), folder / "model", {.max_shard_bytes = 20'000});
  auto const opened = gt::ModelFolder::open(folder / "model");
  CHECK(opened.path == folder / "model");
  CHECK(opened.config.tokenizer_fingerprint == tokenizer_of_prose().fingerprint());
  std::filesystem::remove_all(folder / "model");
  auto const loaded = load_model(opened);
  CHECK(differences(model, loaded) == std::vector<std::string>{});
  auto const again = gt::load_any_model(Cpu<>(1), opened);
  CHECK(said_by(again, tokenizer_of_prose()) == said_by(model, tokenizer_of_prose()));
}

TEST_CASE("model folder: no head is drawn that is read next") {
  auto const shape = model_on_bits(0).config();
  auto const bits = gt::BinaryEmbedding::of_ids(tokenizer_of_prose().tokens(), {.d_model = shape.d_model});
  auto const head = [&](gt::TransformerOptions options) {
    return Transformer<>(bits, shape, gt::seed(1), options).head_buffer();
  };
  auto const drawn = head({}), left = head({.draw_head = false});
  CHECK(left.size() == drawn.size());
  CHECK(std::all_of(left.begin(), left.end(), [](float x) { return x == 0; }));
  CHECK(std::count(drawn.begin(), drawn.end(), 0.0F) < 100);
}

TEST_CASE("model folder: on a table that is narrow or as wide as the model, with equal logits") {
  round_trip(model_on_bits());
  round_trip(model_on_rows());
}

TEST_CASE("model folder: no blocks, another MLP, other constants") {
  round_trip(model_on_bits(0));
  round_trip(model_on_bits({.d_model = 32, .heads = 4, .d_ff = 48}));
  round_trip(model_on_bits({.d_model = 32, .heads = 4, .d_ff = 128}));  // the default, written out
  round_trip(model_on_bits({.d_model = 32, .heads = 2, .norm_eps = 1e-6, .rope_base = 123456.789}));
}

TEST_CASE("model folder: the exact GELU is Hugging Face's \"gelu\"") {
  auto const model = model_on_bits({.d_model = 32, .heads = 4, .gelu = gt::Gelu::erf});
  round_trip(model);
  TemporaryFolder const folder;
  save(model, tokenizer_of_prose(), folder.path());
  CHECK(gt::test::config_of(folder.path())["hidden_act"] == "gelu");
  auto const other = model_on_bits();  // of the same weights
  CHECK(differences(model, other).empty());
  CHECK(!bit_equal(logits_of(model), logits_of(other)));
}

TEST_CASE("model folder: the saved table is as wide as the model, and loaded it is as narrow as it was") {
  auto const model = model_on_bits();
  TemporaryFolder const folder;
  save(model, tokenizer_of_prose(), folder.path());
  auto const file = gt::io::Safetensors::open(folder / "model.safetensors");
  auto const* const table = file.find("model.embed_tokens.weight");
  REQUIRE(table != nullptr);
  CHECK(table->shape == std::vector<std::int64_t>{420, 32});
  auto const wide = gt::substrate::lifted(gt::BinaryEmbedding::of_ids(420, {.bits = 16}), 32);
  REQUIRE(table->bytes.size() == sizeof(float) * static_cast<std::size_t>(wide.size()));
  CHECK(std::memcmp(table->bytes.data(), wide.data(), table->bytes.size()) == 0);
  auto const loaded = load_model(folder.path());
  CHECK(loaded.table().columns() == 16);
  for (std::int64_t j = 0; j < 16; ++j) CHECK(loaded.table()(419, j) == static_cast<float>(419 >> j & 1));
}

TEST_CASE("model folder: config.json has every field of Starcoder2's, and ours") {
  using J = gt::Json;
  auto const model = model_on_bits(2, 77);
  TemporaryFolder const folder;
  save(model, tokenizer_of_prose(), folder.path());
  auto const file = gt::io::Safetensors::open(folder / "model.safetensors");
  J const substrate{{"method", "binary"},
                    {"width", 16},
                    {"fingerprint", model.substrate_fingerprint()},
                    {"rows_sha256", gt::Sha256{}.update(file.find("model.embed_tokens.weight")->bytes).hex()}};
  J const expected{{"architectures", J::array({"Starcoder2ForCausalLM"})},
                   {"model_type", "starcoder2"},
                   {"vocab_size", 420},
                   {"hidden_size", 32},
                   {"intermediate_size", 128},
                   {"num_hidden_layers", 2},
                   {"num_attention_heads", 4},
                   {"num_key_value_heads", 4},
                   {"hidden_act", "gelu_pytorch_tanh"},
                   {"max_position_embeddings", 24},
                   {"initializer_range", 0.02},
                   {"norm_epsilon", 1e-5},
                   {"rope_theta", 10000.0},
                   {"rope_scaling", nullptr},
                   {"sliding_window", nullptr},
                   {"attention_dropout", 0.0},
                   {"residual_dropout", 0.0},
                   {"embedding_dropout", 0.0},
                   {"use_bias", true},
                   {"use_cache", true},
                   {"tie_word_embeddings", false},
                   {"bos_token_id", *tokenizer_of_prose().bos()},
                   {"eos_token_id", *tokenizer_of_prose().eos()},
                   {"torch_dtype", "float32"},
                   {"gt",
                    {{"format", gt::formats::model_folder_version},
                     {"version", gt::version},
                     {"seed", 77},
                     {"tokenizer", tokenizer_of_prose().fingerprint()},
                     {"substrate", substrate}}}};
  CHECK(gt::test::config_of(folder.path()) == expected);

  auto const plain = Tokenizer::build(gt::Corpus::from_text(gt::test::prose(600)), {.vocab_size = 420, .specials = {}});
  save(model, plain, folder.path());
  CHECK(gt::test::config_of(folder.path())["bos_token_id"].is_null());
  CHECK(gt::test::config_of(folder.path())["eos_token_id"].is_null());
}

TEST_CASE("model folder: tokenizer_config.json names the class that reads tokenizer.json") {
  using J = gt::Json;
  TemporaryFolder const folder;
  save(model_on_bits(0), tokenizer_of_prose(), folder.path());
  CHECK(gt::parse_json(gt::read_text_file(folder / "tokenizer_config.json"), "tokenizer_config.json") ==
        J{{"tokenizer_class", "PreTrainedTokenizerFast"},
          {"clean_up_tokenization_spaces", false},
          {"model_input_names", {"input_ids", "attention_mask"}},
          {"model_max_length", 24},
          {"bos_token", "<s>"},
          {"eos_token", "</s>"},
          {"pad_token", "</s>"}});
  auto const pads_with = [&](std::vector<std::string> const& specials) {
    auto const tokenizer =
        Tokenizer::build(gt::Corpus::from_text(gt::test::prose(600)), {.vocab_size = 420, .specials = specials});
    save(model_on_bits(0), tokenizer, folder.path());
    auto const json = gt::parse_json(gt::read_text_file(folder / "tokenizer_config.json"), "tokenizer_config.json");
    return json.contains("pad_token") ? json["pad_token"].get<std::string>() : "none";
  };
  CHECK(pads_with({"<s>", "</s>", "<pad>"}) == "<pad>");
  CHECK(pads_with({"<s>"}) == "<s>");
  CHECK(pads_with({}) == "none");
}

TEST_CASE("model folder: generation_config.json names the tokens that begin and end a text") {
  TemporaryFolder const folder;
  save(model_on_bits(0), tokenizer_of_prose(), folder.path());
  CHECK(gt::parse_json(gt::read_text_file(folder / "generation_config.json"), "generation_config.json") ==
        gt::Json{{"_from_model_config", true},
                 {"bos_token_id", *tokenizer_of_prose().bos()},
                 {"eos_token_id", *tokenizer_of_prose().eos()},
                 {"pad_token_id", *tokenizer_of_prose().eos()}});
}

TEST_CASE("model folder: the tensors have the names and shapes of Starcoder2ForCausalLM") {
  TemporaryFolder const folder;
  save(model_on_bits(1), tokenizer_of_prose(), folder.path());
  auto const file = gt::io::Safetensors::open(folder / "model.safetensors");
  std::vector<std::string> names;
  for (auto const& t : file.tensors()) {
    CHECK(t.dtype == "F32");
    names.push_back(t.name + gt::io::detail::shape_text(t.shape));
  }
  std::string const block = "model.layers.0.";
  CHECK(names == std::vector<std::string>{"model.embed_tokens.weight[420, 32]",
                                          block + "input_layernorm.weight[32]",
                                          block + "input_layernorm.bias[32]",
                                          block + "self_attn.q_proj.weight[32, 32]",
                                          block + "self_attn.k_proj.weight[32, 32]",
                                          block + "self_attn.v_proj.weight[32, 32]",
                                          block + "self_attn.q_proj.bias[32]",
                                          block + "self_attn.k_proj.bias[32]",
                                          block + "self_attn.v_proj.bias[32]",
                                          block + "self_attn.o_proj.weight[32, 32]",
                                          block + "self_attn.o_proj.bias[32]",
                                          block + "post_attention_layernorm.weight[32]",
                                          block + "post_attention_layernorm.bias[32]",
                                          block + "mlp.c_fc.weight[128, 32]",
                                          block + "mlp.c_fc.bias[128]",
                                          block + "mlp.c_proj.weight[32, 128]",
                                          block + "mlp.c_proj.bias[32]",
                                          "model.norm.weight[32]",
                                          "model.norm.bias[32]",
                                          "lm_head.weight[420, 32]"});
  CHECK(file.metadata().at("format") == "pt");  // transformers refuses files without it
  CHECK(file.verified());
}

TEST_CASE("save: what Starcoder2 cannot express is refused with the switch that helps, before anything is written") {
  TemporaryFolder const folder;
  auto const error = [&](auto const& model) {
    return error_of([&] { save(model, tokenizer_of_prose(), folder / "model"); });
  };
  CHECK(error(model_on_bits(1, 3, {.context = 8, .head_bias = true})) ==
        "gt: save: Starcoder2 has no bias on its head; make the model with head_bias = false");
  CHECK(has(error(model_on_bits({.d_model = 32, .heads = 4, .qkv_bias = false})), "set qkv_bias and out_bias alike"));
  CHECK(has(error(model_on_bits({.d_model = 32, .heads = 4, .out_bias = false})), "set qkv_bias and out_bias alike"));
  CHECK(has(error(model_on_bits({.d_model = 32, .heads = 4, .qkv_bias = false, .out_bias = false})),
            "set qkv_bias and out_bias"));
  CHECK(error(model_on_bits({.d_model = 32, .heads = 4, .norm = gt::Norm::rms})) ==
        "gt: save: Starcoder2 has LayerNorm; make the block with norm = Norm::layer");
  auto const other = Tokenizer::build(gt::Corpus::from_text(gt::test::prose(600)), {.vocab_size = 421});
  CHECK(has(error_of([&] { save(model_on_bits(), other, folder / "model"); }),
            "the tokenizer must have as many tokens as the model (got 421 and 420)"));
  CHECK(folder.entries() == 0);
}

TEST_CASE("save: a folder that cannot be made or written is one clear error") {
  TemporaryFolder const folder;
  put(folder / "file", "");
  auto const error = [&](std::string const& path) {
    return error_of([&] { save(model_on_bits(0), tokenizer_of_prose(), path); });
  };
  CHECK(error(folder / "file/model") ==
        "gt: make_folder: the folder '" + folder / "file/model" + "' must be writable (got: Not a directory)");
  CHECK(has(error(folder / "file"), "'" + folder / "file" + "' must be a folder"));
  CHECK(has(error("/dev/null/no/model"), "the folder '/dev/null/no' must be writable"));
  CHECK(has(error(""), "must be writable"));
  std::filesystem::create_directories(folder / "model/model.safetensors");
  CHECK(has(error(folder / "model"), "model.safetensors' must be a regular file"));
}

TEST_CASE("save: when the disk is full the model that was there stays, and nothing lies about") {
  auto const old = model_on_bits();
  TemporaryFolder const folder;
  save(old, tokenizer_of_prose(), folder.path());
  {
    gt::test::FileSizeLimit const limit(100'000);  // enough for the tokenizer, not for the weights
    CHECK(has(error_of([&] { save(model_on_bits(3, 4), tokenizer_of_prose(), folder.path()); }),
              "model.safetensors' must be written completely (got: File too large); nothing was changed"));
  }
  CHECK(folder.entries() == 5);
  CHECK(differences(old, load_model(folder.path())) == std::vector<std::string>{});

  auto const next = model_on_bits(3, 4);
  save(next, tokenizer_of_prose(), folder.path());
  CHECK(folder.entries() == 5);
  CHECK(differences(next, load_model(folder.path())) == std::vector<std::string>{});
}

}  // namespace model_folder_test
