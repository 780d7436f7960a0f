// SPDX-License-Identifier: MIT
// The models of the benchmarks: made from a shape, trained on one batch, written for a peer in another process.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gt/backend/ref/ref.hpp"
#include "gt/io/safetensors.hpp"
#include "gt/nn/passes.hpp"
#include "gt/nn/transformer.hpp"
#include "gt/substrate/random_embedding.hpp"
#include "gt/train/trainer.hpp"
#include "support.hpp"

namespace gt::bench {

/// Of a model and its batch; `trained` blocks from the top train, and final norm and head.
struct ModelShape {
  int C, L, H;
  std::int64_t T, B, V;
  int trained;
};

using Model = Transformer<>;

inline std::shared_ptr<Model> make_model(ModelShape s) {
  auto const table = RandomEmbedding::draw(std::vector<std::string>(static_cast<std::size_t>(s.V)), {.width = s.C});
  auto model = std::make_shared<Model>(table, BlockConfig{.d_model = s.C, .heads = s.H}, seed(1),
                                       TransformerOptions{.context = s.T});
  model->append(s.L);
  model->freeze();
  for (int l = s.L - s.trained; l < s.L; ++l)
    Model::set_block_trainable(model->blocks()[static_cast<std::size_t>(l)], true);
  model->set_head_trainable(true, true);
  return model;
}

inline Vector<std::int32_t const> view(std::span<std::int32_t const> ids) {
  return Vector<std::int32_t const>(ids.data(), static_cast<std::int64_t>(ids.size()));
}
template <class T>
io::TensorView tensor(std::string const& name, std::string const& type, std::span<T const> values) {
  return {name, type, {static_cast<std::int64_t>(values.size())}, std::as_bytes(values)};
}

/// Weights by which every part counts, N(0, 1 / C) and biases and gains that are not 0 and 1: the loss of a new model
/// hardly depends on its attention, and a peer that has it wrong would pass.
inline void stir(Model& model) {
  std::uint64_t stream = 100;
  for (auto const& p : model.parameters()) {
    if (p.name == "model.embed_tokens.weight") continue;
    bool const is_matrix = p.shape.size() > 1;
    float const scale = 1 / (0.02F * std::sqrt(static_cast<float>(model.config().d_model)));
    Buffer<float> const some = numbers(is_matrix ? 0 : p.size(), ++stream);
    for (std::int64_t i = 0; i < p.size(); ++i) p.data[i] = is_matrix ? p.data[i] * scale : p.data[i] + 0.3F * some[i];
  }
}

/// A model's tensors and `more` of them in one safetensors file.
inline void write_model(Model const& model, std::vector<io::TensorView> const& more, std::string const& path) {
  std::vector<io::TensorView> tensors = more;
  for (auto const& p : model.parameters())
    tensors.push_back({p.name, "F32", p.shape, std::as_bytes(std::span(p.data, static_cast<std::size_t>(p.size())))});
  io::write_safetensors(path, std::span<io::TensorView const>(tensors), {{"format", "pt"}});
}

/// One batch, stepped on again and again.
struct Training {
  std::shared_ptr<Model> model;
  BatchShape shape;
  std::vector<std::int32_t> ids, targets;
  Cpu<> on;
  Trainer<Cpu<>, Model> trainer;

  Training(ModelShape s, int threads, Products products = Products::fp32)
      : model{make_model(s)},
        shape{s.B, s.T},
        ids{ids_below(s.V, shape.rows(), 1)},
        targets{ids_below(s.V, shape.rows(), 2)},
        on{Cpu<>(threads).with(products)},
        trainer(on, *model, shape) {}

  /// Losses of the first tokens, on any backend.
  template <class B>
  std::vector<float> losses(B const& backend, BatchShape s) const {
    auto const n = static_cast<std::size_t>(s.rows());
    std::vector<float> nll(n);
    Vector<float> const out(nll.data(), s.rows());
    auto const run = [&](Arena& arena) {
      token_losses(backend, *model, view(std::span(ids).first(n)), view(std::span(targets).first(n)), s, out, arena);
    };
    Arena arena(measure(run));
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
    auto const add = [&](Buffer<float> const& weights, Buffer<float> const& gradient) {
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
  /// With products in bf16: losses within 2^16 times as much, as its precision is less, and 5 %.
  double error() {
    trainer.forward_backward(ids, targets);
    auto const all = trainer.losses();
    auto const few = losses(Ref{}, {1, 16});
    double const terms = model->depth() * model->config().d_model;
    bool const bf16 = on.products() == Products::bf16;
    double const off = gt::bench::error(std::span(all).first(few.size()), few, terms) * (bf16 ? 0x1p-16 : 1.0);
    double const square = move(0), h = 0.01 / square;
    move(h);
    double const up = loss();
    move(-2 * h);
    double const change = up - loss();
    move(h);
    trainer.clear_gradients();
    return std::max(off, std::abs(change / (2 * h * square) - 1) / (bf16 ? 0.05 : 0.01));
  }
  /// For a peer: weights that are stirred, the batch, the loss of each of its tokens, and the losses of the first three
  /// steps at a learning rate of 1e-3. Steps on the way.
  void write(std::string const& path) {
    stir(*model);
    Trainer<Cpu<>, Model> fresh(on, *model, shape);  // a trainer may have packed frozen weights
    auto const before = model->clone();
    std::vector<float> steps(3), tokens;
    for (float& loss : steps) {
      loss = static_cast<float>(fresh.step(ids, targets, 1e-3).loss);
      if (tokens.empty()) tokens = fresh.losses();
    }
    write_model(before,
                {tensor<std::int32_t>("ids", "I32", ids), tensor<std::int32_t>("targets", "I32", targets),
                 tensor<float>("steps", "F32", steps), tensor<float>("tokens", "F32", tokens)},
                path);
  }
  /// 6 a trained parameter and token (2 forward, 4 backward) and 2 a parameter of a frozen block; attention the causal
  /// half of its products: 2 T C a token and block forward and twice that backward, scores made again not counted.
  double flops(ModelShape s) const {
    double const M = static_cast<double>(shape.rows()), frozen = s.L - s.trained,
                 attention = 2.0 * static_cast<double>(s.T) * s.C;
    double const block = static_cast<double>(model->config().parameters());
    return M * (6.0 * static_cast<double>(trainer.active_parameters()) + 3.0 * attention * s.trained +
                (2.0 * block + attention) * frozen);
  }
};

}  // namespace gt::bench
