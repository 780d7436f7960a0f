// SPDX-License-Identifier: MIT
// A model of a type known at run time does what the typed model does, bit for bit.
#include "gt/infer/any_model.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "formats/support.hpp"
#include "gt/cpu.hpp"
#include "gt/easy.hpp"
#include "gt/formats/hugging_face/any_model_folder.hpp"
#include "gt/train/evaluate.hpp"
#include "support/data.hpp"

namespace any_model_test {

using gt::AnyModel, gt::Cpu, gt::Error, gt::load_any_model, gt::Session;
using gt::test::differences, gt::test::ids_below, gt::test::model_on_bits, gt::test::TemporaryFolder,
    gt::test::tokenizer_of_prose;

namespace {

std::vector<float> copy(std::span<float const> numbers) { return {numbers.begin(), numbers.end()}; }
template <class States>
std::vector<float> numbers(States const& states) {
  return copy(states.memory.span());
}
constexpr gt::BlockConfig narrow{.d_model = 32, .heads = 4, .d_ff = 48};

}  // namespace

TEST_CASE("AnyModel: a folder opens as one, with the results of its model") {
  TemporaryFolder const folder;
  auto const model = model_on_bits();
  gt::save(model, tokenizer_of_prose(), folder.path());
  Cpu<> const on(2);
  auto const loaded = load_any_model(on, folder.path());
  auto const ids = ids_below(model.vocab(), 20, 3);
  for (AnyModel const& any : {loaded, AnyModel(model)}) {
    CHECK(differences(any, model).empty());
    CHECK(any.config() == model.config());
    CHECK(any.depth() == 2);
    CHECK(any.vocab() == model.vocab());
    CHECK(any.context() == 24);
    CHECK(any.parameter_count() == model.parameter_count());
    CHECK(any.substrate_fingerprint() == model.substrate_fingerprint());
    CHECK(numbers(gt::logits(on, any, ids)) == numbers(gt::logits(on, model, ids)));
    for (int const layer : {0, 1, 2, -1})
      CHECK(numbers(gt::hidden_states(on, any, ids, layer)) == numbers(gt::hidden_states(on, model, ids, layer)));

    Session<Cpu<>, AnyModel> hidden(on, any);
    Session<Cpu<>, gt::Transformer<>> typed(on, model);
    for (int round = 0; round < 2; ++round) {
      CHECK(copy(hidden.feed(std::span(ids).first(7))) == copy(typed.feed(std::span(ids).first(7))));
      CHECK(copy(hidden.feed(std::span(ids).subspan(7, 1))) == copy(typed.feed(std::span(ids).subspan(7, 1))));
      CHECK(hidden.position() == 8);
      CHECK(hidden.room() == typed.room());
      hidden.reset(), typed.reset();
    }
    std::string said, expected;
    auto const into = [](std::string& text) { return [&text](std::string_view piece) { text += piece; }; };
    gt::generate(on, any, tokenizer_of_prose(), "The", {.max_tokens = 40}, into(said));
    gt::generate(on, model, tokenizer_of_prose(), "The", {.max_tokens = 40}, into(expected));
    CHECK(said == expected);
    gt::Evaluator<Cpu<>, AnyModel> evaluate(on, {2, 8}, gt::token_bytes(tokenizer_of_prose()));
    gt::Evaluator<Cpu<>, gt::Transformer<>> evaluate_typed(on, {2, 8}, gt::token_bytes(tokenizer_of_prose()));
    auto const text = gt::Tokens::from_ids(ids, model.vocab());
    CHECK(evaluate(any, text).nats == evaluate_typed(model, text).nats);
  }
}

TEST_CASE("AnyModel: an MLP of another width") {
  TemporaryFolder const folder;
  auto const model = model_on_bits(narrow);
  gt::save(model, tokenizer_of_prose(), folder.path());
  Cpu<> const on(1);
  auto const any = load_any_model(on, folder.path());
  CHECK(any.config().ff() == 48);
  CHECK(differences(any, model).empty());
  auto const ids = ids_below(model.vocab(), 20, 3);
  CHECK(numbers(gt::logits(on, any, ids)) == numbers(gt::logits(on, model, ids)));
}

TEST_CASE("AnyModel: outlives what it was made of, and a folder that is not there is one sentence") {
  auto const ids = ids_below(300, 5, 3);
  Cpu<> const on(1);
  auto const alone = [&] {
    auto const model = model_on_bits();
    return AnyModel(model);
  }();
  CHECK(numbers(gt::logits(on, alone, ids)) == numbers(gt::logits(on, model_on_bits(), ids)));
  CHECK_THROWS_WITH_AS(load_any_model(on, "/no/such"), doctest::Contains("/no/such/config.json"), Error);
  CHECK_THROWS_WITH_AS(gt::hidden_states(on, alone, ids, 3), "gt: hidden_states: the model has 2 blocks (got layer 3)",
                       Error);
  CHECK_THROWS_WITH_AS(gt::hidden_states(on, alone, {}), "gt: hidden_states: there must be at least one token", Error);
}

}  // namespace any_model_test
