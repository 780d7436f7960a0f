// SPDX-License-Identifier: MIT
// grow and generate from outside: text to weights to text, each bad input as one sentence, Ctrl-C at any time.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "gt/io/json.hpp"
#include "gt/io/text_file.hpp"
#include "io/support.hpp"
#include "programs/place.hpp"
#include "programs/support.hpp"
#include "text/support.hpp"

namespace programs_test {

using gt::read_text_file;
using gt::test::arguments, gt::test::check_complaint, gt::test::check_sentence, gt::test::copied_model, gt::test::Ended,
    gt::test::eventually, gt::test::has, gt::test::has_logged, gt::test::lines_of, gt::test::metrics_of,
    gt::test::Options, gt::test::Place, gt::test::Program, gt::test::put, gt::test::Run, gt::test::run,
    gt::test::saying, gt::test::steps_of, gt::test::TemporaryFolder, gt::test::unfinished_files, gt::test::with,
    gt::test::without;

TEST_CASE("grow and generate: text to weights to text; the same seed gives the same bytes on any number of threads") {
  auto const& first = Run::once();
  Place const other;
  put(other / "font.hex", "0041:0000000018182424424242427E424242\n");  // what it lacks is drawn as boxes
  auto const second = run("grow", with(other.options("b"), {{"--threads", "3"}}));
  REQUIRE(second.status == 0);
  for (char const* file : {"model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json"}) {
    CAPTURE(file);
    CHECK(read_text_file(first.model + "/" + file) == read_text_file(other / "b/model/" + file));
  }
  auto const rows = steps_of(first.place / "run/metrics.jsonl"), again = steps_of(other / "b/metrics.jsonl");
  CHECK(rows == again);
  CHECK(rows.back()["stage"] == 3);
  CHECK(rows.back()["depth"] == 3);
  CHECK(rows.back()["tokens"] == 3 * 15 * 128);
  CHECK(rows.back()["val_bits_per_byte"].get<double>() < rows[2]["val_bits_per_byte"].get<double>());
  CHECK(unfinished_files(other.folder.path()).empty());

  CHECK(has(second.err, " 3 threads"));
  for (char const* part :
       {"  stage     trains  depth", "  stage  depth   active", "\n> ", "\nmodel: ", "\nmetrics: "}) {
    CAPTURE(part);
    CHECK(has(second.out, part));
  }

  auto const glyphs = run("grow", with(other.options("c"), {{"--substrate", "glyph"}, {"--font", other / "font.hex"}}));
  CHECK(glyphs.status == 0);
  CHECK(read_text_file(other / "c/model/model.safetensors") != read_text_file(other / "b/model/model.safetensors"));
  CHECK(has(read_text_file(other / "c/model/config.json"), "\"glyph\""));
  auto const said = run("generate", saying(other / "c/model"));
  CHECK(said.status == 0);
  CHECK(said.out.starts_with("The"));
  CHECK(said.out.size() > 30);
}

TEST_CASE("grow: another seed gives another model") {
  Place const place;
  CHECK(run("grow", with(place.options("run"), {{"--seed", "2"}})).status == 0);
  CHECK(read_text_file(place / "run/model/model.safetensors") !=
        read_text_file(Run::once().model + "/model.safetensors"));
}

TEST_CASE("grow: --gelu erf gives another model, which its folder names and generate reads") {
  Place const place;
  CHECK(run("grow", with(place.options("run"), {{"--gelu", "erf"}, {"--plan", "1"}})).status == 0);
  CHECK(has(read_text_file(place / "run/model/config.json"), "\"hidden_act\": \"gelu\""));
  CHECK(has(read_text_file(place / "run/run.json"), "\"gelu\": \"erf\""));
  auto const said = run("generate", saying(place / "run/model"));
  CHECK(said.status == 0);
  CHECK(said.out.starts_with("The"));
  check_complaint(run("grow", with(place.options("run"), {{"--gelu", "sigmoid"}})), "sigmoid");
}

TEST_CASE("grow: --init duplicate stacks copies, from the second stage on; a plan may end by training all blocks") {
  Place const place;
  auto const ended = run("grow", with(place.options("run"), {{"--init", "duplicate"}, {"--plan", "1+2+all"}}));
  CHECK(ended.status == 0);
  CHECK(has(ended.out, "\n      3        all      3 "));
  CHECK(steps_of(place / "run/metrics.jsonl").back()["depth"] == 3);
  CHECK(read_text_file(place / "run/model/model.safetensors") !=
        read_text_file(Run::once().model + "/model.safetensors"));
}

TEST_CASE("grow: LoRA phases alone and beside new blocks, merged in what is saved; expanded blocks; a learned table") {
  Place const place;
  auto const ended = run("grow", with(place.options("lora"), {{"--plan", "1+1,lora4+lora8"}}));
  CHECK(ended.status == 0);
  CHECK(has(ended.out, "\n      2    1,lora4      2 "));
  CHECK(has(ended.out, "\n      3      lora8      2 "));
  CHECK(run("generate", saying(place / "lora/model")).status == 0);
  CHECK(run("grow", with(place.options("expand"), {{"--plan", "2+1"}, {"--init", "expand"}})).status == 0);
  CHECK(steps_of(place / "expand/metrics.jsonl").back()["depth"] == 3);

  auto const learned = with(place.options("learned"), {{"--plan", "1,table+1"}, {"--substrate", "learned"}});
  CHECK(run("grow", learned).status == 0);
  CHECK(has(read_text_file(place / "learned/model/config.json"), "\"method\": \"learned\""));
  CHECK(run("generate", saying(place / "learned/model")).status == 0);
  check_sentence(run("grow", with(learned, {{"--out", place / "no"}, {"--plan", "1+1"}})), "belong together");
  check_sentence(run("grow", with(place.options("no"), {{"--plan", "1,table+1"}})), "belong together");
  check_sentence(run("grow", with(place.options("no"), {{"--plan", "lora4+1"}})), "there must be blocks to adapt");
}

TEST_CASE("grow: --tokenizer takes one that is there, so that models of other texts can be merged") {
  Place const place;
  put(place / "other.txt", gt::test::prose(4000, 9));
  auto const shared = Run::once().model + "/tokenizer.json";
  auto options =
      with(place.options("run"), {{"--plan", "1"}, {"--corpus", place / "other.txt"}, {"--tokenizer", shared}});
  options.erase("--vocab");
  CHECK(run("grow", options).status == 0);
  CHECK(read_text_file(place / "run/model/tokenizer.json") == read_text_file(shared));
  CHECK(has(read_text_file(place / "run/report.html"), "--tokenizer " + shared));
  check_complaint(run("grow", with(options, {{"--vocab", "300"}})), "excludes --tokenizer");
  check_sentence(run("grow", with(options, {{"--out", place / "no"}, {"--tokenizer", place / "none.json"}})),
                 "none.json");
}

TEST_CASE("grow: a run is not overwritten unless that is asked for") {
  Place const place;
  auto const options = with(place.options("run"), {{"--plan", "1"}, {"--tokens", "200"}});
  REQUIRE(run("grow", options).status == 0);
  auto const before = read_text_file(place / "run/model/model.safetensors");
  check_sentence(run("grow", with(options, {{"--seed", "2"}})), "--out must not hold a run already");
  CHECK(read_text_file(place / "run/model/model.safetensors") == before);
  CHECK(run("grow", with(options, {{"--seed", "2"}, {"--overwrite", ""}})).status == 0);
  CHECK(read_text_file(place / "run/model/model.safetensors") != before);
}

TEST_CASE("grow: what cannot be run is one sentence, and leaves nothing behind") {
  Place const place;
  put(place / "empty.txt", "");
  put(place / "binary.txt", std::string("It\0is", 5));
  put(place / "line.txt", "It is a truth.\n");
  put(place / "font.txt", "Unifont\n");
  struct Bad {
    Options changes;
    std::string says;
  };
  std::vector<Bad> const all{
      {{{"--substrate", "glyph"}}, "no-font.hex' must be a readable file (got: No such file or directory); install"},
      {{{"--substrate", "glyph"}, {"--font", place / "none.hex"}}, "'" + place / "none.hex" + "' must be a readable"},
      {{{"--substrate", "glyph"}, {"--font", place / "font.txt"}}, "must read CODE:BITMAP"},
      {{{"--corpus", place / "none.txt"}}, "'" + place / "none.txt" + "' must be a readable file"},
      {{{"--corpus", place.folder.path()}}, "must be a readable file (got: Is a directory)"},
      {{{"--corpus", place / "empty.txt"}}, "empty.txt' must hold text (got 0 bytes)"},
      {{{"--corpus", place / "binary.txt"}}, "binary.txt' must be a text file (got a NUL byte at offset 2)"},
      {{{"--corpus", place / "line.txt"}}, "the training part must hold one window of context + 1 = 33 tokens (got "},
      {{{"--corpus", place / "line.txt"}, {"--context", "8"}}, "long enough to hold out two tokens (got 15 bytes)"},
      {{{"--context", "30000"}}, "the training part must hold one window of context + 1 = 30001 tokens (got "},
      {{{"--plan", "0+3"}}, "each stage must add at least one block (got 0 in stage 1)"},
      {{{"--plan", "3+x"}}, "(got 'x' in '3+x')"},
      {{{"--plan", "3+"}}, "(got '' in '3+')"},
      {{{"--plan", "99999"}}, "(got '99999' in '99999')"},
      {{{"--heads", "3"}}, "the heads must divide the width (got 3 heads for a width of 64); try 2"},
      {{{"--heads", "0"}}, "the heads must divide the width (got 0 heads"},
      {{{"--heads", "-2"}}, "the heads must divide the width (got -2 heads"},
      {{{"--heads", "64"}}, "rotary positions need an even head width (got 1)"},
      {{{"--width", "0"}}, "the width must be positive (got 0)"},
      {{{"--width", "-64"}}, "the width must be positive (got -64)"},
      {{{"--width", "63"}}, "rotary positions need an even width (got 63); try 62"},
      {{{"--width", "100"}, {"--heads", "3"}},
       "the heads must divide the width (got 3 heads for a width of 100); try 2"},
      {{{"--raster", "24"}}, "--raster must be 16, 32 or 64 (got 24)"},
      {{{"--vocab", "260"}}, "vocab_size must be at least "},
      {{{"--vocab", "-1"}}, "(got -1)"},
      {{{"--out", place / "line.txt/run"}}, "line.txt/run' must be writable (got: Not a directory)"},
      {{{"--out", place / "line.txt"}}, "line.txt' must be a folder"},
      {{{"--threads", "-1"}}, "the number of threads must not be negative (got -1)"},
      {{{"--threads", "100000"}}, "the number of threads must lie in 0 ... 1024 (got 100000)"},
      {{{"--batch", "65536"}, {"--context", "65536"}}, "there must be memory for the steps (they need about "},
      {{{"--held-out-tokens", "some"}},
       "--held-out-tokens must be a number such as 20000 or 20k, all or auto (got 'some')"},
      {{{"--tokens", "0"}}, "--tokens must be positive (got 0)"},
      {{{"--tokens", "-5"}}, "--tokens must be positive (got -5)"},
      {{{"--lr", "0"}}, "--lr must lie between 0 and 1"},
      {{{"--lr", "nan"}}, "--lr must lie between 0 and 1"},
      {{{"--plan", "1+lora65"}}, "stage 2: the rank must lie in 1 ... 64, the width of the model (got 65)"},
      {{{"--plan", "lora4+1"}}, "stage 1: there must be blocks to adapt, of the stages before (got none)"},
      {{{"--checkpoint-seconds", "nan"}}, "--checkpoint-seconds must not be negative (got nan)"},
      {{{"--checkpoint-seconds", "-1"}}, "--checkpoint-seconds must not be negative (got -1"},
      {{{"--batch", "0"}}, "--batch must lie in 1 ... 65536 (got 0)"},
      {{{"--context", "-32"}}, "--context must lie in 1 ... 65536 (got -32)"},
  };
  for (auto const& bad : all) {
    CAPTURE(bad.says);
    check_sentence(run("grow", with(place.options("run"), bad.changes)), bad.says);
    CHECK(place.folder.entries() == 5);
  }
  auto const without_tokens = without(place.options("run"), "--tokens");
  check_sentence(run("grow", with(without_tokens, {{"--minutes", "0"}})), "--minutes must be positive (got 0");
  check_sentence(run("grow", with(without_tokens, {{"--minutes", "-3"}})), "--minutes must be positive (got -3");
  check_sentence(run("grow", with(without_tokens, {{"--minutes", "1e300"}})), "--minutes must be below 1000000");
  CHECK(place.folder.entries() == 5);
}

TEST_CASE("grow: flags that it does not know are one sentence") {
  Place const place;
  auto const good = place.options("run");
  check_complaint(run("grow", with(good, {{"--frobnicate", ""}})), "--frobnicate");
  check_complaint(run("grow", with(good, {{"--substrate", "cubes"}})), "cubes");
  check_complaint(run("grow", with(good, {{"--threads", "two"}})), "two");
  for (auto const* seed : {"-1", "18446744073709551616", "1.5", "0x10"})
    check_complaint(run("grow", with(good, {{"--seed", seed}})), gt::text("(got '", seed, "')"));
  check_complaint(run("grow", with(good, {{"--minutes", "1"}})), "--minutes");  // and --tokens
  check_sentence(run("grow", without(good, "--corpus")), "--corpus must name a text");
  CHECK(place.folder.entries() == 1);
  auto const help = run("grow", {{"--help", ""}});
  CHECK(help.status == 0);
  CHECK(has(help.out, "--corpus"));
}

TEST_CASE("generate: the same seed says the same; stop texts and max-tokens end it") {
  auto const& model = Run::once().model;
  auto const said = run("generate", saying(model));
  CHECK(said.status == 0);
  CHECK(run("generate", saying(model, {{"--threads", "3"}})).out == said.out);
  CHECK(run("generate", saying(model, {{"--seed", "5"}})).out != said.out);
  REQUIRE(said.out.starts_with("The"));
  REQUIRE(said.out.ends_with("\n"));

  std::string const told = said.out.substr(3);
  std::string const stop = told.substr(told.size() / 2, 3);
  auto const stopped = run("generate", saying(model, {{"--stop", stop}}));
  CHECK(stopped.status == 0);
  CHECK(stopped.out == "The" + told.substr(0, told.find(stop)) + "\n");

  CHECK(run("generate", saying(model, {{"--max-tokens", "0"}})).out == "The\n");
  auto const shorter = run("generate", saying(model, {{"--max-tokens", "10"}})).out;
  CHECK(shorter.size() < said.out.size());
  CHECK(said.out.starts_with(shorter.substr(0, shorter.size() - 1)));
  CHECK(run("generate", without(saying(model), "--prompt")).status == 0);
}

TEST_CASE("generate: past the context it slides and says so once") {
  auto const& model = Run::once().model;
  CHECK(run("generate", saying(model, {{"--max-tokens", "10"}})).err.find("the context is full") == std::string::npos);
  auto const longer = run("generate", saying(model, {{"--max-tokens", "300"}}));
  CHECK(longer.status == 0);
  auto const at = longer.err.find("the context is full");
  CHECK(at != std::string::npos);
  CHECK(longer.err.find("the context is full", at + 1) == std::string::npos);
  CHECK(longer.out.size() > 300);
  std::string const prompt = gt::test::prose(60);  // longer than the context itself
  auto const after = run("generate", saying(model, {{"--prompt", prompt}}));
  CHECK(after.status == 0);
  CHECK(after.out.starts_with(prompt));
  CHECK(after.out.size() > prompt.size() + 20);
}

TEST_CASE("generate: what it cannot do is one sentence") {
  auto const& model = Run::once().model;
  check_sentence(run("generate", saying("/no/such/model")), "'/no/such/model/config.json' must be a readable file");
  check_sentence(run("generate", saying(model, {{"--threads", "-1"}})), "threads must not be negative (got -1)");
  check_sentence(run("generate", saying(model, {{"--temperature", "-1"}})), "the temperature must be 0 or more");
  check_sentence(run("generate", saying(model, {{"--top-k", "-1"}})), "top-k must be 0 or more (got -1)");
  check_sentence(run("generate", saying(model, {{"--top-p", "0"}})), "top-p must lie in (0, 1]");
  check_sentence(run("generate", saying(model, {{"--min-p", "2"}})), "min-p must lie in [0, 1]");
  check_complaint(run("generate", saying(model, {{"--max-tokens", "-1"}})), "--max-tokens");
  check_complaint(run("generate", saying(model, {{"--seed", "-1"}})), "a seed must be a whole number");
  check_complaint(run("generate", saying(model, {{"--frobnicate", ""}})), "--frobnicate");
  check_complaint(run("generate", without(saying(model), "--model")), "--model is required");
}

TEST_CASE("generate: weights that are truncated or have a flipped bit are one sentence that names the file") {
  TemporaryFolder const folder;
  auto const model = copied_model(folder);
  auto const weights = model + "/model.safetensors", good = read_text_file(weights);
  for (std::size_t const size : {std::size_t{0}, std::size_t{5}, std::size_t{500}, good.size() / 2, good.size() - 1}) {
    CAPTURE(size);
    put(weights, std::string_view(good).substr(0, size));
    check_sentence(run("generate", saying(model)), "'" + weights + "'");
  }
  for (std::size_t const at : {std::size_t{0}, std::size_t{7}, std::size_t{100}, good.size() / 2, good.size() - 1}) {
    CAPTURE(at);
    auto bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 4);
    put(weights, bad);
    check_sentence(run("generate", saying(model)), "'" + weights + "'");
  }
  put(weights, good);
  CHECK(run("generate", saying(model)).status == 0);
}

