// SPDX-License-Identifier: MIT
// Whole training steps, stages of growth, and generation: what a user waits for.
#include <memory>

#include "gt/backend/ref/ref.hpp"
#include "gt/infer/session.hpp"
#include "gt/nn/passes.hpp"
#include "gt/nn/transformer.hpp"
#include "gt/substrate/random_embedding.hpp"
#include "gt/train/trainer.hpp"
#include "support.hpp"

namespace {

using namespace gt::bench;
using gt::Cpu;
using gt::Ref;
using gt::text;
using Ids = std::vector<std::int32_t>;
using Model =
    gt::Transformer<gt::BlockConfig{.d_model = gt::BlockConfig::run_time, .heads = gt::BlockConfig::run_time}>;

/// Of a model and its batch; `trained` blocks from the top train, and final norm and head.
struct Shape {
  int C, L, H;
  std::int64_t T, B, V;
  int trained;
};

std::shared_ptr<Model> make_model(Shape s) {
  auto const table = gt::RandomEmbedding::draw(std::vector<std::string>(static_cast<std::size_t>(s.V)), {.width = s.C});
  auto model =
      std::make_shared<Model>(table, gt::seed(1), gt::TransformerOptions{.context = s.T, .d_model = s.C, .heads = s.H});
  model->append(s.L);
  model->freeze();
  for (int l = s.L - s.trained; l < s.L; ++l)
    Model::set_block_trainable(model->blocks()[static_cast<std::size_t>(l)], true);
  model->set_head_trainable(true, true);
  return model;
}

gt::Vector<std::int32_t const> view(std::span<std::int32_t const> ids) {
  return gt::Vector<std::int32_t const>(ids.data(), static_cast<std::int64_t>(ids.size()));
}

/// One batch, stepped on again and again.
struct Training {
  std::shared_ptr<Model> model;
  gt::BatchShape shape;
  Ids ids, targets;
  Cpu<> on;
  gt::Trainer<Cpu<>, Model> trainer;

  Training(Shape s, int threads)
      : model{make_model(s)},
        shape{s.B, s.T},
        ids{ids_below(s.V, shape.rows(), 1)},
        targets{ids_below(s.V, shape.rows(), 2)},
        on(threads),
        trainer(on, *model, shape) {}

  /// Losses of the first tokens, on any backend.
  template <class B>
  std::vector<float> losses(B const& backend, gt::BatchShape s) const {
    auto const n = static_cast<std::size_t>(s.rows());
    std::vector<float> nll(n);
    gt::Vector<float> const out(nll.data(), s.rows());
    auto const run = [&](gt::Arena& arena) {
      gt::token_losses(backend, *model, view(std::span(ids).first(n)), view(std::span(targets).first(n)), s, out,
                       arena);
    };
    gt::Arena arena(gt::measure(run));
    run(arena);
    return nll;
  }
  double loss() const {
    double sum = 0;
    for (float const x : losses(on, shape)) sum += static_cast<double>(x);
    return sum / static_cast<double>(shape.rows());
  }
  /// Adds h times its gradient to what trains. Returns the gradient's squared norm.
  double move(double h) {
    double sum = 0;
    auto const add = [&](gt::Buffer<float> const& weights, gt::Buffer<float> const& gradient) {
      for (std::int64_t i = 0; i < gradient.size(); ++i) {
        double const g = static_cast<double>(gradient[i]);
        weights[i] += static_cast<float>(h * g);
        sum += g * g;
      }
    };
    for (int l = 0; l < model->depth(); ++l) {
      add(model->blocks()[static_cast<std::size_t>(l)].weights(), trainer.block_gradient(l));
    }
    add(model->head_buffer(), trainer.head_gradient());
    return sum;
  }
  /// The losses of the first 16 tokens, which no later token can change, against the plain loop; and the gradient
  /// against what the loss does when the weights follow it a little: L(w + h g) - L(w - h g) = 2 h |g|^2 within 1 %.
  double error() {
    trainer.forward_backward(ids, targets);
    auto const all = trainer.losses();
    auto const few = losses(Ref{}, {1, 16});
    double const terms = model->depth() * model->config().d_model;
    double const off = gt::bench::error(std::span(all).first(few.size()), few, terms);
    double const square = move(0), h = 0.01 / square;
    move(h);
    double const up = loss();
    move(-2 * h);
    double const change = up - loss();
    move(h);
    trainer.clear_gradients();
    return std::max(off, std::abs(change / (2 * h * square) - 1) / 0.01);
  }
  /// 6 a trained parameter and token (2 forward, 4 backward) and 2 a parameter of a frozen block; attention the causal
  /// half of its products: 2 T C a token and block forward and twice that backward, scores made again not counted.
  double flops(Shape s) const {
    double const M = static_cast<double>(shape.rows()), frozen = s.L - s.trained,
                 attention = 2.0 * static_cast<double>(s.T) * s.C;
    double const block = static_cast<double>(model->config().parameters());
    return M * (6.0 * static_cast<double>(trainer.active_parameters()) + 3.0 * attention * s.trained +
                (2.0 * block + attention) * frozen);
  }
};

void add_step(std::string const& name, Shape s) {
  for (int const threads : thread_counts()) {
    add(
        text(name, "/", cpu_name(threads), "/C", s.C, ",L", s.L, ",H", s.H, ",T", s.T, ",B", s.B, ",V", s.V),
        [=] {
          auto const t = std::make_shared<Training>(s, threads);
          Work const work{.flops = t->flops(s), .tokens = static_cast<double>(t->shape.rows())};
          return Case{[=] { t->trainer.step(t->ids, t->targets, 1e-4); }, [=] { return t->error(); }, work, threads};
        },
        benchmark::kMillisecond);
  }
}

/// One token at a time. Its limit: every weight of blocks and head is read once a token, at the bandwidth of streaming
/// a buffer of that size; the keys and values that are read as well are not counted.
void add_generation(Shape s) {
  for (int const threads : thread_counts()) {
    add(text("generate/", cpu_name(threads), "/C", s.C, ",L", s.L, ",H", s.H, ",V", s.V), [=] {
      auto const model = make_model(s);
      auto const ids = ids_below(s.V, s.T, 1);
      auto const session = std::make_shared<gt::Session<Cpu<>, Model>>(Cpu<>(threads), *model);
      auto const run = [=] {
        if (session->room() == 0) session->reset();
        benchmark::DoNotOptimize(
            session->feed(std::span(ids).subspan(static_cast<std::size_t>(session->position()), 1)));
      };
      auto const compare = [=] {  // eight tokens, one by one, against the plain loop on all at once
        gt::Session<Ref, Model> plain(Ref{}, *model);
        for (int i = 0; i < 7; ++i) run();
        auto const logits = session->feed(std::span(ids).subspan(7, 1)), expected = plain.feed(std::span(ids).first(8));
        return error(logits, expected, s.L * s.C);
      };
      std::int64_t const bytes = 4 * (s.L * model->config().parameters() + model->head_buffer().size());
      return Case{run, compare, {.bytes = static_cast<double>(bytes), .memory = bytes, .tokens = 1}, threads};
    });
  }
}

}  // namespace

int main(int argc, char** argv) {
  add_limits();
  add_step("step", {256, 6, 8, 256, 8, 8192, 6});
  for (int const depth : {3, 6, 9}) add_step("stage", {256, depth, 8, 256, 8, 8192, 3});
  add_step("step", {128, 6, 4, 256, 8, 8192, 6});
  add_step("step", {32, 1, 2, 16, 16, 64, 1});
  add_generation({256, 9, 8, 256, 1, 2048, 0});
  return run_all(argc, argv, "1.5");
}
