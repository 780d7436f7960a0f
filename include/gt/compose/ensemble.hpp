// SPDX-License-Identifier: MIT
// Several models on one substrate and one tokenizer, merged by mixing their logits: parameter-free, at inference.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/compose/fusion_adapter.hpp"
#include "gt/compose/mixing.hpp"
#include "gt/core/backend.hpp"
#include "gt/core/buffer.hpp"
#include "gt/core/view.hpp"
#include "gt/infer/language_model.hpp"

namespace gt::inline GT_ABI {

/// A model, and what an ensemble compares it and calls it by.
template <LanguageModel Model>
struct Expert {
  Model model;              ///< shared with whoever has a copy
  std::string name{};       ///< for errors and tables; empty: "expert 1", "expert 2", ... by its place
  std::string tokenizer{};  ///< fingerprint of the tokenizer that it learned with; empty: not known, and not compared
  std::string folder{};     ///< that it was loaded from, where it was
};

/// What an Ensemble may be told beside its experts and their mixing.
struct EnsembleOptions {
  /// Lets experts stand on different substrates. Averaging needs one vocabulary only; that it works without a shared
  /// frozen table is the honest control of the paper's claim.
  bool any_substrate = false;
};

/// Two or more experts of one type, each with blocks and a head of its own; their depths may differ. Every expert reads
/// every token, and their logits are mixed (see Mixing): cost adds up, as in no gated mixture of experts.
///
///     gt::Ensemble const both({austen, darwin});                             // the mean of logits
///     gt::Ensemble const led({austen, darwin}, gt::posterior_weights());     // who predicts the text so far leads
///     gt::generate(both, tokenizer, "It is a truth", {.max_tokens = 100}, std::cout);
///     double const bits = gt::score(both, tokenizer, text).bits_per_byte();
///
/// `Session`, `generate`, `score`, `token_losses`, `logits` and `Evaluator` take it as they take a model. Experts whose
/// widths are known at run time only are an Ensemble<AnyModel>. Copies share all weights. The frozen table is held once
/// in memory: experts that were loaded one by one, and whose tables have equal bits, stand on the first one's.
/// Source: arXiv:2507.07129v1, section 3.1.
template <LanguageModel Model>
class Ensemble {
 public:
  using scalar = typename Model::scalar;  ///< of weights and logits
  using expert_type = Model;              ///< of each

  /// Errors, naming the expert: fewer than two; another vocabulary, width, tokenizer or substrate than the first one's;
  /// weights that do not fit.
  explicit Ensemble(std::vector<Expert<Model>> experts, Mixing mixing = {}, EnsembleOptions options = {})
      : experts_{std::move(experts)}, mixing_{std::move(mixing)}, options_{options} {
    check(experts_.size() >= 2, "Ensemble", "there must be at least two experts (got ", experts_.size(), ")");
    for (std::size_t i = 0; i < experts_.size(); ++i) {
      if (experts_[i].name.empty()) experts_[i].name = text("expert ", i + 1);
      check_expert(experts_[i]);
    }
    weights_ = normalised_weights(mixing_, experts_.size());
    share_table();
  }
  /// Experts that are called by their places.
  explicit Ensemble(std::vector<Model> const& models, Mixing mixing = {}, EnsembleOptions options = {})
      : Ensemble(experts_of(models), std::move(mixing), options) {}
  /// The same from a list, `Ensemble({a, b})`.
  Ensemble(std::initializer_list<Model> models, Mixing mixing = {}, EnsembleOptions options = {})
      : Ensemble(experts_of(models), std::move(mixing), options) {}

  /// Shares what is frozen; what was given to a trainer is copied (see train_heads, train_adapter).
  Ensemble(Ensemble const& other)
      : experts_{other.experts_},
        mixing_{other.mixing_},
        options_{other.options_},
        weights_{other.weights_},
        adapter_{other.adapter_},
        owns_heads_{other.owns_heads_},
        trains_heads_{other.trains_heads_},
        trains_adapter_{other.trains_adapter_} {
    if (trains_heads_) own_heads();
    if (trains_adapter_) adapter_ = adapter_->clone();
  }
  Ensemble(Ensemble&&) noexcept = default;
  /// As the constructors.
  Ensemble& operator=(Ensemble const& other) {
    if (this != &other) *this = Ensemble(other);
    return *this;
  }
  Ensemble& operator=(Ensemble&&) noexcept = default;
  ~Ensemble() = default;

