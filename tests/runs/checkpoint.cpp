// SPDX-License-Identifier: MIT
// Checkpoints: a run goes on from the file to the same bits; weights of any block; damage is one sentence.
#include "gt/runs/checkpoint.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "formats/support.hpp"
#include "gt/backend/ref/ref.hpp"
#include "gt/grow/grow.hpp"
#include "support/data.hpp"

namespace checkpoint_test {

using gt::deepen, gt::Error, gt::GrowOptions, gt::GrowthEnd, gt::GrowthPlan, gt::GrowthState, gt::load_checkpoint;
using gt::load_weights, gt::read_text_file, gt::Ref, gt::save_checkpoint, gt::save_weights;
using gt::test::changes, gt::test::differences, gt::test::error_of, gt::test::FileSizeLimit, gt::test::ids_below,
    gt::test::put;
using gt::test::substrate_of, gt::test::TemporaryFolder, gt::test::weights_of;

namespace {

constexpr gt::BlockConfig tiny{.d_model = 16, .heads = 2};
constexpr std::int64_t V = 29, T = 8, B = 2, steps = 5;
using Tiny = gt::Transformer<>;
GrowthPlan const plan{deepen(1), deepen(2)};
// Checkpoints inside its stages hold a table and adapters.
GrowthPlan const all_kinds{deepen(1, {.train_table = true}), deepen(1),
                           gt::adapt({.rank = 3, .alpha = 2, .rank_stabilised = true, .targets = {.o = false}})};
std::vector<std::int32_t> const one_byte(static_cast<std::size_t>(V), 1);

Tiny new_model() { return Tiny(substrate_of(V, 8), tiny, gt::seed(1), {.context = T}); }
GrowOptions options() { return {.batch = B, .tokens_per_stage = steps * B * T, .evaluate_every = 2}; }
gt::GrowthResult grow_by(GrowthPlan const& by, Tiny& model, GrowOptions const& asked, auto&... observers) {
  gt::TokenizedCorpus const corpus{gt::Tokens::from_ids(ids_below(V, 500, 1), V),
                                   gt::Tokens::from_ids(ids_below(V, 60, 2), V), 500, 60};
  return gt::grow(Ref{}, model, by, corpus, one_byte, asked, observers...);
}
gt::GrowthResult grow(Tiny& model, GrowOptions const& asked, auto&... observers) {
  return grow_by(plan, model, asked, observers...);
}
struct Keep : gt::GrowthObserver {
  Keep(Tiny const& m, std::string p) : model{m}, path{std::move(p)} {}
  void checkpoint(GrowthState const& state) override { save_checkpoint(model, state, path); }
  Tiny const& model;
  std::string path;
};
/// A checkpoint from the middle of the second stage.
struct Stopped {
  TemporaryFolder folder;
  std::string path = folder / "checkpoint.safetensors";
  Stopped() {
    Tiny model = new_model();
    Keep keep(model, path);
    auto asked = options();
    asked.stop = [made = 0]() mutable { return ++made == steps + 2; };
    REQUIRE(grow(model, asked, keep).end == GrowthEnd::stopped);
  }
};

}  // namespace

TEST_CASE("checkpoint: a run that was stopped goes on from its file to the same bits") {
  Tiny whole = new_model();
  auto const expected = grow(whole, options());
  Stopped const stopped;
  Tiny model = new_model();
  GrowthState const state = load_checkpoint(model, stopped.path);
  CHECK(state.stage == 1);
  CHECK(state.step == 2);
  CHECK(model.depth() == 3);
  auto asked = options();
  asked.resume = &state;
  auto const result = grow(model, asked);
  CHECK(result.end == GrowthEnd::finished);
  CHECK(changes(weights_of(whole), weights_of(model)).empty());
  REQUIRE(result.stages.size() == 2);
  for (std::size_t s = 0; s < 2; ++s) {
    CHECK(result.stages[s].loss == expected.stages[s].loss);
    CHECK(result.stages[s].before.nats == expected.stages[s].before.nats);
    CHECK(result.stages[s].after.nats == expected.stages[s].after.nats);
    CHECK(result.stages[s].active_parameters == expected.stages[s].active_parameters);
    CHECK(result.stages[s].profile.sum() > 0);
  }
}

TEST_CASE("checkpoint: inside a stage that trains the table, and inside a LoRA phase") {
  auto const learned = [] { return Tiny(substrate_of(V, 8, "learned"), tiny, gt::seed(1), {.context = T}); };
  Tiny whole = learned();
  CHECK(grow_by(all_kinds, whole, options()).end == GrowthEnd::finished);
  CHECK(whole.substrate_fingerprint() != learned().substrate_fingerprint());
  TemporaryFolder const folder;
  for (std::int64_t const stop_after : {std::int64_t{2}, steps + 1, 2 * steps + 2}) {
    CAPTURE(stop_after);
    Tiny first = learned();
    Keep keep(first, folder / "checkpoint.safetensors");
    auto stopping = options();
    stopping.stop = [&, made = 0]() mutable { return ++made == stop_after; };
    REQUIRE(grow_by(all_kinds, first, stopping, keep).end == GrowthEnd::stopped);
    Tiny model = learned();
    GrowthState const state = load_checkpoint(model, keep.path);
    CHECK(model.lora() == (stop_after > 2 * steps ? all_kinds[2].lora : gt::LoraConfig{}));
    CHECK(model.adapted() == (stop_after > 2 * steps ? 2 : 0));
    CHECK(changes(weights_of(first), weights_of(model)).empty());
    auto asked = options();
    asked.resume = &state;
    CHECK(grow_by(all_kinds, model, asked).end == GrowthEnd::finished);
    CHECK(changes(weights_of(whole), weights_of(model)).empty());
    CHECK(model.substrate_fingerprint() == whole.substrate_fingerprint());
  }
}

TEST_CASE("checkpoint: a stage is these bytes, and is read as it was") {
  Tiny model = new_model();
  model.append(1);
  GrowthState state;
  state.stage = 1, state.tokens = 48;
  state.stages.push_back({.depth = 1, .steps = 3, .tokens = 48, .active_parameters = 100, .loss = 2.5});
  auto& told = state.stages[0];
  told.before = {3.5, 10, 20}, told.after = {2.25, 11, 21}, told.seconds = 1.5, told.train_seconds = 1.25;
  told.step_flops = 1000.5, told.profile = {0.5, 0.25, 1.5, 2.5, 3.5};
  TemporaryFolder const folder;
  auto const path = folder / "checkpoint.safetensors";
  save_checkpoint(model, state, path);
  std::string const growth = gt::io::Safetensors::open(path).metadata().at("gt.growth");
  CHECK(growth.find(R"("stages":[{"stage":0,"depth":1,"steps":3,"tokens":48,"active_parameters":100,"loss":2.5,)"
                    R"("before":{"nats":3.5,"tokens":10,"bytes":20},"after":{"nats":2.25,"tokens":11,"bytes":21},)"
                    R"("seconds":1.5,"train_seconds":1.25,"step_flops":1000.5,"profile":[0.5,0.25,1.5,2.5,3.5]}],)") !=
        std::string::npos);
  Tiny other = new_model();
  save_checkpoint(other, load_checkpoint(other, path), folder / "again");
  CHECK(read_text_file(folder / "again", gt::any_bytes) == read_text_file(path, gt::any_bytes));
}

TEST_CASE("checkpoint: a disk that fills up keeps the older one") {
  Stopped const stopped;
  auto const before = read_text_file(stopped.path);
  Tiny model = new_model();
  GrowthState const state = load_checkpoint(model, stopped.path);
  {
    FileSizeLimit const limit(4096);
    CHECK_THROWS_AS(save_checkpoint(model, state, stopped.path), Error);
  }
  CHECK(read_text_file(stopped.path) == before);
  CHECK(stopped.folder.entries() == 1);
}

TEST_CASE("checkpoint: any cut and any flipped bit is one sentence that names the file") {
  Stopped const stopped;
  auto const good = read_text_file(stopped.path);
  auto const refused = [&](std::string const& bad) {
    put(stopped.path, bad);
    Tiny model = new_model();
    return error_of([&] { load_checkpoint(model, stopped.path); });
  };
  for (std::size_t const size : {std::size_t{0}, std::size_t{7}, std::size_t{600}, good.size() - 1}) {
    CAPTURE(size);
    CHECK(refused(good.substr(0, size)).find("'" + stopped.path + "'") != std::string::npos);
  }
  for (std::size_t at = 0; at < good.size(); at += 1 + good.size() / 199) {
    CAPTURE(at);
    auto bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 16);
    CHECK(refused(bad).find("'" + stopped.path + "'") != std::string::npos);
  }
}

