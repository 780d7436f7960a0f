// SPDX-License-Identifier: MIT
// The last checkpoints of a growth run in its folder: when the newest is damaged, the run goes on from the one before.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/grow/observer.hpp"
#include "gt/io/json.hpp"
#include "gt/runs/checkpoint.hpp"

namespace gt::inline GT_ABI {

/// `checkpoint.safetensors` is the newest; the ones before it are `checkpoint-TOKENS.safetensors`, by the tokens that
/// they were trained on. The newest is there, whole, at any moment but before the first.
///
///     gt::CheckpointHistory history("runs/grow-1", 3);
///     history.save(model, state);                               // in GrowthObserver::checkpoint
///     auto const state = history.load(model, [](std::string const& sentence) { std::puts(sentence.c_str()); });
class CheckpointHistory {
 public:
  /// In `folder`, the last `keep` of them.   Errors: fewer than 1.
  explicit CheckpointHistory(std::string folder, int keep = 1);

  std::string newest() const { return folder_ + "/checkpoint.safetensors"; }  ///< whether it is there or not
  /// Those before the newest that are there, the latest first.
  std::vector<std::string> older() const;

  /// Adds a checkpoint, and removes what is more than the last `keep`, or was trained on as many tokens or more: what a
  /// run that goes on from an earlier one has left behind.   Errors: files that cannot be written; all stays then.
  template <class Model>
  void save(Model const& model, GrowthState const& state) {
    if (keep_ > 1) {
      if (!newest_tokens_) newest_tokens_ = tokens_in(newest());
      if (*newest_tokens_ > 0 && *newest_tokens_ < state.tokens) set_aside(*newest_tokens_);
    }
    save_checkpoint<Model>(model, state, newest());
    newest_tokens_ = state.tokens;
    int left = keep_ - 1;
    for (auto const tokens : older_tokens())
      if (tokens >= state.tokens || left-- <= 0) std::remove(path_of(tokens).c_str());
  }

  /// Reads the newest checkpoint that is whole (see load_checkpoint). `tell(std::string)` hears a sentence for each
  /// that is not, if there is one before it.   Errors: those of load_checkpoint for the newest, when none can be read.
  template <class Model, class Tell>
  GrowthState load(Model& model, Tell const& tell) {
    std::vector<std::pair<std::string, std::int64_t>> all{{newest(), 0}};
    for (auto const tokens : older_tokens()) all.emplace_back(path_of(tokens), tokens);
    std::optional<Error> first;
    std::vector<std::string> sentences;
    for (std::size_t i = 0; i < all.size(); ++i) {
      try {
        GrowthState state = load_checkpoint<Model>(model, all[i].first);
        newest_tokens_ = i == 0 ? state.tokens : -1;  // a damaged one is not set aside
        for (auto const& sentence : sentences) tell(sentence);
        return state;
      } catch (Error const& error) {
        if (!first) first = error;
        if (i + 1 < all.size())
          sentences.push_back(text(error.what(), "; going back to the checkpoint before, '", all[i + 1].first, "'"));
      }
    }
    throw *first;
  }

  /// Whether a name in the folder is that of a checkpoint.
  static bool is_name(std::string_view name) { return name == "checkpoint.safetensors" || tokens_of(name) >= 0; }

 private:
  static constexpr std::string_view prefix = "checkpoint-", suffix = ".safetensors";

  std::string path_of(std::int64_t tokens) const { return text(folder_, "/", prefix, tokens, suffix); }
  // Of the name of an older one; -1 for any other name.
  static std::int64_t tokens_of(std::string_view name);
  // The greatest first.
  std::vector<std::int64_t> older_tokens() const;
  // -1 for a file that is missing or damaged.
  static std::int64_t tokens_in(std::string const& path);
  // Gives the newest a second name, under which it stays when the next one takes its place.
  void set_aside(std::int64_t tokens) const;

  std::string folder_;
  int keep_;
  std::optional<std::int64_t> newest_tokens_;  // of the newest; -1: it is not to be kept; none: not known yet
};

}  // namespace gt

#if !defined(GT_PREBUILT)
  #include "gt/runs/checkpoint_history_impl.hpp"
#endif
