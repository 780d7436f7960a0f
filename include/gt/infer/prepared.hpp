// SPDX-License-Identifier: MIT
// A model made ready for a backend: what never changes is prepared once, for all that read it.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "gt/core/backend.hpp"
#include "gt/nn/passes.hpp"

namespace gt::inline GT_ABI {

/// A model and the backend that it runs on, with the model's weights packed for it once, as many numbers again:
///
///     gt::Prepared const prepared(gt::Cpu<>(1), model);
///     gt::Session ann(prepared), ben(prepared);          // on a thread of its own each, if you like
///     gt::generate(prepared, tokenizer, "She was", {}, print);
///
/// It is cheap to copy: copies share everything, and any number of threads may use them at once. A weight is packed
/// when a product first reads it, as only then is it known which are read, and in which form; a thread that finds
/// another one at it does not wait, but reads that weight as it lies. The bits are those of the model itself.
///
/// The model's weights live as long as this does, and stay as they are: what trains, is merged or drawn anew is copied
/// first where it is shared. So it is what the model was when it was prepared; a change needs a new one. (Who writes
/// through pointers to weights calls `unshare` before.)
template <Backend B, class Model>
class Prepared {
 public:
  using scalar = typename Model::scalar;  ///< of weights and results

  /// A Transformer, a BasicAnyModel or an Ensemble. Of the ensemble's weights those too are packed once that several
  /// experts share. An `on` that measures is for one thread's calls (see Cpu::profiled).
  Prepared(B on, Model model) : Prepared(std::make_shared<Held const>(std::move(model), on)) {}

  B const& on() const { return held_->on; }                     ///< the backend, which keeps what is packed
  Model const& model() const { return held_->model; }           ///< shares all weights with what was given
  std::int64_t bytes() const { return kept_bytes(held_->on); }  ///< that packed weights take so far
  /// A model that is part of this one, such as an expert: it shares what is packed.
  template <class Part>
  Prepared<B, Part> part(Part model) const {
    using HeldPart = typename Prepared<B, Part>::Held;
    return Prepared<B, Part>(std::make_shared<HeldPart const>(std::move(model), *this));
  }

 private:
  template <Backend, class>
  friend class Prepared;

  struct Held {
    Model model;
    B on;
    Held(Model m, B const& plain) : model{std::move(m)}, on{keeping(plain, nn::constant_weights(model))} {}
    template <class Whole>
    Held(Model m, Prepared<B, Whole> const& whole) : model{std::move(m)}, on{whole.on()} {}
  };
  explicit Prepared(std::shared_ptr<Held const> held) : held_{std::move(held)} {}

  std::shared_ptr<Held const> held_;
};

}  // namespace gt
