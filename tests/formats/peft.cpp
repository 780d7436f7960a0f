// SPDX-License-Identifier: MIT
// Adapters as PEFT's folders: they come back to the bit, say what PEFT asks for, and refuse what gt has not.
#include "gt/formats/peft/peft.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <vector>

#include "formats/support.hpp"
#include "gt/cpu.hpp"

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
  return gt::parse_json<gt::Json>(gt::read_text_file(folder + "/adapter_config.json"), "adapter_config.json");
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
  auto const file = gt::Safetensors::open(folder / "adapter_model.safetensors");
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
  CHECK(has(with("modules_to_save", {"lm_head"}), "modules_to_save must be empty"));
  CHECK(has(with("bias", "all"), "bias must be none"));
  CHECK(has(with("target_modules", "all-linear"), "target_modules must list the names of matrices"));
  CHECK(has(with("target_modules", gt::Json::array()), "target_modules must name a matrix"));
  CHECK(has(with("layers_to_transform", {1}), "layers_to_transform must be the lowest blocks"));
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
  CHECK(has(said("r", 33), "the rank must lie in 1 ... 32, the width of the model (got 33)"));
  CHECK(has(said("target_modules", {"lm_head"}), "matrices must be named q_proj"));

  put(folder / "adapter_config.json", good.dump());
  auto other = gt::test::model_on_rows(2);
  CHECK(has(error_of([&] { load_adapter(other, folder.path()); }), "the adapter must be of a model on this substrate"));
  model.attach_adapters(queries_and_mlp);
  CHECK(has(error_of([&] { load_adapter(model, folder.path()); }), "the model must have no adapters yet"));
  CHECK(has(error_of([&] { save_adapter(model_on_bits(), folder.path()); }), "the model must have adapters"));
}

}  // namespace peft_test
