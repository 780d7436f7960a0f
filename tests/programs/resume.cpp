// SPDX-License-Identifier: MIT
// Stopping and going on from outside: Ctrl-C, SIGTERM and kill; the same bytes as without; a loss that is not finite.
#include <doctest/doctest.h>

#include <filesystem>
#include <limits>
#include <string>
#include <string_view>

#include "gt/io/text_file.hpp"
#include "gt/nn/transformer.hpp"
#include "gt/runs/checkpoint.hpp"
#include "gt/substrate/binary_embedding.hpp"
#include "gt/text/tokenizer.hpp"
#include "gt/text/tokenizer_json.hpp"
#include "programs/place.hpp"
#include "programs/support.hpp"

namespace resume_test {

using gt::read_text_file;
using gt::test::arguments, gt::test::check_complaint, gt::test::check_sentence, gt::test::Ended, gt::test::eventually;
using gt::test::has, gt::test::has_logged, gt::test::Options, gt::test::Place, gt::test::Program, gt::test::put;
using gt::test::run, gt::test::steps_of, gt::test::unfinished_files, gt::test::with, gt::test::without;

namespace {

Options long_run(Place const& place, std::string_view out) {
  return with(place.options(out), {{"--plan", "1+1"}, {"--tokens", "120000"}});
}
Options going_on(Place const& place, Options const& more = {}) {
  return with({{"--resume", place / "run"}, {"--threads", "1"}}, more);
}
/// Starts a run and sends `signal` once it has logged `row`.
Ended signalled(Place const& place, int signal, std::string_view row) {
  return gt::test::signalled(long_run(place, "run"), row, signal);
}

}  // namespace

TEST_CASE("grow: stopped by a signal and resumed, it ends with the same bytes as a run that was left alone") {
  Place const place;
  auto const whole = run("grow", long_run(place, "whole"));
  REQUIRE(whole.status == 0);
  for (auto const& [number, row] :
       {std::pair{SIGINT, "{\"stage\":1,\"step\":40,"}, std::pair{SIGTERM, "{\"stage\":2,\"step\":120,"},
        std::pair{SIGKILL, "{\"stage\":2,\"step\":40,"}}) {
    int const signal = number;
    CAPTURE(signal);
    std::filesystem::remove_all(place / "run");
    auto const ended = signalled(place, signal, row);
    if (signal == SIGKILL) {
      CHECK(ended.signal == SIGKILL);  // the checkpoint of the stage before is there
    } else {
      CHECK(ended.status == 128 + signal);
      CHECK(has(ended.out, "go on: " GT_PROGRAM " grow --resume " + (place / "run")));
      CHECK(std::filesystem::exists(place / "run/report.html"));
    }
    auto const resumed = run("grow", going_on(place, {{"--threads", "2"}}));
    REQUIRE(resumed.status == 0);
    CHECK(has(resumed.out,
              signal == SIGINT ? "going on in stage 1 of 2 after step " : "going on in stage 2 of 2 after step "));
    for (char const* file : {"model/model.safetensors", "model/config.json", "model/tokenizer.json", "samples.jsonl"}) {
      CAPTURE(file);
      CHECK(read_text_file(place / "whole/" + file) == read_text_file(place / "run/" + file));
    }
    CHECK(steps_of(place / "whole/metrics.jsonl") == steps_of(place / "run/metrics.jsonl"));
    CHECK(unfinished_files(place / "run").empty());
  }
  // A finished run has nothing left to do, and says so.
  auto const before = read_text_file(place / "run/model/model.safetensors");
  auto const samples = read_text_file(place / "run/samples.jsonl");
  auto const again = run("grow", going_on(place));
  CHECK(again.status == 0);
  CHECK(has(again.out, "this run is finished"));
  CHECK(read_text_file(place / "run/model/model.safetensors") == before);
  CHECK(read_text_file(place / "run/samples.jsonl") == samples);
}

TEST_CASE("grow: what cannot go on is one sentence, and changes nothing") {
  Place const place;
  REQUIRE(signalled(place, SIGINT, "{\"stage\":1,\"step\":20,").status == 130);
  auto const checkpoint = place / "run/checkpoint.safetensors", good = read_text_file(checkpoint);
  auto const metrics = read_text_file(place / "run/metrics.jsonl");

  check_sentence(run("grow", {{"--resume", place / "none"}}), "the folder must hold a run that saved a checkpoint");
  check_complaint(run("grow", going_on(place, {{"--width", "128"}})), "--resume");
  check_complaint(run("grow", going_on(place, {{"--vocab", "400"}})), "--resume");
  put(checkpoint, std::string_view(good).substr(0, good.size() / 2));
  check_sentence(run("grow", going_on(place)), "'" + checkpoint + "'");
  auto flipped = good;
  flipped[good.size() / 2] = static_cast<char>(flipped[good.size() / 2] ^ 1);
  put(checkpoint, flipped);
  check_sentence(run("grow", going_on(place)), "'" + checkpoint + "'");
  put(checkpoint, good);
  auto const text = read_text_file(place / "corpus.txt");
  put(place / "corpus.txt", text + "One more line.\n");
  check_sentence(run("grow", going_on(place)), "the text of --corpus must be what it was when the run began");
  put(place / "corpus.txt", text);
  CHECK(read_text_file(place / "run/metrics.jsonl") == metrics);
  CHECK(run("grow", going_on(place)).status == 0);
}

TEST_CASE("grow: a loss that is not finite ends the run with the step named, what to do, and a report that says so") {
  Place const place;
  auto const stopped = signalled(place, SIGINT, "{\"stage\":1,\"step\":20,");
  REQUIRE(stopped.status == 130);
  auto const checkpoint = place / "run/checkpoint.safetensors";
  {  // in place of a rate that is too high: one weight overflows
    auto const tokenizer = gt::Tokenizer::load(place / "run/model/tokenizer.json");
    constexpr gt::BlockConfig block{.d_model = 64, .heads = 2};
    gt::Transformer model(gt::BinaryEmbedding::of_ids(tokenizer.tokens(), {.d_model = 64}), block, gt::seed(1),
                          {.context = 32});
    auto const state = gt::load_checkpoint(model, checkpoint);
    model.head_buffer()[200] = std::numeric_limits<float>::infinity();
    gt::save_checkpoint(model, state, checkpoint);
  }
  auto const weights = read_text_file(place / "run/model/model.safetensors");
  auto const ended = run("grow", going_on(place));
  CHECK(ended.status == 1);
  auto const step = stopped.out.substr(stopped.out.find("after step ") + 11);
  CHECK(has(ended.err,
            "gt: grow: the loss must stay finite (it did not in stage 1, step " + std::to_string(std::stoi(step) + 1) +
                "); there is no checkpoint from which a smaller rate could help: begin again with --lr 0.00025"));
  CHECK(has(read_text_file(place / "run/report.html"), "whose loss was not finite"));
  CHECK(read_text_file(place / "run/model/model.safetensors") == weights);
}

TEST_CASE("grow: --resume takes another rate and says so; a run.json that no run wrote is one sentence") {
  Place const place;
  REQUIRE(signalled(place, SIGINT, "{\"stage\":1,\"step\":20,").status == 130);
  auto const description = place / "run/run.json", good = read_text_file(description);
  auto const spoil = [&](std::string_view from, std::string_view to) {
    std::string bad = good;
    auto const at = bad.find(from);
    REQUIRE(at != bad.npos);
    put(description, bad.replace(at, from.size(), to));
    return run("grow", going_on(place));
  };
  check_sentence(spoil("\"batch\": 4", "\"batch\": 0"), "--batch must lie in 1 ... 65536 (got 0)");
  check_sentence(spoil("\"batch\": 4", "\"batch\": 4611686018427387904"), "--batch must lie in 1 ... 65536");
  check_sentence(spoil("\"lr\": 0.001", "\"lr\": 1e300"), "--lr must lie between 0 and 1");
  check_sentence(spoil("\"head\": \"carry\"", "\"head\": \"tail\""), "--head is not known (got 'tail')");
  check_sentence(spoil("\"tokens\": 120000", "\"tokens\": -1"), "tokens must be positive (got -1)");
  check_sentence(spoil("\"plan\": \"1+1\"", "\"plan\": \"9\""), "the state to go on from must belong to this plan");
  check_sentence(spoil("\"arguments\"", "\"orders\""), "arguments");
  put(description, good);
  auto const changed = run("grow", going_on(place, {{"--lr", "0.0005"}}));
  CHECK(changed.status == 0);
  CHECK(has(read_text_file(description), "until a stop 0.001"));
  CHECK(has(read_text_file(place / "run/report.html"), "until a stop 0.001"));
}

TEST_CASE("grow: --overwrite leaves nothing of the run before, and without it nothing is touched") {
  Place const place;
  auto const small = with(place.options("run"), {{"--plan", "1"}, {"--tokens", "400"}});
  for (char const* file : {"report.html", "samples.jsonl", "checkpoint.safetensors", "run.json", "training_loss.svg"}) {
    std::filesystem::remove_all(place / "run");
    std::filesystem::create_directory(place / "run");
    put(place / "run/" + file, "mine");
    check_sentence(run("grow", small), "--out must not hold a run already");
    CHECK(read_text_file(place / "run/" + file) == "mine");
  }
  std::filesystem::remove_all(place / "run");
  REQUIRE(run("grow", small).status == 0);
  // Killed in its first stage, the new run must not leave the old model as if it were its own.
  Program growing("grow", arguments(with(long_run(place, "run"), {{"--overwrite", ""}})));
  REQUIRE(eventually([&] { return has_logged(place / "run", "{\"stage\":1,\"step\":20,") || !growing.running(); }));
  growing.signal(SIGKILL);
  growing.wait();
  CHECK_FALSE(std::filesystem::exists(place / "run/model/config.json"));
  CHECK(has(run("grow", going_on(place)).out, "going on in stage 1 of 2 after step 0"));  // the new one's checkpoint
}

}  // namespace resume_test
