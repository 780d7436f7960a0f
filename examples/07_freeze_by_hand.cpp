// SPDX-License-Identifier: MIT
// Lesson 7: a training loop of one's own. Tensors train or freeze by name; gradients add up until `update`; a loss of
// one's own needs only its gradient with respect to the model's states.   Run it: ./07_freeze_by_hand
#include <algorithm>
#include <cstdio>
#include <gt/cpu.hpp>
#include <gt/nn/transformer.hpp>
#include <gt/substrate/binary_embedding.hpp>
#include <gt/train/trainer.hpp>
#include <numeric>
#include <span>
#include <vector>

#include "support/lesson.hpp"

constexpr gt::BlockConfig block{.d_model = 48, .heads = 4};
constexpr std::int64_t V = 64, M = 8 * 16, C = block.d_model;  // a batch: 8 sequences of 16 tokens

// M tokens and the one behind each: i is followed by 5 i + 7, one time in twenty by anything.
struct Batch {
  std::vector<std::int32_t> chain{0};
  explicit Batch(int number) {
    gt::Random const random(gt::seed(7), gt::Purpose::data, static_cast<std::uint32_t>(number));
    for (std::uint64_t i = 0; i < M; ++i) {
      auto const any = static_cast<std::int32_t>(random.below(V, 2 * i + 1));
      chain.push_back(random.uniform(2 * i) < 0.05 ? any : (5 * chain.back() + 7) % int{V});
    }
  }
  std::span<std::int32_t const> ids() const { return std::span(chain).first(M); }
  std::span<std::int32_t const> targets() const { return std::span(chain).last(M); }
};

int main() {
  gt::Transformer<> model(gt::BinaryEmbedding::of_ids(V, {.d_model = C}), block, gt::seed(1), {.context = 16});
  model.append(3);
  model.set_trainable("model.layers.1.*", true);
  model.set_trainable("model.layers.1.self_attn.*", false);
  model.set_trainable("lm_head.weight", true);
  auto const before = model.clone();

  gt::Trainer trainer(gt::Cpu<>{}, model, {.batch = 8, .tokens = 16});
  double loss = 0, first_loss = 0;
  for (int step = 0; step < 150; ++step) {
    for (Batch const& b : {Batch(2 * step), Batch(2 * step + 1)}) trainer.forward_backward(b.ids(), b.targets());
    loss = trainer.update(5e-3).loss;
    if (step == 0) first_loss = loss;
  }
  std::printf("loss, nats a token: %.3f at first, %.3f at last\n", first_loss, loss);
  lesson::claim(loss < 0.5 * first_loss, "the loss has fallen to less than a half");

  bool as_declared = true;
  auto const after = model.parameters(), was = before.parameters();
  for (std::size_t i = 0; i < after.size(); ++i) {
    bool const moved = !std::equal(was[i].data, was[i].data + was[i].size(), after[i].data);
    as_declared = as_declared && moved == after[i].trainable;
    if (moved) std::printf("  %s has moved\n", after[i].name.c_str());
  }
  lesson::claim(as_declared, "these were declared trainable, and no others");

  // A loss of one's own: a pupil whose second block starts anew learns to have its teacher's states.
  auto pupil = model.clone();
  pupil.blocks()[1].initialise(gt::seed(2), 1, 3, gt::BlockInit::random);
  pupil.set_trainable("model.layers.1.*", true);
  gt::Trainer learner(gt::Cpu<>{}, pupil, {.batch = 8, .tokens = 16}, {.weight_decay = 0});
  gt::Buffer<float> const d(M * C);  // dLoss/dstates
  for (int step = 0; step <= 200; ++step) {
    Batch const batch(1000 + step);
    gt::Matrix<float const> const wanted = trainer.forward(batch.ids()), got = learner.forward(batch.ids());  // [M, C]
    // The loss is |got - wanted|^2 / 2, the mean over rows; its gradient d is (got - wanted) / M.
    for (std::int64_t i = 0; i < M * C; ++i) d[i] = (got.data()[i] - wanted.data()[i]) / float{M};
    loss = double{M} / 2 * std::inner_product(d.begin(), d.end(), d.begin(), 0.0);
    if (step == 0) first_loss = loss;
    learner.backward(gt::Matrix<float>(d.data(), M, C));
    learner.update(5e-3);
  }
  std::printf("distance of the pupil from its teacher: %.3f at first, %.3f at last\n", first_loss, loss);
  lesson::claim(loss < 0.1 * first_loss, "the pupil has come ten times nearer");
  return lesson::verdict();
}
