// SPDX-License-Identifier: MIT
// Adapters as PEFT's folders: they come back to the bit, say what PEFT asks for, and refuse what gt has not.
#include "gt/formats/peft/peft.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "formats/support.hpp"
#include "gt/cpu.hpp"
#include "support/growth.hpp"

namespace peft_test {

using gt::load_adapter, gt::LoraConfig, gt::save_adapter;
using gt::test::bit_equal, gt::test::differences, gt::test::error_of, gt::test::has, gt::test::model_on_bits,
    gt::test::put, gt::test::TemporaryFolder, gt::test::tokenizer_of_prose;

namespace {

constexpr LoraConfig queries_and_mlp{.rank = 3, .alpha = 5, .targets = {true, false, true, false, true, true}};

gt::Transformer<> adapted(LoraConfig lora, int blocks = -1) {
  auto model = model_on_bits();
  auto const plain = model.clone();
  model.attach_adapters(lora, blocks);
  gt::test::scramble(model, 900);  // and the rest as it was
  for (auto const& p : plain.parameters())
    for (auto const& q : model.parameters())
      if (p.name == q.name) std::copy_n(p.data, p.size(), q.data);
  return model;
}
gt::Json config_in(std::string const& folder) {
  return gt::parse_json(gt::read_text_file(folder + "/adapter_config.json"), "adapter_config.json");
}

}  // namespace

TEST_CASE("peft: adapters come back to the bit, of all blocks or of the lowest") {
  for (int const blocks : {-1, 1}) {
    for (bool const stabilised : {false, true}) {
      LoraConfig lora = queries_and_mlp;
      lora.rank_stabilised = stabilised;
      auto const model = adapted(lora, blocks);
      TemporaryFolder const folder;
      save_adapter(model, folder / "adapter", "somewhere/model");
      auto const bits = gt::BinaryEmbedding::of_ids(tokenizer_of_prose().tokens(), {.d_model = 32});
      gt::Transformer<> loaded(bits, gt::test::small, gt::seed(3), {.context = 24});
      loaded.append(2);
      gt::test::scramble(loaded, 300);  // as model_on_bits
      load_adapter(loaded, folder / "adapter");
      CHECK(differences(model, loaded) == std::vector<std::string>{});
      CHECK(loaded.lora() == lora);
      CHECK(loaded.adapted() == (blocks < 0 ? 2 : 1));
      CHECK(gt::test::trainable_names(loaded).empty());
      auto const ids = gt::test::ids_below(420, 20, 1);
      CHECK(bit_equal(gt::test::logits(gt::Cpu<>(1), loaded, ids, {1, 20}),
                      gt::test::logits(gt::Cpu<>(1), model, ids, {1, 20})));
    }
  }
}

TEST_CASE("peft: the files say what PEFT asks for") {
  TemporaryFolder const folder;
  save_adapter(adapted(queries_and_mlp, 1), folder.path(), "somewhere/model");
  CHECK(config_in(folder.path()) == gt::Json{{"peft_type", "LORA"},
                                             {"task_type", "CAUSAL_LM"},
                                             {"base_model_name_or_path", "somewhere/model"},
                                             {"inference_mode", true},
                                             {"r", 3},
                                             {"lora_alpha", 5.0},
                                             {"lora_dropout", 0.0},
                                             {"use_rslora", false},
                                             {"bias", "none"},
                                             {"fan_in_fan_out", false},
                                             {"target_modules", {"q_proj", "v_proj", "c_fc", "c_proj"}},
                                             {"modules_to_save", nullptr},
                                             {"layers_to_transform", {0}},
                                             {"layers_pattern", "layers"}});
  auto const file = gt::io::Safetensors::open(folder / "adapter_model.safetensors");
  CHECK(file.tensors().size() == 8);
  auto const* const a = file.find("base_model.model.model.layers.0.mlp.c_proj.lora_A.weight");
  auto const* const b = file.find("base_model.model.model.layers.0.mlp.c_fc.lora_B.weight");
  REQUIRE((a && b));
  CHECK(a->shape == std::vector<std::int64_t>{3, 128});
  CHECK(b->shape == std::vector<std::int64_t>{128, 3});
}

TEST_CASE("peft: what cannot be read is refused in a sentence, and the model is as it was") {
  TemporaryFolder const folder;
  save_adapter(adapted(queries_and_mlp), folder.path());
  auto const good = config_in(folder.path());
  auto const with = [&](char const* key, gt::Json const& value) {
    auto config = good;
    config[key] = value;
    put(folder / "adapter_config.json", config.dump());
    auto model = model_on_bits();
    auto const error = error_of([&] { load_adapter(model, folder.path()); });
    CHECK(!model.has_adapters());
    CHECK(differences(model, model_on_bits()).empty());
    CHECK(has(error, "gt: load_adapter '" + folder.path()));
    return error;
  };
  CHECK(has(with("peft_type", "IA3"), "peft_type must be LORA (got 'IA3')"));
  CHECK(has(with("use_dora", true), "use_dora must be false"));
  CHECK(has(with("fan_in_fan_out", true), "fan_in_fan_out must be false"));
  CHECK(has(with("rank_pattern", {{"q_proj", 4}}), "rank_pattern must be empty"));
  CHECK(has(with("modules_to_save", {"lm_head"}), "modules_to_save must be empty: gt adapts the matrices of blocks"));
  CHECK(has(with("bias", "all"), "bias must be none"));
  CHECK(has(with("target_modules", nullptr), "target_modules must list the names of matrices"));
  CHECK(has(with("target_modules", gt::Json::array()), "target_modules must name a matrix"));
  CHECK(has(with("layers_to_transform", {1}),
            "'base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight' is of no use"));
  CHECK(has(with("layers_to_transform", {-1}), "layers_to_transform must be numbers of blocks (got -1)"));
  CHECK(has(with("layers_to_transform", {0}),
            "'base_model.model.model.layers.1.self_attn.q_proj.lora_A.weight' is of "
            "no use"));
  CHECK(has(with("layers_to_transform", {0, 1, 2}), "the adapted blocks must be the model's (got 3 of 2)"));
  CHECK(has(with("r", 4), "layers.0.self_attn.q_proj.lora_A.weight is misshapen"));
  CHECK(has(with("target_modules", {"q_proj", "k_proj", "v_proj", "c_fc", "c_proj"}),
            "layers.0.self_attn.k_proj.lora_A.weight is missing"));
  // A rank or a name that the model cannot have is refused where it is read.
  auto model = model_on_bits();
  auto const said = [&](char const* key, gt::Json const& value) {
    auto config = good;
    config[key] = value;
    put(folder / "adapter_config.json", config.dump());
    return error_of([&] { load_adapter(model, folder.path()); });
  };
  CHECK(has(said("lora_alpha", 1e300), "adapter_config.json': alpha must be finite and not negative (got 1"));
  CHECK(has(said("r", 33), "adapter_config.json': the rank must lie in 1 ... 32, the width of the model (got 33)"));
  CHECK(has(said("target_modules", {"lm_head"}),
            "matrices must be named q_proj, k_proj, v_proj, o_proj, c_fc or c_proj "
            "(got 'lm_head')"));
  CHECK(has(said("target_modules", {"proj"}), "(got none of them)"));

  put(folder / "adapter_config.json", good.dump());
  auto other = gt::test::model_on_rows(2);
  CHECK(has(error_of([&] { load_adapter(other, folder.path()); }), "the adapter must be of a model on this substrate"));
  model.attach_adapters(queries_and_mlp);
  CHECK(has(error_of([&] { load_adapter(model, folder.path()); }), "the model must have no adapters yet"));
  CHECK(has(error_of([&] { save_adapter(model_on_bits(), folder.path()); }), "the model must have adapters"));
}

TEST_CASE("peft: every field is honoured or refused by its name, known or not, and can be named as one to ignore") {
  std::string const fine = "no error";
  TemporaryFolder const folder;
  auto const model = adapted(queries_and_mlp);
  save_adapter(model, folder.path());
  auto const good = config_in(folder.path());
  auto const said = [&](std::string const& key, gt::Json const& value, gt::LoadAdapterOptions const& options = {}) {
    auto config = good;
    config[key] = value;
    put(folder / "adapter_config.json", config.dump());
    auto loaded = model_on_bits();
    auto const error = error_of([&] { load_adapter(loaded, folder.path(), options); });
    CHECK(differences(loaded, error == fine ? model : model_on_bits()).empty());
    return error;
  };
  for (char const* start : {"pissa", "pissa_niter_4", "PiSSA", "olora", "corda", "loftq", "lora_ga", "mica", "new"}) {
    CAPTURE(start);
    CHECK(has(said("init_lora_weights", start), "init_lora_weights must be true, false, gaussian, eva or orthogonal"));
    CHECK(said("init_lora_weights", start, {.ignore_fields = {"init_lora_weights"}}) == fine);
  }
  for (gt::Json const& start : {gt::Json(true), gt::Json(false), gt::Json(nullptr), gt::Json("gaussian"),
                                gt::Json("eva"), gt::Json("orthogonal")})
    CHECK(said("init_lora_weights", start) == fine);
  CHECK(has(said("alora_invocation_tokens", {41, 42}), "alora_invocation_tokens must be empty"));
  CHECK(has(said("lora_alpha", 0), "lora_alpha must not be 0"));
  CHECK(has(said("task_type", "SEQ_CLS"), "task_type must be CAUSAL_LM"));
  CHECK(has(said("layers_pattern", "h"), "layers_pattern must be layers"));
  CHECK(has(said("target_parameters", {"w"}), "target_parameters must be empty"));
  for (char const* key :
       {"corda_config", "kasa_config", "arrow_config", "layer_replication", "trainable_token_indices", "use_bdlora",
        "velora_config", "megatron_config", "loftq_config", "ensure_weight_tying", "of_next_year"}) {
    CAPTURE(key);
    for (gt::Json const& nothing :
         {gt::Json(nullptr), gt::Json(false), gt::Json(""), gt::Json::array(), gt::Json::object()})
      CHECK(said(key, nothing) == fine);
    for (gt::Json const& something : {gt::Json(true), gt::Json(0), gt::Json("x"), gt::Json{1}, gt::Json{{"k", 2}}}) {
      CHECK(has(said(key, something), gt::text("'", key, "' must be null, false or empty")));
      CHECK(said(key, something, {.ignore_fields = {key}}) == fine);
    }
  }
  CHECK(said("megatron_core", "megatron.core") == fine);
  CHECK(said("qalora_group_size", 16) == fine);
  CHECK(has(said("megatron_core", "mine"), "'megatron_core' must be null, false or empty"));
  CHECK(has(said("qalora_group_size", 32), "'qalora_group_size' must be null, false or empty"));
  for (char const* key : {"auto_mapping", "lora_dropout", "peft_version", "revision", "inference_mode"})
    CHECK(said(key, "whatever") == fine);
  CHECK(has(said("r", 3, {.ignore_fields = {"use_dorra"}}), "a field to ignore must be there (got 'use_dorra')"));

  gt::Json bare{{"peft_type", "LORA"}, {"target_modules", {"q_proj"}}};  // the rest is LoraConfig's default
  auto const c = gt::peft_config_of(bare, "bare");
  CHECK(c.lora.rank == 8);
  CHECK(c.lora.scale() == 1);
}

TEST_CASE("peft: target modules are matched as PEFT matches them") {
  using Json = gt::Json;
  auto const matrices = [](Json const& more) {  // of two blocks
    Json config{{"peft_type", "LORA"}};
    config.update(more);
    auto const blocks = gt::peft_targets(gt::peft_config_of(config, "a"), 2, "a");
    return gt::to_text(blocks.at(0)) + " | " + gt::to_text(blocks.at(1));
  };
  auto const of = [&](Json const& targets) { return matrices({{"target_modules", targets}}); };
  CHECK(of({"q_proj", "c_fc"}) == "q_proj,c_fc | q_proj,c_fc");
  CHECK(of({"self_attn.q_proj"}) == "q_proj | q_proj");
  CHECK(of({"layers.1.self_attn.q_proj"}) == " | q_proj");
  CHECK(of({"model.layers.0.mlp.c_fc", "model.layers.1.self_attn.o_proj"}) == "c_fc | o_proj");
  CHECK(of({"q_proj", "gate_proj"}) == "q_proj | q_proj");  // one that is not there is none
  for (char const* name : {"all-linear", "All-Linear"})
    CHECK(of(name) == "q_proj,k_proj,v_proj,o_proj,c_fc,c_proj | q_proj,k_proj,v_proj,o_proj,c_fc,c_proj");
  CHECK(of(R"(.*\.(q_proj|v_proj))") == "q_proj,v_proj | q_proj,v_proj");
  CHECK(of(R"(model\.layers\.\d+\.self_attn\.[qk]_proj$)") == "q_proj,k_proj | q_proj,k_proj");
  CHECK(of(R"((?:.*?(?:vision).*?)|(?:\bmodel\.layers\.[\d]{1,}\.(?:self_attn|mlp)\.(?:(?:q_proj|c_fc))))") ==
        "q_proj,c_fc | q_proj,c_fc");  // as Unsloth writes them
  CHECK(of(R"(.*\.1\.mlp\..*)") == " | c_fc,c_proj");
  CHECK(has(error_of([&] { of("q_proj"); }), "(got none of them)"));  // a pattern matches whole paths
  CHECK(has(error_of([&] { of(".*"); }), "(got 'model.embed_tokens')"));
  CHECK(
      has(error_of([&] { of("(?!x).*"); }), "a: target_modules: a pattern must be a regular expression that gt reads"));

  CHECK(matrices({{"target_modules", {"q_proj"}}, {"layers_to_transform", 1}}) == " | q_proj");
  CHECK(matrices({{"target_modules", {"q_proj"}}, {"layers_to_transform", {1, 0}}, {"layers_pattern", {"layers"}}}) ==
        "q_proj | q_proj");
  CHECK(matrices({{"target_modules", {"q_proj", "model.layers.1.mlp.c_fc"}}, {"layers_to_transform", {0}}}) ==
        "q_proj | c_fc");  // a whole path is held to no block
  CHECK(matrices({{"target_modules", "all-linear"}, {"exclude_modules", {"mlp.c_fc", "c_proj"}}}) ==
        "q_proj,k_proj,v_proj,o_proj | q_proj,k_proj,v_proj,o_proj");
  CHECK(matrices({{"target_modules", {"q_proj"}}, {"exclude_modules", R"(.*\.0\..*)"}}) == " | q_proj");
}

TEST_CASE("peft: matching whole paths takes as long as there are blocks") {
  auto const match = [](int depth) {
    gt::PeftConfig config;
    for (int block = 0; block < depth; ++block)
      config.targets.names.push_back(gt::text("model.layers.", block, ".self_attn.q_proj")),
          config.layers.push_back(block);
    return [config, depth] { REQUIRE(gt::peft_targets(config, depth, "a").back().count() == 1); };
  };
  CHECK(gt::test::growth_by_sixteen(match, 50) < gt::test::at_most_linear);
}

TEST_CASE("peft: an adapter of some matrices of some blocks is zero elsewhere") {
  auto model = adapted({.rank = 3, .alpha = 5});
  for (auto const& p : model.parameters()) {  // as PEFT has it: these have none
    bool const none =
        p.name.find("0.self_attn.q_proj.lora_B") != p.name.npos || p.name.find("1.mlp.c_fc.lora_B") != p.name.npos;
    if (none) std::fill_n(p.data, p.size(), 0.0F);
  }
  TemporaryFolder const folder;
  save_adapter(model, folder.path());
  auto config = config_in(folder.path());
  config["target_modules"] = gt::Json::array();
  for (int block = 0; block < 2; ++block)
    for (char const* name :
         {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.c_fc", "mlp.c_proj"})
      if (!(block == 0 && name == std::string("self_attn.q_proj")) && !(block == 1 && name == std::string("mlp.c_fc")))
        config["target_modules"].push_back(gt::text("model.layers.", block, ".", name));
  put(folder / "adapter_config.json", config.dump());
  gt::test::rewrite_weights(
      folder.path(),
      [](auto& tensors) {
        std::erase_if(tensors, [](auto const& t) {
          return t.name.find("0.self_attn.q_proj") != t.name.npos || t.name.find("1.mlp.c_fc") != t.name.npos;
        });
      },
      "adapter_model.safetensors");
  auto loaded = model_on_bits();
  load_adapter(loaded, folder.path());
  gt::Cpu<> const on(1);
  loaded.merge_adapters(on);
  model.merge_adapters(on);
  CHECK(differences(loaded, model) == std::vector<std::string>{});
}

TEST_CASE("peft: an adapter of a base with shared KV heads is refused for that") {
  TemporaryFolder const folder;
  save_adapter(adapted({.rank = 3}), folder.path());
  gt::test::rewrite_weights(
      folder.path(),
      [](auto& tensors) {
        for (auto& t : tensors)
          if (t.name.ends_with("v_proj.lora_B.weight")) t.shape[0] /= 2, t.bytes.resize(t.bytes.size() / 2);
      },
      "adapter_model.safetensors");
  auto model = model_on_bits();
  CHECK(has(error_of([&] { load_adapter(model, folder.path()); }), "as many KV heads as heads"));
  CHECK(!model.has_adapters());
}

}  // namespace peft_test
