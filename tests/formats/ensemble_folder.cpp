// SPDX-License-Identifier: MIT
// Ensembles on disk: they come back as they were, wherever their folders lie, and never from what does not fit.
#include "gt/formats/ensemble_folder.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "compose/support.hpp"
#include "gt/compose/trainer.hpp"
#include "io/support.hpp"

namespace ensemble_folder_test {

using gt::Cpu, gt::Ensemble, gt::Error, gt::Expert, gt::load_expert, gt::posterior_weights;
using gt::test::bit_equal, gt::test::has, gt::test::ids_below, gt::test::losses, gt::test::TemporaryFolder,
    gt::test::tokenizer_of_prose, gt::test::two_experts;

namespace {

/// Two experts in folders of their own.
struct Place {
  Place() {
    auto const models = two_experts();
    gt::save(models[0], tokenizer_of_prose(), folder / "experts/a");
    gt::save(models[1], tokenizer_of_prose(), folder / "experts/b");
  }
  std::string operator/(std::string_view name) const { return folder / name; }
  std::vector<Expert<gt::Transformer<>>> experts() const {
    return {load_expert(folder / "experts/a"), load_expert(folder / "experts/b")};
  }
  /// One that trained.
  Ensemble<gt::Transformer<>> tuned(gt::EnsembleTrains what = {.heads = true}) const {
    Ensemble ensemble(experts(), gt::fixed_weights({1, 3}));
    ensemble.add_adapter({.rank = 4});
    gt::EnsembleTrainer trainer(Cpu<>(1), ensemble, {2, 24}, what);
    trainer.step(ids_below(420, 48, 1), ids_below(420, 48, 2), 1e-2);
    return ensemble;
  }
  TemporaryFolder folder;
};
template <class Model>
std::vector<float> said(Ensemble<Model> const& ensemble) {
  return losses(Cpu<>(1), ensemble, ids_below(420, 48, 3), ids_below(420, 48, 4), {2, 24});
}
gt::Json json_of(std::string const& folder) {
  return gt::parse_json(gt::read_text_file(folder + "/ensemble.json"), "ensemble.json");
}

}  // namespace

TEST_CASE("save_ensemble: what was merged, and what trained after it, comes back to the bit") {
  Place const place;
  auto const comes_back = [&](Ensemble<gt::Transformer<>> const& ensemble, std::string const& name) {
    gt::save_ensemble(ensemble, place / name);
    auto const typed = gt::load_ensemble(place / name);
    CHECK(bit_equal(said(typed), said(ensemble)));
    CHECK(bit_equal(said(gt::load_any_ensemble(Cpu<>(1), place / name)), said(ensemble)));
    CHECK(typed.mixing() == ensemble.mixing());
    CHECK(typed.table_count() == 1);
    CHECK(typed.experts()[1].name == ensemble.experts()[1].name);
    CHECK(typed.owns_heads() == ensemble.owns_heads());
    CHECK((typed.adapter() != nullptr) == (ensemble.adapter() != nullptr));
    gt::save_ensemble(typed, place / "again");
    CHECK(bit_equal(said(gt::load_ensemble(place / "again")), said(ensemble)));
  };
  comes_back(Ensemble(place.experts()), "mean");
  comes_back(Ensemble(place.experts(), posterior_weights({.prior = {1, 2}, .decay = 0.1})), "deep/down/posterior");
  CHECK_FALSE(std::filesystem::exists(place / "mean/ensemble.safetensors"));
  comes_back(place.tuned(), "tuned");
  comes_back(place.tuned({.heads = false}), "adapted");
  comes_back(place.tuned({.heads = true, .adapter = false}), "headed");
  CHECK(json_of(place / "tuned")["experts"][0]["folder"] == "../experts/a");
  CHECK(json_of(place / "deep/down/posterior")["experts"][1]["folder"] == "../../../experts/b");
}

TEST_CASE("save_ensemble: experts and ensemble move together; an ensemble may lie beside or above its experts") {
  Place const place;
  auto const ensemble = place.tuned();
  gt::save_ensemble(ensemble, place / "both");
  gt::save_ensemble(ensemble, place / "experts");  // the folder that holds them
  CHECK(json_of(place / "experts")["experts"][0]["folder"] == "a");
  gt::save_ensemble(ensemble, place / "experts/a");  // beside an expert's own files
  CHECK(json_of(place / "experts/a")["experts"][0]["folder"] == ".");
  CHECK(json_of(place / "experts/a")["experts"][1]["folder"] == "../b");
  CHECK(bit_equal(said(gt::load_ensemble(place / "experts/a")), said(ensemble)));
  TemporaryFolder const elsewhere;
  std::filesystem::rename(place / "experts", elsewhere / "experts");
  std::filesystem::rename(place / "both", elsewhere / "both");
  CHECK(bit_equal(said(gt::load_ensemble(elsewhere / "both")), said(ensemble)));
  CHECK(bit_equal(said(gt::load_ensemble(elsewhere / "experts")), said(ensemble)));
}

TEST_CASE("save_ensemble: what would be lost is refused, and a full disk leaves the folder as it was") {
  Place const place;
  CHECK_THROWS_WITH_AS(gt::save_ensemble(Ensemble(two_experts()), place / "x"),
                       "gt: save_ensemble: 'expert 1' must come from a folder; save it, and load it with load_expert",
                       Error);
  auto experts = place.experts();
  experts[1].model.blocks()[0].weights()[9] += 1;
  CHECK_THROWS_WITH_AS(
      gt::save_ensemble(Ensemble(experts), place / "x"),
      doctest::Contains("experts/b' must hold the expert as it is in memory (got another model.layers.0."), Error);
  CHECK_FALSE(std::filesystem::exists(place / "x"));

  auto const before = place.tuned();
  gt::save_ensemble(before, place / "both");
  {
    gt::test::FileSizeLimit const full(100);
    CHECK_THROWS_AS(gt::save_ensemble(Ensemble(place.experts()), place / "both"), Error);
  }
  CHECK(bit_equal(said(gt::load_ensemble(place / "both")), said(before)));
}

TEST_CASE("save_ensemble: experts whose weights lie in shards, or are another program's in 16 bits, come back too") {
  Place const place;
  auto const shards = two_experts()[0];
  gt::save(shards, tokenizer_of_prose(), place / "experts/a", {.max_shard_bytes = 20'000});
  REQUIRE_FALSE(std::filesystem::exists(place / "experts/a/model.safetensors"));
  gt::test::rewrite_weights(place / "experts/b", [](std::vector<gt::test::OwnTensor>& tensors) {
    std::erase_if(tensors, [](auto const& t) { return t.name == "lm_head.weight"; });  // the table's, which it has once
    for (auto& t : tensors) {
      std::vector<std::byte> halves;
      for (std::size_t i = 0; i < t.bytes.size(); i += 4) halves.insert(halves.end(), {t.bytes[i + 2], t.bytes[i + 3]});
      t.dtype = "BF16", t.bytes = halves;
    }
  });
  auto config = gt::test::config_of(place / "experts/b");
  config.erase("gt");
  config["tie_word_embeddings"] = true;
  gt::test::put_config(place / "experts/b", config);

  Ensemble const ensemble(place.experts(), {}, {.any_substrate = true});
  gt::save_ensemble(ensemble, place / "both");
  CHECK(bit_equal(said(gt::load_ensemble(place / "both")), said(ensemble)));
  CHECK(bit_equal(said(gt::load_any_ensemble(Cpu<>(1), place / "both")), said(ensemble)));

  ensemble.expert(1).blocks()[0].weights()[9] += 1;
  CHECK_THROWS_WITH_AS(gt::save_ensemble(ensemble, place / "both"),
                       doctest::Contains("experts/b' must hold the expert as it is in memory (got another model."),
                       Error);
}

TEST_CASE("load_ensemble: an expert that changed, files of two saves, and damage are one sentence") {
  Place const place;
  gt::save_ensemble(place.tuned(), place / "both");
  gt::save_ensemble(place.tuned({.heads = false}), place / "other");
  auto const refused = [&](std::string const& folder, char const* part) {
    CHECK_THROWS_WITH_AS(gt::load_ensemble(place / folder), doctest::Contains(part), Error);
    CHECK_THROWS_WITH_AS(gt::load_any_ensemble(Cpu<>(1), place / folder), doctest::Contains(part), Error);
  };
  auto const good = gt::read_text_file(place / "both/ensemble.json");
  auto const with = [&](std::string const& was, std::string const& is) {
    auto changed = good;
    REQUIRE(has(changed, was));
    gt::test::put(place / "both/ensemble.json", changed.replace(changed.find(was), was.size(), is));
  };
  refused("none", "none/ensemble.json' must be a readable file");
  with("\"format\": 1", "\"format\": 2");
  refused("both", "both/ensemble.json': this version of gt reads format 1 (got 2)");
  with("\"decay\": 1.0", "\"decay\": 3.0");
  refused("both", "the decay must lie in [0, 1] (got 3");
  with("\"heads\": true", "\"heads\": false");
  refused("both", "ensemble.safetensors and ensemble.json must come from one save");
  with("\"substrate\": \"", "\"substrate\": \"0");
  refused("both", "the experts' substrate must be what it was");
  with("../experts/b", "../experts/c");
  refused("both", "experts/c/model.safetensors'");
  with("../experts/b", (place / "experts/b").c_str());
  refused("both", "an expert's folder must be a path relative to the ensemble's (got '/");
  with("../experts/b", "");
  refused("both", "an expert's folder must be a path relative to the ensemble's (got '')");
  with("../experts/b", "../experts/b\\u0000");
  refused("both", "an expert's folder must be a path relative to the ensemble's (got '../experts/b?')");
  with("../experts/b", "../experts/../experts/b");
  refused("both", "an expert's folder must have .. at its beginning only (got '../experts/../experts/b')");
  with("../experts/b", "../experts/a");
  refused("both", "experts/a' must be the one that was merged (its weights are others)");
  with("experts", "expert");
  refused("both", "key 'experts' must be present");
  gt::test::put(place / "both/ensemble.json", good);
  CHECK(gt::load_ensemble(place / "both").size() == 2);
  std::filesystem::copy(place / "other/ensemble.safetensors", place / "both/ensemble.safetensors",
                        std::filesystem::copy_options::overwrite_existing);
  refused("both", "ensemble.safetensors and ensemble.json must come from one save");

  auto damaged = gt::read_text_file(place / "experts/b/model.safetensors");
  auto const whole = damaged;
  damaged[damaged.size() - 5] ^= 1;
  gt::test::put(place / "experts/b/model.safetensors", damaged);
  refused("other", "experts/b/model.safetensors': tensor '");
  refused("other", "the file is damaged, or another program changed it");
  gt::test::put(place / "experts/b/model.safetensors", whole);

  auto changed = two_experts()[1];
  changed.head_buffer()[3] += 1;
  gt::save(changed, tokenizer_of_prose(), place / "experts/b");
  refused("other", "experts/b' must be the one that was merged (its weights are others)");
}

TEST_CASE("ensemble.json names every expert once, by whatever path; in memory one may be averaged with itself") {
  Place const place;
  gt::save_ensemble(Ensemble(place.experts()), place / "both");
  auto json = json_of(place / "both");
  json["experts"].push_back(json["experts"][0]);
  json["mixing"]["weights"] = gt::Json::array();
  auto const refused = [&](char const* folder) {
    json["experts"][2]["folder"] = folder;
    gt::test::put(place / "both/ensemble.json", json.dump());
    CHECK_THROWS_WITH_AS(gt::load_ensemble(place / "both"),
                         doctest::Contains("ensemble.json': an ensemble's file must name every expert once (got '"),
                         Error);
    CHECK_THROWS_WITH_AS(gt::load_any_ensemble(Cpu<>(1), place / "both"),
                         doctest::Contains((std::string(folder) + "' twice); give it a greater weight").c_str()),
                         Error);
  };
  refused("../experts/a");
  refused("../experts/./a");
  std::filesystem::create_directory_symlink(place / "experts/a", place / "also-a");
  refused("../also-a");

  auto const a = load_expert(place / "experts/a");
  Ensemble const twice(std::vector{a, a});
  CHECK(said(twice).size() == 48);
  CHECK_THROWS_WITH_AS(gt::save_ensemble(twice, place / "twice"),
                       doctest::Contains("save_ensemble: an ensemble's file must name every expert once (got '"),
                       Error);
  CHECK_FALSE(std::filesystem::exists(place / "twice"));
}

TEST_CASE("load_ensemble: experts outside are refused where the folder should hold all of itself") {
  Place const place;
  Ensemble const ensemble(place.experts());
  gt::save_ensemble(ensemble, place / "beside");
  CHECK_THROWS_WITH_AS(gt::load_ensemble(place / "beside", {.outside = false}),
                       doctest::Contains("every expert must lie in the ensemble's folder, as was asked for (got "
                                         "'../experts/a')"),
                       Error);
  CHECK_THROWS_AS(gt::load_any_ensemble(Cpu<>(1), place / "beside", {.outside = false}), Error);
  gt::save_ensemble(ensemble, place / "experts");
  CHECK(gt::load_ensemble(place / "experts", {.outside = false}).size() == 2);
}

TEST_CASE("save_adapter: comes back to the bit; what is no adapter is refused") {
  TemporaryFolder const folder;
  Ensemble ensemble(two_experts());
  gt::test::add_busy_adapter(ensemble);
  auto const& adapter = *ensemble.adapter();
  gt::save_adapter(adapter, folder / "adapter.safetensors");
  auto const back = gt::load_adapter(folder / "adapter.safetensors");
  CHECK(back.experts() == 2);
  CHECK(back.rank() == 3);
  CHECK(bit_equal<float>(back.buffer().span(), adapter.buffer().span()));

  auto const parameters = adapter.parameters();
  auto const refused = [&](std::vector<gt::io::TensorView> const& tensors, char const* part) {
    gt::io::write_safetensors(folder / "bad.safetensors", std::span<gt::io::TensorView const>(tensors), {});
    CHECK_THROWS_WITH_AS(gt::load_adapter(folder / "bad.safetensors"), doctest::Contains(part), Error);
  };
  auto const d0 = gt::detail::view_of(parameters[0]), d1 = gt::detail::view_of(parameters[1]),
             up = gt::detail::view_of(parameters[2]);
  refused({d0, d1}, "bad.safetensors': fusion.up.weight must be a matrix in F32");
  refused({d1, up}, "fusion.down.0.weight must be a matrix in F32");
  refused({d0, d1, up, {"more", "F32", {3, 32}, d0.bytes}}, "the tensors must be those of one adapter");
  refused({d0, {d1.name, "F32", {32, 3}, d1.bytes}, up}, "fusion.down.1.weight is misshapen");
  refused({{d0.name, "F32", {32, 3}, d0.bytes}, d1, up}, "the tensors must be those of one adapter");
}

}  // namespace ensemble_folder_test
