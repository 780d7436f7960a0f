// SPDX-License-Identifier: MIT
// A whole model's gradients, as a trainer finds them, by the complex step: every number of every tensor that trains.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "gt/backend/ref/ref.hpp"
#include "gt/core/arena.hpp"
#include "gt/cpu.hpp"
#include "gt/nn/transformer.hpp"
#include "gt/train/trainer.hpp"
#include "support/complex_step.hpp"
#include "support/data.hpp"
#include "support/model.hpp"

namespace gradients_test {

using gt::BatchShape, gt::BlockConfig, gt::Ref, gt::Trainer, gt::Transformer, gt::TransformerOptions;
using gt::test::close, gt::test::Complex, gt::test::Numbers;

namespace {

constexpr BlockConfig full{.d_model = 8, .heads = 2};
constexpr BlockConfig without_biases{.d_model = 8, .heads = 2, .d_ff = 12, .qkv_bias = false, .out_bias = false};
constexpr BlockConfig exact_gelu{.d_model = 8, .heads = 2, .gelu = gt::Gelu::erf};
constexpr BlockConfig rms_norms{.d_model = 8, .heads = 2, .norm = gt::Norm::rms};
constexpr std::int64_t V = 11;
constexpr BatchShape shape{2, 5};

/// A batch of which one position has no target.
struct Batch {
  std::vector<std::int32_t> ids = gt::test::ids_below(V, shape.rows(), 1);
  std::vector<std::int32_t> targets = gt::test::ids_below(V, shape.rows(), 2);
  Batch() { targets[3] = gt::no_target; }
};

/// dLoss/dp as the trainer holds it.
template <class Trainer, class Model, class T>
Numbers gradient_of(Trainer const& trainer, Model const& model, gt::Parameter<T> const& p) {
  auto const within = [&](gt::Buffer<T> const& weights, gt::Buffer<T> const& gradient) {
    if (p.data < weights.begin() || p.data >= weights.end()) return Numbers{};
    auto const* g = gradient.data() + (p.data - weights.data());
    return Numbers(g, g + p.size());
  };
  if (p.name == "model.embed_tokens.weight") return within(model.table_buffer(), trainer.table_gradient());
  for (int l = 0; l < model.depth(); ++l) {
    auto const& block = model.blocks()[static_cast<std::size_t>(l)];
    auto const& gradient = trainer.block_gradient(l);
    auto found = within(block.weights(), gradient);
    if (!found.empty()) return found;
    if (auto const* const adapter = block.adapter()) {
      gt::Buffer<T> last(adapter->weights().size());  // the adapter's comes last
      std::copy(gradient.end() - last.size(), gradient.end(), last.begin());
      found = within(adapter->weights(), last);
      if (!found.empty()) return found;
    }
  }
  return within(model.head_buffer(), trainer.head_gradient());
}

/// The mean loss of a model in complex numbers, with memory that is allocated once.
struct ComplexLoss {
  Transformer<gt::Block<Complex>> model;
  Batch batch{};
  std::vector<Complex> nll = std::vector<Complex>(static_cast<std::size_t>(shape.rows()));
  gt::Arena arena{};