TEST_CASE("checkpoint: files of other models and other files are refused") {
  Stopped const stopped;
  auto const refused = [&](Tiny model, std::string const& path) {
    return error_of([&] { load_checkpoint(model, path); });
  };
  std::string const where = "gt: load_checkpoint '" + stopped.path + "': ";
  CHECK(refused(Tiny(substrate_of(V, 16), tiny, gt::seed(1), {.context = T}), stopped.path) ==
        "no error");  // same name
  gt::FrozenTable const other("test", V, 8, gt::Buffer<float>(V * 8), "another");
  CHECK(refused(Tiny(other, tiny, gt::seed(1), {.context = T}), stopped.path) ==
        where + "the weights must have been trained on this model's substrate (got another one, or none)");
  Tiny deep = new_model();
  deep.append(4);
  CHECK(refused(std::move(deep), stopped.path) == where + "its numbers must make sense (got 3 blocks, step 2)");
  Tiny wide(substrate_of(V, 8), {.d_model = 32, .heads = 2}, gt::seed(1), {.context = T});
  auto const misshapen = error_of([&] { load_checkpoint(wide, stopped.path); });
  CHECK(misshapen.find("model.layers.0.input_layernorm.weight is misshapen, ") != std::string::npos);

  auto const weights = stopped.folder / "weights.safetensors";
  save_weights(new_model(), weights);
  CHECK(refused(new_model(), weights) ==
        "gt: load_checkpoint '" + weights + "': this must be a checkpoint of a growth run");
}