TEST_CASE("generate: files of two models do not mix") {
  Place const place;
  put(place / "corpus.txt", gt::test::prose(5000, 1));  // as many tokens, but others
  REQUIRE(run("grow", with(place.options("run"), {{"--plan", "1"}, {"--tokens", "200"}})).status == 0);
  auto const from = place / "run/model/";
  for (char const* file : {"tokenizer.json", "config.json", "model.safetensors"}) {
    CAPTURE(file);
    TemporaryFolder const folder;
    auto const model = copied_model(folder);
    std::filesystem::copy_file(from + file, model + "/" + file, std::filesystem::copy_options::overwrite_existing);
    check_sentence(run("generate", saying(model)), "must come from one save");
  }
}

TEST_CASE("grow: Ctrl-C in the middle of a stage ends it with 130, and leaves a model that talks and whole metrics") {
  Place const place;
  auto const metrics = place / "run/metrics.jsonl";
  auto const long_run = with(place.options("run"), {{"--plan", "1+1"}, {"--tokens", "400000"}});
  Program growing("grow", arguments(long_run));
  auto const has_row = [&](std::string_view row) { return has_logged(place / "run", row); };
  REQUIRE(eventually([&] { return has_row("{\"stage\":1,\"step\":1,") || !growing.running(); }));
  check_sentence(run("grow", with(long_run, {{"--overwrite", ""}})), "must not be in use");
  REQUIRE(eventually([&] { return has_row("{\"stage\":2,\"step\":10,") || !growing.running(); }));
  REQUIRE(growing.running());
  growing.interrupt();
  auto const ended = growing.wait();
  CHECK(ended.signal == 0);
  CHECK(ended.status == 130);
  CHECK(has(ended.out, "stopped in stage 2 after step "));
  for (auto const& line : lines_of(ended.err)) CHECK((line.starts_with("running on ") || line.starts_with("stage ")));

  auto const rows = metrics_of(metrics);
  CHECK(rows.size() > 2);
  CHECK(rows.back()["stage"] == 2);
  CHECK(rows.back()["step"].get<int>() < 1562);  // of 200,000 tokens a stage
  CHECK(unfinished_files(place.folder.path()).empty());
  CHECK(has(read_text_file(place / "run/model/config.json"), "\"num_hidden_layers\": 2"));
  auto const said = run("generate", saying(place / "run/model"));
  CHECK(said.status == 0);
  CHECK(said.out.size() > 20);
}

TEST_CASE("generate: Ctrl-C ends it with 130 and without a trace") {
  Program talking("generate", arguments(saying(Run::once().model, {{"--max-tokens", "100000000"}})));
  REQUIRE(eventually([&] { return read_text_file(talking.out()).size() > 500 || !talking.running(); }));
  REQUIRE(talking.running());
  talking.interrupt();
  auto const ended = talking.wait();
  CHECK(ended.signal == 0);
  CHECK(ended.status == 130);
  CHECK(ended.out.ends_with("\n"));
  for (auto const& line : lines_of(ended.err)) CHECK((line.empty() || has(line, "the context is full")));
}

}  // namespace programs_test