  void run(gt::Arena& a) {
    gt::token_losses(Ref{}, model, gt::test::view_of(batch.ids), gt::test::view_of(batch.targets), shape,
                     gt::Vector<Complex>(nll.data(), shape.rows()), a);
  }
  Complex operator()() {
    if (arena.measuring()) arena = gt::Arena(gt::measure([&](gt::Arena& a) { run(a); }));
    run(arena);
    Complex sum;
    for (auto const& x : nll) sum += x;
    return sum / static_cast<double>(shape.rows() - 1);
  }
};

void gradients_agree(Transformer<gt::Block<double>>& model) {
  Batch const batch;
  Trainer trainer(Ref{}, model, shape);
  double const value = trainer.forward_backward(batch.ids, batch.targets);

  ComplexLoss loss{{gt::test::substrate_of(V, model.config().d_model / 2, model.substrate_method()),
                    model.config(),
                    gt::seed(3),
                    {.context = 8, .head_bias = model.has_head_bias()}}};
  loss.model.append(model.depth());
  if (model.has_adapters()) loss.model.attach_adapters(model.lora(), model.adapted());
  auto const exact = loss.model.parameters();
  auto const actual = model.parameters();
  for (std::size_t i = 0; i < exact.size(); ++i) std::copy_n(actual[i].data, actual[i].size(), exact[i].data);
  CHECK(loss().real() == doctest::Approx(value).epsilon(1e-14));

  std::size_t trained = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    if (!actual[i].trainable) continue;
    CAPTURE(actual[i].name);
    ++trained;
    Numbers expected;
    for (std::int64_t j = 0; j < exact[i].size(); ++j) {
      Complex& w = exact[i].data[j];
      w.imag(gt::test::complex_step_size);
      expected.push_back(loss().imag() / gt::test::complex_step_size);
      w.imag(0);
    }
    CHECK(gt::test::max_abs(expected) > 1e-6);
    CHECK(close(gradient_of(trainer, model, actual[i]), expected, 1e-10));
  }
  CHECK(trained == gt::test::trainable_names(model).size());
  CHECK(trained > 0);
}

Transformer<gt::Block<double>> three_blocks(BlockConfig config, TransformerOptions options = {.context = 8}) {
  auto model = gt::test::scrambled<double>(config, 3, V, options);
  gt::test::train_all(model);
  return model;
}

}  // namespace

TEST_CASE("Transformer: gradients of every tensor by the complex step, the lowest block frozen") {
  auto model = three_blocks(full);
  model.set_block_trainable(model.blocks()[0], false);
  gradients_agree(model);
}

TEST_CASE("Transformer: gradients pass through a frozen block in the middle") {
  auto model = three_blocks(full);
  model.set_block_trainable(model.blocks()[1], false);
  gradients_agree(model);
}

TEST_CASE("Transformer: gradients of the author's block: no biases of queries, keys, values; a bias of the head") {
  auto model = three_blocks(without_biases, {.context = 8, .head_bias = true});
  model.set_block_trainable(model.blocks()[0], false);
  gradients_agree(model);
}

TEST_CASE("Transformer: gradients of adapters on all matrices or on some, alone and beside blocks that train") {
  auto model = three_blocks(full, {.context = 8, .head_bias = true});
  model.freeze();
  gt::LoraConfig lora{.rank = 3, .alpha = 5};
  SUBCASE("all, of all blocks") { model.attach_adapters(lora); }
  SUBCASE("all, of the lower blocks, the top one trains") {
    model.attach_adapters(lora, 2);
    model.set_block_trainable(model.blocks()[2], true);
  }
  SUBCASE("some") {
    lora.targets = {.q = false, .o = false, .proj = false};
    model.attach_adapters(lora);
  }
  SUBCASE("the others, beside blocks that train") {
    lora.targets = {.k = false, .v = false, .fc = false};
    lora.rank_stabilised = true;
    model.attach_adapters(lora);
    for (auto& block : model.blocks()) model.set_block_trainable(block, true);
  }
  gt::test::scramble(model, 300);
  model.set_adapters_trainable(true);
  gradients_agree(model);
}

TEST_CASE("Transformer: gradients of single tensors of adapters") {
  auto model = three_blocks(full);
  model.freeze();
  model.attach_adapters({.rank = 2});
  gt::test::scramble(model, 300);
  for (char const* name : {"model.layers.0.self_attn.k_proj.lora_A.weight", "model.layers.1.mlp.c_fc.lora_B.weight",
                           "model.layers.2.self_attn.v_proj.lora_B.weight", "model.layers.2.mlp.c_fc.weight"})
    CHECK(model.set_trainable(name, true) == 1);
  gradients_agree(model);
}

TEST_CASE("Transformer: gradients of a table that trains, narrow and lifted, below frozen blocks too") {
  Transformer<gt::Block<double>> model(gt::test::substrate_of(V, 4, "learned"), full, gt::seed(3), {.context = 8});
  model.append(2);
  gt::test::scramble(model);
  model.freeze();
  SUBCASE("alone, below frozen blocks") {}
  SUBCASE("with all") { gt::test::train_all(model); }
  SUBCASE("without blocks") {
    model = Transformer<gt::Block<double>>(gt::test::substrate_of(V, 4, "learned"), full, gt::seed(3), {.context = 8});
    gt::test::scramble(model);
  }
  model.set_table_trainable(true);
  gradients_agree(model);
}

