// SPDX-License-Identifier: MIT
// A model whose type is known at run time: any kind of block, one interface.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gt/core/arena.hpp"
#include "gt/core/backend.hpp"
#include "gt/core/buffer.hpp"
#include "gt/core/parameter.hpp"
#include "gt/core/view.hpp"
#include "gt/infer/language_model.hpp"
#include "gt/infer/prepared.hpp"
#include "gt/infer/session.hpp"
#include "gt/nn/passes.hpp"
#include "gt/nn/transformer.hpp"

namespace gt::inline GT_ABI {

/// Any finished model in fp32, for backend B. It is read only, cheap to copy, and shares the model's weights;
/// `Prepared`, `Session`, `generate`, `score`, `hidden_states` and `Evaluator` take it as they take a Transformer, with
/// the same results. What it costs is one virtual call a pass.
///
///     gt::AnyModel const model = gt::load_any_model(gt::Cpu<>{}, "my-model");
///     gt::generate(gt::Cpu<>{}, model, tokenizer, "She was", {}, print);
template <Backend B>
class BasicAnyModel {
 public:
  using scalar = float;  ///< of weights and results

  /// Hides the type of `model`, a Transformer of any block; the weights are shared, not copied.
  template <class Model>
  requires std::same_as<typename Model::scalar, float>
  explicit BasicAnyModel(Model model) : held_{std::make_shared<Held<Model> const>(std::move(model))} {}

  BlockConfig const& config() const { return held_->facts.config; }                      ///< of each block
  std::int64_t context() const { return held_->facts.context; }                          ///< tokens a sequence may have
  std::int64_t vocab() const { return held_->facts.vocab; }                              ///< V
  int depth() const { return held_->facts.depth; }                                       ///< L
  std::string const& substrate_fingerprint() const { return held_->facts.fingerprint; }  ///< of its table
  Matrix<float const> table() const { return held_->facts.table; }                       ///< the frozen one, [V, n]
  Matrix<float const> head() const { return held_->facts.head; }                         ///< the output head, [V, C]
  Vector<float const> head_bias() const { return held_->facts.head_bias; }               ///< [V]; null without one
  Buffer<float> const& head_buffer() const { return held_->facts.head_buffer; }          ///< final norm and head
  /// Every tensor, bottom to top: the table, the blocks, the final norm, the head.
  std::vector<Parameter<float>> parameters() const { return held_->parameters(); }
  /// Numbers in all tensors, the table included.
  std::int64_t parameter_count() const {
    std::int64_t n = 0;
    for (auto const& p : parameters()) n += p.size();
    return n;
  }

  /// A Session whose model's type is hidden.
  class AnySession {
   public:
    virtual ~AnySession() = default;
    /// Logits [V], and log-likelihoods of the ids where there is room for them; see Session::feed.
    virtual std::span<float const> feed(std::span<std::int32_t const> ids, std::span<float> log_likelihoods) = 0;
    virtual Vector<float const> state() const = 0;   ///< of the last token, [C]; see Session::state
    virtual std::int64_t position() const = 0;       ///< tokens fed so far
    virtual void reset() = 0;                        ///< forgets everything
    virtual void rewind(std::int64_t position) = 0;  ///< see Session::rewind
  };
  /// A new session, which shares what is prepared of this model.
  std::unique_ptr<AnySession> session(Prepared<B, BasicAnyModel> const& prepared) const {
    return held_->session(prepared);
  }
  /// What a backend may prepare once; see the function of this name in nn/passes.hpp.
  std::vector<ConstantMemory> const& constant_weights() const { return held_->facts.constants; }

