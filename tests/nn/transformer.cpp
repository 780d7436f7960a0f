// SPDX-License-Identifier: MIT
// A Transformer: its tensors by name, what its outputs depend on and what not, growing, sharing, freezing, errors.
#include "gt/nn/transformer.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "gt/backend/ref/ref.hpp"
#include "gt/cpu.hpp"
#include "gt/nn/passes.hpp"
#include "gt/train/trainer.hpp"
#include "support/data.hpp"
#include "support/model.hpp"

namespace transformer_test {

using gt::BatchShape, gt::BlockConfig, gt::BlockInit, gt::Cpu, gt::Error, gt::Ref, gt::Transformer;
using gt::TransformerOptions;
using gt::test::bit_equal, gt::test::changes, gt::test::ids_below, gt::test::logits, gt::test::scrambled;
using gt::test::substrate_of, gt::test::trainable_names, gt::test::weights_of;

namespace {

constexpr BlockConfig tiny{.d_model = 8, .heads = 2};
constexpr BlockConfig small{.d_model = 32, .heads = 4};
constexpr std::int64_t V = 50;

using Tiny = Transformer<>;

/// Rows [from, from + count) of [rows, V] logits.
template <class T>
std::vector<T> rows(std::vector<T> const& all, std::int64_t from, std::int64_t count) {
  return std::vector<T>(all.begin() + from * V, all.begin() + (from + count) * V);
}
std::vector<std::int32_t> slice(std::vector<std::int32_t> const& ids, std::int64_t from, std::int64_t count) {
  return std::vector<std::int32_t>(ids.begin() + from, ids.begin() + from + count);
}

}  // namespace

TEST_CASE("Transformer: tensors are named and shaped as Starcoder2's") {
  using Shape = std::vector<std::int64_t>;
  Tiny model(substrate_of(V, 4), tiny, gt::seed(1), {.context = 8, .head_bias = true});
  model.append(2);
  std::vector<std::pair<std::string, Shape>> expected{{"model.embed_tokens.weight", {V, 4}}};
  for (int l = 0; l < 2; ++l) {
    std::string const layer = "model.layers." + std::to_string(l) + ".";
    std::vector<std::pair<std::string, Shape>> const tensors{{"input_layernorm.weight", {8}},
                                                             {"input_layernorm.bias", {8}},
                                                             {"self_attn.q_proj.weight", {8, 8}},
                                                             {"self_attn.k_proj.weight", {8, 8}},
                                                             {"self_attn.v_proj.weight", {8, 8}},
                                                             {"self_attn.q_proj.bias", {8}},
                                                             {"self_attn.k_proj.bias", {8}},
                                                             {"self_attn.v_proj.bias", {8}},
                                                             {"self_attn.o_proj.weight", {8, 8}},
                                                             {"self_attn.o_proj.bias", {8}},
                                                             {"post_attention_layernorm.weight", {8}},
                                                             {"post_attention_layernorm.bias", {8}},
                                                             {"mlp.c_fc.weight", {32, 8}},
                                                             {"mlp.c_fc.bias", {32}},
                                                             {"mlp.c_proj.weight", {8, 32}},
                                                             {"mlp.c_proj.bias", {8}}};
    for (auto const& [name, dimensions] : tensors) expected.emplace_back(layer + name, dimensions);
  }
  expected.emplace_back("model.norm.weight", Shape{8});
  expected.emplace_back("model.norm.bias", Shape{8});
  expected.emplace_back("lm_head.weight", Shape{V, 8});
  expected.emplace_back("lm_head.bias", Shape{V});
  std::vector<std::pair<std::string, Shape>> actual;
  for (auto const& p : model.parameters()) actual.emplace_back(p.name, p.shape);
  CHECK(actual == expected);
}

TEST_CASE("Transformer: as many parameters as its config says") {
  auto const count = [](auto const& model, std::int64_t a_block) {
    std::int64_t const head = model.head_buffer().size();
    CHECK(model.parameter_count() == V * 4 + 3 * a_block + head);
    CHECK(head == 2 * 8 + V * 8 + (model.has_head_bias() ? V : 0));
  };
  for (bool const head_bias : {false, true}) {
    TransformerOptions const options{.context = 8, .head_bias = head_bias};
    count(scrambled(tiny, 3, V, options), tiny.parameters());
    constexpr BlockConfig bare{.d_model = 8, .heads = 4, .d_ff = 10, .qkv_bias = false, .out_bias = false};
    count(scrambled(bare, 3, V, options), bare.parameters());
  }
}

TEST_CASE_TEMPLATE("Transformer: later tokens change no bit of earlier logits", B, Ref, Cpu<>) {
  B const on{};
  auto const model = scrambled(small, 2, V, {.context = 70});
  auto const ids = ids_below(V, 70, 1);
  auto const all = logits(on, model, ids, {1, 70});
  for (std::int64_t const seen : {1, 20, 63, 64, 69}) {
    CAPTURE(seen);
    auto other = ids;
    for (std::size_t t = static_cast<std::size_t>(seen); t < other.size(); ++t) other[t] = (other[t] + 1) % V;
    auto const changed = logits(on, model, other, {1, 70});
    CHECK(bit_equal(rows(changed, 0, seen), rows(all, 0, seen)));
    CHECK(!bit_equal(rows(changed, seen, 1), rows(all, seen, 1)));
    CHECK(bit_equal(logits(on, model, slice(ids, 0, seen), {1, seen}), rows(all, 0, seen)));
  }
}

TEST_CASE_TEMPLATE("Transformer: a sequence is the same alone and in a batch, bit by bit", B, Ref, Cpu<>) {
  B const on{};
  auto const model = scrambled(small, 2, V, {.context = 33, .head_bias = true});
  BatchShape const shape{5, 33};
  auto const ids = ids_below(V, shape.rows(), 1), targets = ids_below(V, shape.rows(), 2);
  auto const together = logits(on, model, ids, shape);
  auto const losses = gt::test::losses(on, model, ids, targets, shape);
  for (std::int64_t b = 0; b < shape.batch; ++b) {
    CAPTURE(b);
    CHECK(bit_equal(logits(on, model, slice(ids, b * 33, 33), {1, 33}), rows(together, b * 33, 33)));
    auto const alone = gt::test::losses(on, model, slice(ids, b * 33, 33), slice(targets, b * 33, 33), {1, 33});
    CHECK(bit_equal(alone, std::vector<float>(losses.begin() + b * 33, losses.begin() + b * 33 + 33)));
  }
}

TEST_CASE_TEMPLATE("Transformer: token by token over a cache, the same bits as at once", B, Ref, Cpu<>) {
  B const on{};
  auto const model = scrambled(small, 3, V, {.context = 70});
  auto const ids = ids_below(V, 70, 1);
  auto const all = logits(on, model, ids, {1, 70});
  std::vector<gt::KvCache<float>> caches;
  for (int l = 0; l < model.depth(); ++l) caches.emplace_back(model.context(), 32);
  gt::Arena arena(1 << 20);
  std::int64_t first = 0;
  for (std::int64_t const tokens : {20, 1, 1, 40, 2, 1, 5}) {
    CAPTURE(first);
    gt::test::Grid<float> const x(tokens, 32), mean(1, tokens), rstd(1, tokens), z(tokens, V);
    auto const some = slice(ids, first, tokens);
    gt::hidden_states(on, model, gt::test::view_of(some), {1, tokens}, x.view(), arena, -1, &caches, first);
    gt::nn::final_norm(on, model, x.view(), x.view(), mean.vector(), rstd.vector());
    gt::ops::linear(on, x.view(), model.head(), model.head_bias(), z.view());
    CHECK(bit_equal(z.elements(), rows(all, first, tokens)));
    first += tokens;
  }
  CHECK(first == 70);
}

TEST_CASE("Transformer: expanded blocks stand between the others in even groups, copies without effect") {
  constexpr BlockConfig cfg{.d_model = 16, .heads = 2};
  auto model = gt::test::scrambled<double>(cfg, 5, 19, {.context = 8});
  std::vector<std::vector<double>> old;
  for (auto const& block : model.blocks()) old.emplace_back(block.weights().begin(), block.weights().end());
  auto const ids = gt::test::ids_below(19, 16, 1);
  auto const before = gt::test::logits(gt::Ref{}, model, ids, {2, 8});
  model.append(2, gt::BlockInit::expand);  // behind blocks 1 and 4: 5 in two groups
  REQUIRE(model.depth() == 7);
  CHECK((gt::nn::expanded_position(5, 2, 0) == 2 && gt::nn::expanded_position(5, 2, 1) == 6));
  CHECK(gt::test::bit_equal(gt::test::logits(gt::Ref{}, model, ids, {2, 8}), before));
  int const was[] = {0, 1, 1, 2, 3, 4, 4};
  using Block = gt::Block<double>;
  for (int l = 0; l < 7; ++l) {
    auto const& block = model.blocks()[static_cast<std::size_t>(l)];
    auto const& from = old[static_cast<std::size_t>(was[l])];
    for (int t = 0; t < Block::tensor_count; ++t) {
      bool const zero =
          (l == 2 || l == 6) && (t == Block::o_w || t == Block::o_b || t == Block::proj_w || t == Block::proj_b);
      for (std::int64_t i = 0; i < block.spec(t).size(); ++i) {
        std::int64_t const at = block.offset(t) + i;
        CHECK(block.weights()[at] == (zero ? 0.0 : from[static_cast<std::size_t>(at)]));
      }
    }
  }
  CHECK_THROWS_WITH_AS(model.append(8, gt::BlockInit::expand),
                       "gt: Transformer::append: there must be a block to copy for each that is expanded (got 8 for 7)",
                       gt::Error);
}

TEST_CASE("Transformer: blocks that start as duplicates are copies of the top ones, and do not share their weights") {
  auto model = scrambled(tiny, 3, V, {.context = 8});
  auto const weights = [&](int l) {
    auto const span = model.blocks()[static_cast<std::size_t>(l)].weights().span();
    return std::vector<float>(span.begin(), span.end());
  };
  model.append(2, BlockInit::duplicate);  // of blocks 1 and 2
  model.append(7, BlockInit::duplicate);  // of all five, and of the lowest two once more
  CHECK(model.depth() == 12);
  int const sources[] = {1, 2, 0, 1, 2, 1, 2, 0, 1};
  for (int l = 3; l < 12; ++l) {
    CAPTURE(l);
    CHECK(weights(l) == weights(sources[l - 3]));
  }
  CHECK(weights(0) != weights(1));
  model.blocks()[4].weights()[0] += 1;
  CHECK(weights(4) != weights(2));

  Tiny first(substrate_of(V, 4), tiny, gt::seed(1), {.context = 8}), drawn = first.clone();
  first.append(2, BlockInit::duplicate);  // of none: random
  drawn.append(2);
  for (std::size_t const l : {std::size_t{0}, std::size_t{1}})
    CHECK(gt::test::bit_equal<float>(first.blocks()[l].weights().span(), drawn.blocks()[l].weights().span()));
}

TEST_CASE_TEMPLATE("Transformer: blocks that start as the identity move no logit and no loss", B, Ref, Cpu<>) {
  B const on{};
  auto model = scrambled(small, 1, V, {.context = 9});
  auto const ids = ids_below(V, 18, 1), targets = ids_below(V, 18, 2);
  auto const before = logits(on, model, ids, {2, 9});
  auto const losses = gt::test::losses(on, model, ids, targets, {2, 9});
  model.append(2, BlockInit::identity);
  CHECK(model.depth() == 3);
  CHECK(bit_equal(logits(on, model, ids, {2, 9}), before));
  CHECK(bit_equal(gt::test::losses(on, model, ids, targets, {2, 9}), losses));
  model.append(1, BlockInit::random);
  CHECK(!bit_equal(logits(on, model, ids, {2, 9}), before));
}

TEST_CASE("Transformer: a token's row is repeated to the model's width; losses are those of the logits") {
  auto const model = scrambled<double>(tiny, 0, V, {.context = 4, .head_bias = true});
  auto const ids = ids_below(V, 4, 1);
  std::vector<std::int32_t> targets = ids_below(V, 4, 2);
  targets[2] = gt::no_target;
  gt::test::Grid<double> const x(4, 8);
  gt::Arena arena(1 << 16);
  gt::hidden_states(Ref{}, model, gt::test::view_of(ids), {1, 4}, x.view(), arena);
  auto const table = substrate_of(V, 4);
  for (std::int64_t t = 0; t < 4; ++t) {
    for (std::int64_t c = 0; c < 8; ++c)
      CHECK(x(t, c) == static_cast<double>(table.row(ids[static_cast<std::size_t>(t)])[c / 2]));
  }
  auto const z = logits(Ref{}, model, ids, {1, 4});
  auto const nll = gt::test::losses(Ref{}, model, ids, targets, {1, 4});
  for (std::size_t t = 0; t < 4; ++t) {
    CAPTURE(t);
    double sum = 0;
    for (std::size_t j = 0; j < V; ++j) sum += std::exp(z[t * V + j]);
    if (t == 2) CHECK(nll[t] == 0);
    if (t != 2)
      CHECK(nll[t] == doctest::Approx(std::log(sum) - z[t * V + static_cast<std::size_t>(targets[t])]).epsilon(1e-12));
  }
}

TEST_CASE("Transformer: a shape that the compiler has checked makes the same model, of the same type") {
  Transformer model(substrate_of(V, 4), tiny, gt::seed(3), {.context = 9});
  Transformer fixed(substrate_of(V, 4), gt::fixed<tiny>, gt::seed(3), {.context = 9});
  static_assert(std::is_same_v<decltype(model), Tiny> && std::is_same_v<decltype(fixed), Tiny>);
  CHECK(fixed.config() == tiny);
  CHECK(Tiny(substrate_of(V, 4), {.d_model = 8, .heads = 2, .d_ff = 32}, gt::seed(3)).config() == tiny);  // F = 4 C
  model.append(2), fixed.append(2);
  CHECK(changes(weights_of(fixed), weights_of(model)).empty());
  auto const ids = ids_below(V, 9, 1);
  CHECK(bit_equal(logits(Ref{}, model, ids, {1, 9}), logits(Ref{}, fixed, ids, {1, 9})));
}

TEST_CASE("Transformer: the same seed draws the same weights; any other differs; growing in steps is growing at once") {
  auto const grown = [](gt::Seed seed, std::vector<int> const& steps) {
    Tiny model(substrate_of(V, 4), tiny, seed, {.context = 8});
    for (int const blocks : steps) model.append(blocks, BlockInit::random, 3);
    return weights_of(model);
  };
  CHECK(changes(grown(gt::seed(1), {3}), grown(gt::seed(1), {1, 2})).empty());
  auto const other = changes(grown(gt::seed(1), {3}), grown(gt::seed(2), {3}));
  CHECK(other.size() == 3 * 6 + 1);  // all matrices but the table
}

TEST_CASE("Transformer: copies share weights, clones do not, and each grows alone") {
  auto const ids = ids_below(V, 8, 1);
  auto model = scrambled(tiny, 1, V, {.context = 8});
  auto copy = model, clone = model.clone();
  auto const before = weights_of(model);
  CHECK(changes(before, weights_of(clone)).empty());
  CHECK(bit_equal(logits(Ref{}, clone, ids, {1, 8}), logits(Ref{}, model, ids, {1, 8})));
  copy.append(1);
  CHECK((copy.depth() == 2 && model.depth() == 1 && clone.depth() == 1));
  CHECK(copy.blocks()[0].weights().shares_with(model.blocks()[0].weights()));
  CHECK(copy.head_buffer().shares_with(model.head_buffer()));

  copy.blocks()[0].weights()[5] += 1;
  copy.head_buffer()[20] += 1;
  auto const expected = std::vector<std::string>{"model.layers.0.input_layernorm.weight", "lm_head.weight"};
  CHECK(changes(before, weights_of(model)) == expected);
  CHECK(changes(before, weights_of(clone)).empty());
  CHECK(clone.table().data() == model.table().data());  // the substrate never changes: all share it
}

TEST_CASE("Transformer: a const model never changes, whatever copies of it do") {
  auto grown = scrambled(tiny, 2, V, {.context = 8, .head_bias = true});
  grown.attach_adapters({.rank = 2});
  gt::test::scramble(grown);  // its adapters change logits
  auto const served = grown;
  auto const before = weights_of(served);
  auto const train = [&](Tiny& model) {
    auto const ids = ids_below(V, 9, 1);
    gt::Trainer trainer(Ref{}, model, {1, 8});
    trainer.step(std::span(ids).first(8), std::span(ids).last(8), 1e-2);
  };
  struct {
    char const* what;
    std::function<void(Tiny&)> run;
  } const all[] = {
      {"the head trains", [&](Tiny& m) { m.set_head_trainable(true, true), train(m); }},
      {"a tensor trains by its name", [&](Tiny& m) { m.set_trainable("lm_head.bias", true), train(m); }},
      {"a block trains", [&](Tiny& m) { m.set_block_trainable(m.blocks()[1], true), train(m); }},
      {"one of its tensors does", [&](Tiny& m) { m.blocks()[0].set_trainable(Tiny::block_type::q_w, true), train(m); }},
      {"adapters train", [&](Tiny& m) { m.set_adapters_trainable(true), train(m); }},
      {"adapters are merged", [&](Tiny& m) { m.merge_adapters(Ref{}); }},
      {"the head is drawn anew", [&](Tiny& m) { m.reset_head(5); }},
      {"a block starts anew", [&](Tiny& m) { m.blocks()[0].initialise(gt::seed(9), 0, 2, BlockInit::random); }},
      {"a buffer that is shared by hand trains",
       [&](Tiny& m) {
         m.set_head_trainable(true, true);
         m.head_buffer() = served.head_buffer();
         train(m);
       }},
  };
  for (auto const& each : all) {
    CAPTURE(each.what);
    auto copy = served;
    each.run(copy);
    CHECK(!changes(before, weights_of(copy)).empty());
    CHECK(changes(before, weights_of(served)).empty());
    auto const again = copy;  // taken while it trains
    auto const then = weights_of(again);
    if (copy.lowest_trainable() < copy.depth() || copy.head_trains()) train(copy);
    CHECK(changes(then, weights_of(again)).empty());
    CHECK(changes(before, weights_of(served)).empty());
  }
}

TEST_CASE("Transformer: a table that was trained is copied before a copy of the model trains it on") {
  Tiny model(substrate_of(V, 4, "learned"), tiny, gt::seed(1), {.context = 8});
  auto const ids = ids_below(V, 9, 1);
  auto const train = [&](Tiny& m) {
    m.set_table_trainable(true);
    gt::Trainer trainer(Ref{}, m, {1, 8});
    trainer.step(std::span(ids).first(8), std::span(ids).last(8), 1e-2);
    m.set_table_trainable(false);
  };
  train(model);
  auto const served = model;
  auto const before = weights_of(served);
  train(model);
  CHECK(changes(before, weights_of(served)).empty());
  CHECK(changes(before, weights_of(model)) == std::vector<std::string>{"model.embed_tokens.weight"});
  CHECK(served.substrate_fingerprint() != model.substrate_fingerprint());
}

TEST_CASE("Transformer: a new head leaves the blocks alone and differs from draw to draw") {
  auto model = scrambled(tiny, 1, V, {.context = 8, .head_bias = true});
  auto const before = weights_of(model);
  model.reset_head(1);
  auto const first = weights_of(model);
  CHECK(changes(before, first) ==
        std::vector<std::string>{"model.norm.weight", "model.norm.bias", "lm_head.weight", "lm_head.bias"});
  model.reset_head(2);
  CHECK(changes(first, weights_of(model)) == std::vector<std::string>{"lm_head.weight"});
  model.reset_head(1);
  CHECK(changes(first, weights_of(model)).empty());
}

TEST_CASE("Transformer: a new model is frozen; tensors train by name or by the beginning of it") {
  auto model = scrambled(tiny, 2, V, {.context = 8});
  using Names = std::vector<std::string>;
  CHECK(trainable_names(model).empty());
  CHECK(model.lowest_trainable() == 2);
  CHECK(model.set_trainable("model.layers.1.mlp.c_fc.bias", true) == 1);
  CHECK(trainable_names(model) == Names{"model.layers.1.mlp.c_fc.bias"});
  CHECK(model.lowest_trainable() == 1);
  CHECK(model.set_trainable("model.layers.0.self_attn.o_proj.*", true) == 2);
  CHECK(model.lowest_trainable() == 0);
  CHECK(trainable_names(model) == Names{"model.layers.0.self_attn.o_proj.weight",
                                        "model.layers.0.self_attn.o_proj.bias", "model.layers.1.mlp.c_fc.bias"});
  CHECK(model.set_trainable("model.layers.*", false) == 32);
  CHECK(trainable_names(model).empty());
  model.set_trainable("*", true);
  CHECK(trainable_names(model).size() == model.parameters().size() - 1);  // all but the table
  model.freeze();
  CHECK(trainable_names(model).empty());
  CHECK_THROWS_WITH_AS(model.set_trainable("model.layers.2.mlp.c_fc.bias", true),
                       "gt: set_trainable: no tensor is named model.layers.2.mlp.c_fc.bias; `parameters()` lists the "
                       "names",
                       Error);
  CHECK_THROWS_WITH_AS(
      model.set_trainable("model.embed_tokens.weight", true),
      "gt: set_table_trainable: the table of this substrate stays frozen (got test); LearnedEmbedding has one that "
      "trains",
      Error);
}

TEST_CASE("Transformer: tensors of the norm and the head freeze one by one; a bias that is not there has no name") {
  using Names = std::vector<std::string>;
  auto model = scrambled(tiny, 0, V, {.context = 8, .head_bias = true});
  CHECK(model.set_trainable("model.norm.weight", true) == 1);
  CHECK(model.set_trainable("lm_head.bias", true) == 1);
  CHECK(trainable_names(model) == Names{"model.norm.weight", "lm_head.bias"});
  CHECK(model.set_trainable("lm_head.*", true) == 2);
  CHECK(trainable_names(model) == Names{"model.norm.weight", "lm_head.weight", "lm_head.bias"});
  auto without = scrambled(tiny, 0, V, {.context = 8});
  CHECK_THROWS_AS(without.set_trainable("lm_head.bias", true), Error);
}

TEST_CASE("Transformer: errors say what must hold") {
  auto const made = [](BlockConfig shape, int n, TransformerOptions options) {
    Tiny model(substrate_of(V, n), shape, gt::seed(1), options);
  };
  CHECK_THROWS_WITH_AS(made(tiny, 3, {}),
                       "gt: Transformer: the substrate's width must divide the model's (got 3 and 8)", Error);
  CHECK_THROWS_WITH_AS(made(tiny, 4, {.context = 0}), "gt: Transformer: the context must be positive (got 0)", Error);
  CHECK_NOTHROW(made({.d_model = 8, .heads = 2, .gelu = gt::Gelu::erf, .rope_base = 5e5}, 4, {}));
  CHECK_THROWS_WITH_AS(made({.d_model = 0, .heads = 4}, 4, {}), doctest::Contains("the width must be positive (got 0)"),
                       Error);
  CHECK_THROWS_WITH_AS(made({.d_model = 32, .heads = 5}, 4, {}),
                       doctest::Contains("the heads must divide the width (got 5 heads for a width of 32)"), Error);

  auto model = scrambled(tiny, 1, V, {.context = 8});
  CHECK_THROWS_WITH_AS(model.append(-1), doctest::Contains("must not be negative (got -1)"), Error);
  std::vector<std::int32_t> const past{1, 50}, before{1, -1};
  CHECK_THROWS_WITH_AS(logits(Ref{}, model, past, {1, 2}), "gt: embedding: ids must lie in 0 ... 49 (got 50)", Error);
  CHECK_THROWS_WITH_AS(logits(Ref{}, model, before, {1, 2}), doctest::Contains("(got -1)"), Error);
  CHECK_THROWS_WITH_AS(logits(Ref{}, model, ids_below(V, 9, 1), {1, 9}),
                       "gt: hidden_states: there must be B x T ids within the context of 8 (got 9 ids for 1 x 9 from "
                       "position 0)",
                       Error);
  CHECK_THROWS_WITH_AS(logits(Ref{}, model, ids_below(V, 7, 1), {1, 8}), doctest::Contains("got 7 ids for 1 x 8"),
                       Error);
  gt::test::Grid<float> const x(2, 8), narrow(2, 4);
  gt::Arena arena(1 << 16), little(64);
  auto const two = ids_below(V, 2, 1);
  std::vector<gt::KvCache<float>> caches{{8, 8}};
  auto const hidden = [&](auto const& xs, gt::Arena& memory, std::int64_t first) {
    gt::hidden_states(Ref{}, model, gt::test::view_of(two), {1, 2}, xs.view(), memory, -1, &caches, first);
  };
  CHECK_NOTHROW(hidden(x, arena, 0));
  CHECK_THROWS_WITH_AS(hidden(x, arena, 7), doctest::Contains("from position 7"), Error);
  CHECK_THROWS_WITH_AS(hidden(x, little, 0), doctest::Contains("gt: Arena: needs"), Error);
  CHECK_THROWS_AS(hidden(narrow, arena, 0), Error);
}

}  // namespace transformer_test