  std::vector<Expert<Model>> const& experts() const { return experts_; }  ///< in the order given
  /// The weights of all experts: what a backend may prepare once, for several experts where they share them.
  std::vector<ConstantMemory> constant_weights() const {
    std::vector<ConstantMemory> all;
    for (auto const& e : experts_) {
      auto const weights = nn::constant_weights(e.model);
      all.insert(all.end(), weights.begin(), weights.end());
    }
    return all;
  }
  std::size_t size() const { return experts_.size(); }  ///< N, how many
  /// Expert i.
  Model const& expert(std::size_t i) const { return experts_[i].model; }
  BlockConfig const& config() const { return expert(0).config(); }  ///< of the first one's blocks; all have its width
  std::int64_t vocab() const { return expert(0).vocab(); }          ///< V
  /// Tokens that a sequence may have: the least that any expert's has.
  std::int64_t context() const {
    std::int64_t least = expert(0).context();
    for (auto const& e : experts_) least = std::min(least, std::int64_t{e.model.context()});
    return least;
  }
  /// Blocks of the deepest.
  int depth() const {
    int most = 0;
    for (auto const& e : experts_) most = std::max(most, e.model.depth());
    return most;
  }
  /// Of the table that all stand on.
  std::string const& substrate_fingerprint() const { return expert(0).substrate_fingerprint(); }
  /// Of the tokenizer that all learned with; empty where no expert says so.
  std::string tokenizer_fingerprint() const {
    for (auto const& e : experts_) {
      if (!e.tokenizer.empty()) return e.tokenizer;
    }
    return "";
  }
  Mixing const& mixing() const { return mixing_; }              ///< as it was given
  std::span<double const> weights() const { return weights_; }  ///< [N], normalised; with `posterior` the prior
  EnsembleOptions const& options() const { return options_; }   ///< as they were given
  /// The same experts, mixed otherwise.   Errors: weights that do not fit.
  Ensemble with(Mixing mixing) const {
    Ensemble other = *this;
    other.weights_ = normalised_weights(mixing, size());
    other.mixing_ = std::move(mixing);
    return other;
  }

  /// The correction of the mixed logits; null without one.
  FusionAdapter<scalar> const* adapter() const { return adapter_ ? &*adapter_ : nullptr; }
  /// A fresh adapter, which changes nothing before it trains.
  void add_adapter(FusionOptions const& options = {}) {
    adapter_.emplace(static_cast<int>(size()), config().d_model, vocab(), options);
  }
  /// One that exists.   Errors: another number of experts, width or vocabulary.
  void set_adapter(FusionAdapter<scalar> adapter) {
    check(adapter.experts() == static_cast<int>(size()) && adapter.d_model() == config().d_model &&
              adapter.vocab() == vocab(),
          "Ensemble::set_adapter", "the adapter must be of ", size(), " experts of width ", config().d_model, " and ",
          vocab(), " tokens (got ", adapter.experts(), ", ", adapter.d_model(), " and ", adapter.vocab(), ")");
    adapter_ = std::move(adapter);
  }
  /// Gives every expert a copy of its head, so that training it changes no other model.
  void own_heads() {
    for (auto& e : experts_) e.model = with_head(e.model, e.model.head_buffer().clone());
    owns_heads_ = true;
  }
  /// Puts a final norm and head, laid out as `head_buffer()`, in place of expert i's.   Errors: another size.
  void set_head(std::size_t i, Buffer<scalar> head) {
    experts_[i].model = with_head(experts_[i].model, std::move(head));
    owns_heads_ = true;
  }
  /// The same, and copies of this ensemble get copies of their own from now on: the heads train.
  void train_heads() { own_heads(), trains_heads_ = true; }
  /// Gives the adapter, if there is one, numbers of its own, and copies of this ensemble copies of them: it trains.
  void train_adapter() {
    if (adapter_) adapter_ = adapter_->clone(), trains_adapter_ = true;
  }
  bool owns_heads() const { return owns_heads_; }  ///< whether heads may differ from those the experts came with

  /// How many frozen tables are held in memory; 1 where all stand on the same bits.
  std::size_t table_count() const {
    std::set<scalar const*> tables;
    for (auto const& e : experts_) tables.insert(e.model.table().data());
    return tables.size();
  }

 private:
  static std::vector<Expert<Model>> experts_of(std::span<Model const> models) {
    std::vector<Expert<Model>> experts;
    for (auto const& model : models) experts.push_back({.model = model});
    return experts;
  }
  static std::vector<Expert<Model>> experts_of(std::initializer_list<Model> models) {
    return experts_of(std::span<Model const>(models.begin(), models.size()));
  }

  void check_expert(Expert<Model> const& e) const {
    auto const& first = experts_.front();
    auto const same = [&](auto const& is, auto const& was, char const* what) {
      check(is == was, "Ensemble", "'", e.name, "' must have the ", what, " of '", first.name, "' (got ", is,
            " where that has ", was, ")");
    };
    same(e.model.vocab(), first.model.vocab(), "vocabulary size");
    same(e.model.config().d_model, first.model.config().d_model, "width");
    if (!e.tokenizer.empty() && !tokenizer_fingerprint().empty())
      same(e.tokenizer, tokenizer_fingerprint(), "tokenizer");
    if (!options_.any_substrate)
      same(e.model.substrate_fingerprint(), first.model.substrate_fingerprint(), "substrate");
  }
  // Tables of one definition may differ in last bits, when other compilers drew them; those stay apart.
  void share_table() {
    if constexpr (std::same_as<scalar, float>) {
      auto const first = std::make_shared<Model const>(expert(0));
      Matrix<float const> const table = first->table();
      Buffer<float> const shared =
          Buffer<float>::wrap(std::shared_ptr<float>(first, const_cast<float*>(table.data())), table.size());
      for (auto& e : experts_) {
        Matrix<float const> const own = e.model.table();
        bool const same =
            own.data() != table.data() && same_shape(own, table) &&
            std::memcmp(own.data(), table.data(), sizeof(float) * static_cast<std::size_t>(own.size())) == 0;
        if (same) e.model = with_table(e.model, shared);
      }
    }
  }

  std::vector<Expert<Model>> experts_;
  Mixing mixing_;
  EnsembleOptions options_;
  std::vector<double> weights_;
  std::optional<FusionAdapter<scalar>> adapter_;
  bool owns_heads_ = false, trains_heads_ = false, trains_adapter_ = false;
};

}  // namespace gt
