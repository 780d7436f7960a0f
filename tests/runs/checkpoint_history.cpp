// SPDX-License-Identifier: MIT
// The last checkpoints of a run, of which one that is damaged costs only the steps behind the one before; the best
// model.
#include "gt/runs/checkpoint_history.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "formats/support.hpp"
#include "gt/backend/ref/ref.hpp"
#include "gt/grow/grow.hpp"
#include "gt/runs/keep_best.hpp"
#include "gt/runs/unfinished_save.hpp"
#include "support/data.hpp"

namespace checkpoint_history_test {

using gt::CheckpointHistory, gt::deepen, gt::GrowOptions, gt::GrowthPlan, gt::GrowthState, gt::read_text_file, gt::Ref;
using gt::test::changes, gt::test::differences, gt::test::error_of, gt::test::FileSizeLimit, gt::test::has;
using gt::test::ids_below, gt::test::put, gt::test::TemporaryFolder, gt::test::tokenizer_of_prose, gt::test::weights_of;

namespace {

constexpr gt::BlockConfig tiny{.d_model = 16, .heads = 2};
constexpr std::int64_t T = 8, B = 2, steps = 6;
using Tiny = gt::Transformer<>;
GrowthPlan const plan{deepen(1, {.schedule = {.lr = 0.02}}), gt::adapt({.rank = 2}, {.schedule = {.lr = 0.01}})};

Tiny new_model() {
  auto const rows = gt::RandomEmbedding::draw(tokenizer_of_prose().tokens(), {.width = 8});
  return Tiny(rows, tiny, gt::seed(1), {.context = T});
}
gt::TokenizedCorpus corpus() {
  auto const V = tokenizer_of_prose().size();
  return {gt::Tokens::from_ids(ids_below(V, 500, 1), V), gt::Tokens::from_ids(ids_below(V, 200, 2), V), 500, 200};
}
GrowOptions options() {
  return {.batch = B,
          .tokens_per_stage = steps * B * T,
          .evaluate_every = 2,
          .evaluation_tokens = 30,
          .checkpoint_seconds = 0};
}
gt::GrowthResult grow(Tiny& model, GrowOptions const& asked, auto&... observers) {
  return gt::grow(Ref{}, model, plan, corpus(), gt::token_bytes(tokenizer_of_prose()), asked, observers...);
}
struct Keep : gt::GrowthObserver {
  Keep(Tiny const& m, CheckpointHistory h) : model{m}, history{std::move(h)} {}
  void checkpoint(GrowthState const& state) override { history.save(model, state), all.push_back(state.tokens); }
  Tiny const& model;
  CheckpointHistory history;
  std::vector<std::int64_t> all;
};
void flip(std::string const& path, std::size_t at) {
  auto bytes = read_text_file(path);
  bytes[at % bytes.size()] = static_cast<char>(bytes[at % bytes.size()] ^ 1);
  put(path, bytes);
}

}  // namespace

TEST_CASE("checkpoint history: the last N are there, each as it was when it was the newest") {
  for (int const keep : {1, 2, 4}) {
    CAPTURE(keep);
    TemporaryFolder const folder;
    Tiny model = new_model();
    Keep kept(model, CheckpointHistory(folder.path(), keep));
    grow(model, options(), kept);
    REQUIRE(kept.all.size() == 2 * steps);
    CHECK(folder.entries() == keep);
    auto const older = kept.history.older();
    REQUIRE(static_cast<int>(older.size()) == keep - 1);
    for (std::size_t i = 0; i < older.size(); ++i) {
      auto const tokens = kept.all[kept.all.size() - 2 - i];
      CHECK(older[i] == folder / gt::text("checkpoint-", tokens, ".safetensors"));
      Tiny read = new_model();
      CHECK(gt::load_checkpoint(read, older[i]).tokens == tokens);
    }
  }
  CHECK(error_of([] { CheckpointHistory(".", 0); }) ==
        "gt: CheckpointHistory: at least 1 checkpoint must be kept (got 0)");
}

TEST_CASE("checkpoint history: behind damaged ones a run goes on from the newest that is whole, to the same bits") {
  Tiny whole = new_model();
  grow(whole, options());
  for (std::size_t const damaged : {std::size_t{0}, std::size_t{1}, std::size_t{2}}) {
    CAPTURE(damaged);
    TemporaryFolder const folder;
    Tiny model = new_model();
    Keep kept(model, CheckpointHistory(folder.path(), 3));
    auto stopping = options();
    stopping.stop = [made = 0]() mutable { return ++made == steps + 3; };  // inside the LoRA phase
    grow(model, stopping, kept);
    if (damaged > 0) flip(kept.history.newest(), 5000);
    if (damaged > 1) put(kept.history.older()[0], read_text_file(kept.history.older()[0]).substr(0, 700));

    Tiny again = new_model();
    Keep more(again, CheckpointHistory(folder.path(), 3));
    std::vector<std::string> told;
    GrowthState const state = more.history.load(again, [&](std::string const& s) { told.push_back(s); });
    CHECK(state.tokens == kept.all[kept.all.size() - 1 - damaged]);
    REQUIRE(told.size() == damaged);
    if (damaged > 0) CHECK(has(told[0], "'" + more.history.newest() + "'"));
    if (damaged > 0) CHECK(has(told[0], "; going back to the checkpoint before, '" + more.history.older()[0] + "'"));
    auto asked = options();
    asked.resume = &state;
    grow(again, asked, more);
    CHECK(changes(weights_of(whole), weights_of(again)).empty());
    CHECK(folder.entries() == 3);
    for (auto const& path : more.history.older()) {  // nothing damaged was kept
      Tiny read = new_model();
      CHECK(error_of([&] { gt::load_checkpoint(read, path); }) == "no error");
    }
  }
}

TEST_CASE("checkpoint history: where none is whole the newest says why, and the model is as it was") {
  TemporaryFolder const folder;
  Tiny model = new_model();
  Keep kept(model, CheckpointHistory(folder.path(), 2));
  grow(model, options(), kept);
  flip(kept.history.newest(), 4000);
  flip(kept.history.older()[0], 4000);
  Tiny again = new_model();
  auto const before = weights_of(again);
  CHECK(has(error_of([&] { kept.history.load(again, [](std::string const&) { FAIL("no way back"); }); }),
            "safetensors '" + kept.history.newest() + "'"));
  CHECK(again.depth() == 0);
  CHECK(changes(before, weights_of(again)).empty());

  TemporaryFolder const empty;
  CHECK(has(error_of([&] { CheckpointHistory(empty.path()).load(again, [](std::string const&) {}); }),
            "No such file or directory"));
}

TEST_CASE("checkpoint history: on a full disk all that was there stays") {
  TemporaryFolder const folder;
  Tiny model = new_model();
  Keep kept(model, CheckpointHistory(folder.path(), 3));
  auto stopping = options();
  stopping.stop = [made = 0]() mutable { return ++made == steps; };
  grow(model, stopping, kept);
  auto const newest = read_text_file(kept.history.newest());
  auto const older = kept.history.older();
  REQUIRE(older.size() == 2);
  GrowthState later;
  Tiny other = new_model();
  later = kept.history.load(other, [](std::string const&) {});
  later.tokens += 100;
  std::string said;
  {
    FileSizeLimit const full(2000);
    said = error_of([&] { kept.history.save(other, later); });
  }
  CHECK(has(said, "must be written completely (got: File too large); nothing was changed"));
  CHECK(read_text_file(kept.history.newest()) == newest);
  for (auto const& path : older) CHECK(std::filesystem::exists(path));
  Tiny again = new_model();
  CHECK(kept.history.load(again, [](std::string const&) {}).tokens == later.tokens - 100);
}

TEST_CASE("keep best: the model of the least held-out bits, by looks at the same text, with its adapters merged") {
  TemporaryFolder const folder;
  Tiny model = new_model();
  struct Looks : gt::GrowthObserver {
    explicit Looks(Tiny const& m) : model{m} {}
    void step_done(gt::StepDone const& s) override {
      if (!s.evaluated) return;
      Tiny copy = model.clone();
      copy.merge_adapters(Ref{});
      gt::Evaluator<Ref, Tiny> evaluate(Ref{}, {B, T}, gt::token_bytes(tokenizer_of_prose()));
      auto const bits = evaluate(model, corpus().validation, 30).bits_per_byte();
      if (!copies.empty() && bits >= best) return;
      best = bits, at = {s.stage, s.step}, copies.assign(1, std::move(copy));
    }
    Tiny const& model;
    double best = 0;
    std::pair<std::size_t, std::int64_t> at;
    std::vector<Tiny> copies;
  } looks(model);
  gt::KeepBest<Ref, Tiny> keep(Ref{}, model, tokenizer_of_prose(), corpus().validation,
                               gt::token_bytes(tokenizer_of_prose()), options(), folder / "best");
  auto asked = options();
  grow(model, asked, keep, looks);
  CHECK(keep.best().bits_per_byte == looks.best);
  CHECK(std::pair(keep.best().stage, keep.best().step) == looks.at);
  CHECK(differences(gt::load_model<Tiny>(folder / "best"), looks.copies[0]).empty());
  auto const look = gt::parse_json(read_text_file(folder / "best/look.json"), "look.json");
  CHECK(look["stage"] == looks.at.first + 1);
  CHECK(look["step"] == looks.at.second);
  CHECK(look["val_bits_per_byte"] == looks.best);

  gt::KeepBest<Ref, Tiny> const again(Ref{}, model, tokenizer_of_prose(), corpus().validation,
                                      gt::token_bytes(tokenizer_of_prose()), options(), folder / "best", true);
  CHECK(again.best().bits_per_byte == looks.best);
  put(folder / "best/look.json", "{}");
  CHECK(has(error_of([&] {
              gt::KeepBest<Ref, Tiny>(Ref{}, model, tokenizer_of_prose(), corpus().validation,
                                      gt::token_bytes(tokenizer_of_prose()), options(), folder / "best", true);
            }),
            "key 'stage' must be present"));
}

TEST_CASE("remove_unfinished_save: what a killed `save` left, and nothing else") {
  TemporaryFolder const folder;
  gt::save(gt::test::model_on_bits(0), tokenizer_of_prose(), folder.path());
  CHECK_FALSE(gt::remove_unfinished_save(folder.path()));
  std::filesystem::create_directory(folder / ".saving");
  put(folder / ".saving/model.safetensors", "whole");
  put(folder / ".saving/.config.json.7.0.tmp", "half");
  CHECK(gt::remove_unfinished_save(folder.path()));
  CHECK(folder.entries() == 5);
  std::filesystem::create_directory(folder / "elsewhere");
  put(folder / "elsewhere/mine", "mine");
  std::filesystem::create_symlink(folder / "elsewhere", folder / ".saving");
  CHECK_FALSE(gt::remove_unfinished_save(folder.path()));
  CHECK(read_text_file(folder / "elsewhere/mine") == "mine");
}

}  // namespace checkpoint_history_test