  /// -log p(target) of every position, nll [B * T]: the function of this name in nn/passes.hpp, as are the next two.
  void token_losses(B const& on, Vector<std::int32_t const> ids, Vector<std::int32_t const> targets, BatchShape s,
                    Vector<float> nll, Arena& arena) const {
    held_->token_losses(on, ids, targets, s, nll, arena);
  }
  /// nn::States [T, C] of one sequence behind its lowest `layers` blocks, before the final norm.
  nn::States<float> hidden_states(B const& on, std::span<std::int32_t const> ids, int layers = -1) const {
    return held_->hidden_states(on, ids, layers);
  }
  /// Logits [T, V] of every position of one sequence.
  nn::States<float> logits(B const& on, std::span<std::int32_t const> ids) const { return held_->logits(on, ids); }
  /// The functions of these names in infer/language_model.hpp; what is returned shares all else with this model.
  void final_states(B const& on, Vector<std::int32_t const> ids, BatchShape s, Matrix<float> h, Arena& arena) const {
    held_->final_states(on, ids, s, h, arena);
  }
  BasicAnyModel with_table(Buffer<float> table) const { return held_->with_table(std::move(table)); }  ///< see there
  BasicAnyModel with_head(Buffer<float> head) const { return held_->with_head(std::move(head)); }      ///< see there

