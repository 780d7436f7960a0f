// SPDX-License-Identifier: MIT
// Lesson 9: a block of one's own. In place of attention each token hears a fading echo of those before it:
//     e_t = (x_t + e_{t-1}) / 2,   y = x + W gelu(e)        A model grows with it as if it came with gt.
// Run it: ./09_own_block
#include <complex>
#include <filesystem>
#include <gt/gt.hpp>

#include "support/lesson.hpp"

template <class T>
struct Echo : gt::BlockTensors<T, 1> {  // holds one tensor, W
  static constexpr std::array<gt::TensorSpec, 1> tensors(gt::BlockConfig c) {
    return {{{"echo.weight", c.d_model, c.d_model, gt::Fill::residual}}};
  }
  explicit Echo(gt::BlockConfig c) : gt::BlockTensors<T, 1>(c, tensors(c)) {}
  using Activations = std::array<gt::Matrix<T>, 3>;  // e, gelu(e), W gelu(e): [M, C] each
  Activations activations(gt::Arena& arena, gt::BatchShape s) const {
    return {this->take(arena, s), this->take(arena, s), this->take(arena, s)};
  }
  // y may be x. With a cache, token t stands at position first + t, and the cache has what came before.
  void forward(gt::Backend auto const& on, gt::Matrix<T const> x, Activations& a, gt::Matrix<T> y, gt::BatchShape s,
               gt::ops::RopeTable<T> const&, gt::KvCache<T>* cache = nullptr, std::int64_t first = 0) const {
    auto const& [e, act, mixed] = a;
    for (std::int64_t i = 0; i < s.rows(); ++i) {
      T const* const past = i % s.tokens > 0 ? e.row(i - 1) : first > 0 ? cache->kv.row(first - 1) : nullptr;
      for (std::int64_t j = 0; j < this->C(); ++j) e(i, j) = (x(i, j) + (past ? past[j] : T{})) / T(2);
      if (cache) std::copy_n(e.row(i), this->C(), cache->kv.row(first + i % s.tokens));
    }
    gt::ops::gelu(on, e, act);
    gt::ops::linear(on, act, this->mat(0), {}, mixed);
    gt::ops::residual_add(on, mixed, x, y);
  }
  void backward_scratch(gt::Arena&, gt::BatchShape) const {}  // backward takes no memory beside the activations
  void backward(gt::Backend auto const& on, gt::Matrix<T> d, gt::Matrix<T const>, Activations const& a,
                gt::Buffer<T> const& gradient, gt::BatchShape s, gt::ops::RopeTable<T> const&, gt::Arena&, bool) const {
    auto const& [e, act, de] = a;  // the third is free again
    gt::ops::linear_backward(on, d, act, this->mat(0), de, this->dmat(gradient, 0), {});
    gt::ops::gelu_backward(on, de, e, de);
    for (std::int64_t i = s.rows() - 1; i >= 0; --i) {
      T const* const next = (i + 1) % s.tokens > 0 ? de.row(i + 1) : nullptr;
      for (std::int64_t j = 0; j < this->C(); ++j) de(i, j) = (de(i, j) + (next ? next[j] : T{})) / T(2);
    }
    gt::ops::residual_add(on, d, de, d);  // d was dLoss/dy, and is dLoss/dx
  }
};

constexpr gt::BlockConfig width{.d_model = 64, .heads = 1};
template <class T>
using Model = gt::Transformer<Echo<T>>;  // of a type that lacks something, the compiler says what

int main() {
  // All in complex numbers, one number of the lower W moved by i h: Im loss / h is its gradient, as in lesson 4.
  Model<std::complex<double>> probe(gt::BinaryEmbedding::of_ids(16, {.d_model = width.d_model}), width, gt::seed(1));
  probe.append(2), probe.set_trainable("*", true);
  probe.blocks()[0].weights()[5] += std::complex(0.0, 1e-30);
  gt::Trainer trainer(gt::Ref{}, probe, {.batch = 1, .tokens = 3});
  trainer.forward_backward(std::array{3, 1, 4}, std::array{gt::no_target, gt::no_target, 1});
  double const backward = trainer.block_gradient(0)[5].real(), exact = trainer.losses()[2].imag() / 1e-30;
  std::printf("gradient: %.15f by backward, %.15f by the complex step\n", backward, exact);
  lesson::claim(std::abs(backward - exact) < 1e-10 * std::abs(exact), "backward agrees with the complex step");

  auto const corpus = gt::Corpus::from_text(lesson::story);
  auto const tokenizer = gt::Tokenizer::build(corpus, {.vocab_size = 400});
  auto const substrate = gt::BinaryEmbedding::of_ids(tokenizer.tokens(), {.d_model = width.d_model});
  Model<float> model(substrate, width, gt::seed(1)), again(substrate, width, gt::seed(2));
  auto const text = gt::training_text(corpus, tokenizer);
  auto const grown = gt::grow(model, gt::parse_plan("2+2"), text, {.context = 32, .tokens_per_stage = 20'000});
  for (auto const& s : grown.stages) std::printf("%d blocks: %.3f bits per byte\n", s.depth, s.after.bits_per_byte());
  lesson::claim(grown.stages[1].after.nats < grown.stages[0].before.nats, "a model of such blocks learns and grows");
  std::string const path = std::filesystem::temp_directory_path() / "gt-lesson-echo.safetensors";
  gt::save_weights(model, path);
  again.append(model.depth());
  gt::load_weights(again, path);
  auto const scores = [&](auto const& m) { return gt::score(m, tokenizer, lesson::story).log_likelihoods; };
  lesson::claim(scores(again) == scores(model), "saved and loaded, it says the same");
  return lesson::verdict();
}
