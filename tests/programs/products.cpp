// SPDX-License-Identifier: MIT
// grow and generate with --bf16 and --profile, as a user runs them.
#include <doctest/doctest.h>

#include <signal.h>

#include <cmath>
#include <filesystem>
#include <string>
#include <string_view>

#include "gt/backend/cpu/panel.hpp"
#include "gt/cpu.hpp"
#include "gt/io/text_file.hpp"
#include "programs/place.hpp"
#include "programs/support.hpp"

namespace products_test {

using gt::read_text_file;
using gt::test::check_sentence, gt::test::has, gt::test::Options, gt::test::Place, gt::test::Run, gt::test::run;
using gt::test::saying, gt::test::signalled, gt::test::steps_of, gt::test::with;

namespace {

constexpr bool has_bf16 = gt::has_bf16_products<gt::native_isa>;
std::string model_of(Place const& place, std::string const& out) {
  return read_text_file(place / (out + "/model/model.safetensors"));
}
/// The options of a run of one stage that takes some seconds, so that it can be stopped.
Options long_run(Place const& place, std::string_view out) {
  return with(place.options(out), {{"--plan", "1"}, {"--tokens", "120000"}, {"--bf16", ""}});
}

}  // namespace

TEST_CASE("grow --bf16: near fp32, the same on any number of threads, and the same after a stop") {
  if (!has_bf16) return;
  Place const place;
  auto const one = run("grow", with(place.options("one"), {{"--bf16", ""}}));
  REQUIRE(one.status == 0);
  REQUIRE(run("grow", with(place.options("three"), {{"--bf16", ""}, {"--threads", "3"}})).status == 0);
  auto const model = model_of(place, "one");
  CHECK(model == model_of(place, "three"));
  CHECK(model != read_text_file(Run::once().model + "/model.safetensors"));
  // Each product has a relative error of at most 2^-8 and a loss is an average of many: 2^-8 of it is far off.
  auto const in_fp32 = steps_of(Run::once().place / "run/metrics.jsonl");
  auto const rows = steps_of(place / "one/metrics.jsonl");
  REQUIRE(rows.size() == in_fp32.size());
  auto const exact = in_fp32.back()["val_bits_per_byte"].get<double>();
  CHECK(std::abs(rows.back()["val_bits_per_byte"].get<double>() - exact) <= exact / 256);

  REQUIRE(run("grow", long_run(place, "whole")).status == 0);
  auto const ended = signalled(long_run(place, "stopped"), "{\"stage\":1,\"step\":40,", SIGINT);
  REQUIRE(ended.status == 130);
  REQUIRE(run("grow", {{"--resume", place / "stopped"}, {"--threads", "1"}}).status == 0);  // knows its precision
  CHECK(model_of(place, "stopped") == model_of(place, "whole"));
}

TEST_CASE("generate --bf16: a text like that of fp32") {
  if (!has_bf16) return;
  auto const said = run("generate", saying(Run::once().model, {{"--bf16", ""}}));
  CHECK(said.status == 0);
  CHECK(said.out.starts_with("The"));
  CHECK(said.out.size() > 30);
}

TEST_CASE("--bf16 on a machine without it is one sentence, and leaves nothing behind") {
  if (has_bf16) return;
  Place const place;
  auto const* const says = "products in bf16 need AVX512-BF16";
  check_sentence(run("grow", with(place.options("run"), {{"--bf16", ""}})), says);
  CHECK(!std::filesystem::exists(place / "run"));
  check_sentence(run("generate", saying(Run::once().model, {{"--bf16", ""}})), says);
}

TEST_CASE("grow --profile: where the time went, and the same model") {
  Place const place;
  auto const ended = run("grow", with(place.options("run"), {{"--profile", ""}}));
  REQUIRE(ended.status == 0);
  for (std::string_view const part : {"\n  op ", "GFLOP/s", "of peak", "\n  linear ", "\n  head_cross_entropy "})
    CHECK(has(ended.out, part));
  CHECK(model_of(place, "run") == read_text_file(Run::once().model + "/model.safetensors"));
  CHECK(!has(run("grow", with(place.options("without"), {{"--plan", "1"}})).out, "GFLOP/s"));
}

}  // namespace products_test