TEST_CASE("checkpoint: numbers that no run can reach are refused before memory is taken for them") {
  Stopped const stopped;
  auto const edited = [&](std::string_view from, std::string_view to) {
    auto const file = gt::io::Safetensors::open(stopped.path);
    auto metadata = file.metadata();
    auto& growth = metadata["gt.growth"];
    auto const at = growth.find(from);
    REQUIRE(at != growth.npos);
    growth.replace(at, from.size(), to);
    auto const path = stopped.folder / "edited.safetensors";
    gt::io::write_safetensors(path, std::span<gt::io::TensorView const>(file.tensors()), metadata);
    Tiny model = new_model();
    auto const said = error_of([&] { load_checkpoint(model, path); });
    CHECK(model.depth() == 0);
    return said;
  };
  CHECK(edited("\"depth\":3", "\"depth\":4096").find("is missing") != std::string::npos);
  for (auto const& [from, to] : {std::pair{"\"depth\":3", "\"depth\":-3"},
                                 {"\"step\":2", "\"step\":-2"},
                                 {"\"stages\":[{\"stage\":0", "\"stages\":[{\"stage\":18446744073709551615"},
                                 {"\"stage\":1", "\"stage\":7"},
                                 {"\"tokens\":112", "\"tokens\":9223372036854775807"},
                                 {"\"seconds\":", "\"seconds\":1e300,\"was\":"}}) {
    std::string const changed = from;
    CAPTURE(changed);
    CHECK(edited(from, to).find("its numbers must make sense") != std::string::npos);
  }
}

TEST_CASE("weights: a round trip, and what does not fit changes nothing") {
  TemporaryFolder const folder;
  auto const path = folder / "weights.safetensors";
  Tiny model = new_model(), twin = new_model();
  model.append(2), twin.append(2);
  gt::test::scramble(model);
  save_weights(model, path);
  load_weights(twin, path);
  CHECK(differences(model, twin).empty());

  Tiny lower = new_model();
  lower.append(1);
  auto const before = weights_of(lower);
  CHECK_THROWS_WITH_AS(load_weights(lower, path),
                       doctest::Contains("the tensors must be those of the model of 1 "
                                         "blocks (got: 35 tensors where 19 belong)"),
                       Error);
  CHECK(changes(before, weights_of(lower)).empty());
  Tiny higher = new_model();
  higher.append(3);
  CHECK_THROWS_WITH_AS(load_weights(higher, path),
                       doctest::Contains("model.layers.2.input_layernorm.weight is missing"), Error);
  CHECK_THROWS_WITH_AS(load_weights(higher, folder / "none"), doctest::Contains("none'"), Error);
  Tiny highest = new_model();  // of what is wrong a hundred are named, as in load_model
  highest.append(12);
  CHECK_THROWS_WITH_AS(
      load_weights(highest, path),
      doctest::Contains("model.layers.8.self_attn.q_proj.weight is missing, model.layers.8.self_attn.k_proj.weight is "
                        "missing, and 61 more)"),
      Error);
}

}  // namespace checkpoint_test