TEST_CASE("Transformer: gradients of a block with the exact GELU") {
  auto model = three_blocks(exact_gelu);
  gradients_agree(model);
}

TEST_CASE("Transformer: gradients of a model with RMSNorm, of which the final norm trains or not") {
  auto model = three_blocks(rms_norms, {.context = 8, .head_bias = true});
  for (auto const& p : model.parameters()) CHECK(p.name.find("norm.bias") == p.name.npos);
  SUBCASE("all") {}
  SUBCASE("norm frozen") { model.set_head_trainable(false, true); }
  SUBCASE("norm alone") { model.freeze(), model.set_head_trainable(true, false); }
  gradients_agree(model);
}

TEST_CASE("Transformer: gradients with the final norm frozen, or the head, or all but one of them") {
  auto model = three_blocks(full);
  model.freeze();
  model.set_block_trainable(model.blocks()[2], true);
  SUBCASE("norm frozen") { model.set_head_trainable(false, true); }
  SUBCASE("head frozen") { model.set_head_trainable(true, false); }
  SUBCASE("block alone") { model.set_head_trainable(false, false); }
  SUBCASE("norm alone") { model.freeze(), model.set_head_trainable(true, false); }
  SUBCASE("head alone") { model.freeze(), model.set_head_trainable(false, true); }
  gradients_agree(model);
}

TEST_CASE("Transformer: gradients where single tensors are frozen or trained by name") {
  auto model = three_blocks(full);
  SUBCASE("some frozen") {
    for (char const* name : {"model.layers.0.self_attn.k_proj.weight", "model.layers.1.input_layernorm.weight",
                             "model.layers.1.mlp.c_proj.bias", "model.layers.2.self_attn.q_proj.bias"})
      CHECK(model.set_trainable(name, false) == 1);
    CHECK(model.set_trainable("model.layers.2.mlp.*", false) == 4);
  }
  SUBCASE("of the norm and the head") {
    model = three_blocks(full, {.context = 8, .head_bias = true});
    model.freeze();
    for (char const* name : {"model.norm.weight", "lm_head.bias", "model.layers.2.mlp.c_fc.bias"})
      CHECK(model.set_trainable(name, true) == 1);
  }
  SUBCASE("some trained") {
    model.freeze();
    for (char const* name : {"model.layers.1.self_attn.v_proj.weight", "model.layers.1.self_attn.k_proj.bias",
                             "model.layers.2.post_attention_layernorm.bias", "model.layers.2.input_layernorm.weight"})
      CHECK(model.set_trainable(name, true) == 1);
  }
  gradients_agree(model);
}

TEST_CASE("Transformer: the CPU's gradients in float are those of the reference in double") {
  constexpr BlockConfig cfg{.d_model = 48, .heads = 3};
  TransformerOptions const options{.context = 37, .head_bias = true};
  auto exact = gt::test::scrambled<double>(cfg, 2, 101, options);
  auto model = gt::test::scrambled(cfg, 2, 101, options);
  gt::test::train_all(exact), gt::test::train_all(model);
  BatchShape const batch{3, 37};
  auto const ids = gt::test::ids_below(101, batch.rows(), 1), targets = gt::test::ids_below(101, batch.rows(), 2);
  Trainer reference(Ref{}, exact, batch);
  Trainer trainer(gt::Cpu<>(2), model, batch);
  double const loss = reference.forward_backward(ids, targets);
  // Sums of at most 4 C or B T terms, one behind the other in some ten ops a block and more.
  double const tolerance = gt::test::tol<float>(192, 16);
  CHECK(trainer.forward_backward(ids, targets) == doctest::Approx(loss).epsilon(tolerance));
  auto const expected = exact.parameters();
  auto const actual = model.parameters();
  for (std::size_t i = 1; i < expected.size(); ++i) {
    CAPTURE(expected[i].name);
    CHECK(close(gradient_of(trainer, model, actual[i]), gradient_of(reference, exact, expected[i]), tolerance));
  }
}

}  // namespace gradients_test