 private:
  struct Facts {
    BlockConfig config;
    std::int64_t context = 0, vocab = 0;
    int depth = 0;
    std::string fingerprint;
    Matrix<float const> table, head;
    Vector<float const> head_bias;
    Buffer<float> head_buffer;
    std::vector<ConstantMemory> constants;
  };
  struct Interface {
    Facts facts;
    virtual ~Interface() = default;
    virtual std::vector<Parameter<float>> parameters() const = 0;
    virtual std::unique_ptr<AnySession> session(Prepared<B, BasicAnyModel> const& prepared) const = 0;
    virtual void token_losses(B const& on, Vector<std::int32_t const> ids, Vector<std::int32_t const> targets,
                              BatchShape s, Vector<float> nll, Arena& arena) const = 0;
    virtual nn::States<float> hidden_states(B const& on, std::span<std::int32_t const> ids, int layers) const = 0;
    virtual nn::States<float> logits(B const& on, std::span<std::int32_t const> ids) const = 0;
    virtual void final_states(B const& on, Vector<std::int32_t const> ids, BatchShape s, Matrix<float> h,
                              Arena& arena) const = 0;
    virtual BasicAnyModel with_table(Buffer<float> table) const = 0;
    virtual BasicAnyModel with_head(Buffer<float> head) const = 0;
  };
  template <class Model>
  struct Held final : Interface {
    explicit Held(Model m) : model{std::move(m)} {
      this->facts = {
          model.config(), model.context(), model.vocab(),     model.depth(),       model.substrate_fingerprint(),
          model.table(),  model.head(),    model.head_bias(), model.head_buffer(), nn::constant_weights(model)};
    }
    std::vector<Parameter<float>> parameters() const override { return model.parameters(); }
    std::unique_ptr<AnySession> session(Prepared<B, BasicAnyModel> const& prepared) const override {
      return std::make_unique<Fed>(prepared.part(model));
    }
    void token_losses(B const& on, Vector<std::int32_t const> ids, Vector<std::int32_t const> targets, BatchShape s,
                      Vector<float> nll, Arena& arena) const override {
      gt::token_losses(on, model, ids, targets, s, nll, arena);
    }
    nn::States<float> hidden_states(B const& on, std::span<std::int32_t const> ids, int layers) const override {
      return gt::hidden_states(on, model, ids, layers);
    }
    nn::States<float> logits(B const& on, std::span<std::int32_t const> ids) const override {
      return gt::logits(on, model, ids);
    }
    void final_states(B const& on, Vector<std::int32_t const> ids, BatchShape s, Matrix<float> h,
                      Arena& arena) const override {
      gt::final_states(on, model, ids, s, h, arena);
    }
    BasicAnyModel with_table(Buffer<float> table) const override {
      return BasicAnyModel(gt::with_table(model, std::move(table)));
    }
    BasicAnyModel with_head(Buffer<float> head) const override {
      return BasicAnyModel(gt::with_head(model, std::move(head)));
    }
    struct Fed final : AnySession {
      explicit Fed(Prepared<B, Model> prepared) : session(std::move(prepared)) {}
      std::span<float const> feed(std::span<std::int32_t const> ids, std::span<float> log_likelihoods) override {
        return session.feed(ids, log_likelihoods);
      }
      Vector<float const> state() const override { return session.state(); }
      std::int64_t position() const override { return session.position(); }
      void reset() override { session.reset(); }
      void rewind(std::int64_t position) override { session.rewind(position); }
      Session<B, Model> session;
    };
    Model model;
  };
  std::shared_ptr<Interface const> held_;
};

/// BasicAnyModel::token_losses, for code that takes a model of any kind; so are the next two.
template <Backend B>
void token_losses(B const& on, BasicAnyModel<B> const& model, In<Vector<std::int32_t const>> ids,
                  In<Vector<std::int32_t const>> targets, BatchShape s, In<Vector<float>> nll, Arena& arena) {
  model.token_losses(on, ids, targets, s, nll, arena);
}
/// BasicAnyModel::hidden_states.
template <Backend B>
nn::States<float> hidden_states(B const& on, BasicAnyModel<B> const& model, std::span<std::int32_t const> ids,
                                int layers = -1) {
  return model.hidden_states(on, ids, layers);
}
/// BasicAnyModel::logits.
template <Backend B>
nn::States<float> logits(B const& on, BasicAnyModel<B> const& model, std::span<std::int32_t const> ids) {
  return model.logits(on, ids);
}
/// BasicAnyModel::final_states, BasicAnyModel::with_table and BasicAnyModel::with_head.
template <Backend B>
void final_states(B const& on, BasicAnyModel<B> const& model, In<Vector<std::int32_t const>> ids, BatchShape s,
                  In<Matrix<float>> h, Arena& arena) {
  model.final_states(on, ids, s, h, arena);
}
/// See `final_states`.
template <Backend B>
BasicAnyModel<B> with_table(BasicAnyModel<B> const& model, Buffer<float> table) {
  return model.with_table(std::move(table));
}
/// See `final_states`.
template <Backend B>
BasicAnyModel<B> with_head(BasicAnyModel<B> const& model, Buffer<float> head) {
  return model.with_head(std::move(head));
}

/// One conversation with a model of any type; see the general Session.
template <Backend B>
class Session<B, BasicAnyModel<B>> {
 public:
  using T = float;  ///< of the logits
  /// Nothing is fed yet.
  explicit Session(Prepared<B, BasicAnyModel<B>> prepared)
      : prepared_{std::move(prepared)}, session_{model().session(prepared_)} {}
  /// With packed weights of its own.
  Session(B on, BasicAnyModel<B> const& model) : Session(Prepared<B, BasicAnyModel<B>>(on, model)) {}
  /// Logits [V] of the token after `ids`; valid until the next call.
  std::span<float const> feed(std::span<std::int32_t const> ids) { return session_->feed(ids, {}); }
  /// The same, with log-likelihoods of the ids; see the general Session.
  std::span<float const> feed(std::span<std::int32_t const> ids, std::span<float> log_likelihoods) {
    return session_->feed(ids, log_likelihoods);
  }
  Vector<float const> state() const { return session_->state(); }       ///< of the last token, [C]; see Session::state
  std::int64_t position() const { return session_->position(); }        ///< tokens fed so far
  std::int64_t room() const { return model().context() - position(); }  ///< tokens that still fit
  void reset() { session_->reset(); }                                   ///< forgets everything
  void rewind(std::int64_t position) { session_->rewind(position); }    ///< see the general Session
  BasicAnyModel<B> const& model() const { return prepared_.model(); }   ///< a copy of what was given
  Prepared<B, BasicAnyModel<B>> const& prepared() const { return prepared_; }  ///< for more sessions like this one

 private:
  Prepared<B, BasicAnyModel<B>> prepared_;
  std::unique_ptr<typename BasicAnyModel<B>::AnySession> session_;
};

}  // namespace gt
