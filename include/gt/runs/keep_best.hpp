// SPDX-License-Identifier: MIT
// Keeps the model of a growth run as it was at its best look at held-out text.
#pragma once

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/core/backend.hpp"
#include "gt/formats/hugging_face/model_folder.hpp"
#include "gt/grow/grow_options.hpp"
#include "gt/grow/observer.hpp"
#include "gt/io/atomic_file.hpp"
#include "gt/io/json.hpp"
#include "gt/io/text_file.hpp"
#include "gt/text/tokenizer.hpp"
#include "gt/text/tokens.hpp"
#include "gt/train/evaluate.hpp"

namespace gt::inline GT_ABI {

/// A look at held-out text: where a run stood, and what it saw.
struct BestLook {
  std::size_t stage = 0;                                           ///< from 0
  std::int64_t step = 0, tokens = 0;                               ///< in the stage, from 1; trained on, all stages
  double bits_per_byte = std::numeric_limits<double>::infinity();  ///< on the tokens that every look reads
  std::int64_t looks = 0;                                          ///< that it is the best of, itself included
};

/// Saves the model into `folder` (see `save`) whenever a look is better than all before it, and beside it `look.json`,
/// which says of which look it is, and of how many it is the best. All looks are compared on the same text, what one on
/// the way reads; so at the end of a stage, where a run may read more, this observer looks once more, unless
/// `GrowOptions::stop` says so. Adapters are merged in what is saved. Saving takes a copy of the model while it lasts.
template <Backend B, class Model>
class KeepBest : public GrowthObserver {
 public:
  /// `resumed`: the run goes on, and what `folder` holds is its best so far. `bytes_of_tokens` as `grow` takes it.
  /// Errors: a look.json that cannot be read.
  KeepBest(B on, Model const& model, Tokenizer tokenizer, Tokens held_out, std::vector<std::int32_t> bytes_of_tokens,
           GrowOptions const& options, std::string folder, bool resumed = false)
      : on_{on},
        model_{model},
        tokenizer_{std::move(tokenizer)},
        held_out_{std::move(held_out)},
        most_{options.evaluation_tokens},
        stop_{options.stop},
        evaluate_(on, {options.batch, options.context > 0 ? options.context : model.context()},
                  std::move(bytes_of_tokens)),
        folder_{std::move(folder)} {
    if (resumed) read_look();
  }

  void step_done(StepDone const& s) override {
    if (!s.evaluated) return;
    double bits = s.bits_per_byte;
    if (most_ > 0 && s.look_tokens > most_) {
      auto const seen = evaluate_(model_, held_out_, most_, [&](auto, auto) { return !stop_ || !stop_(); });
      if (!seen.complete) return;
      bits = seen.bits_per_byte();
    }
    if (std::pair const now{s.stage, s.step}; last_ < now) last_ = now, ++best_.looks;  // not one that is made again
    if (bits < best_.bits_per_byte) {
      best_ = {s.stage, s.step, s.tokens, bits, best_.looks};
      Model copy = model_.clone();
      copy.merge_adapters(on_);
      copy.freeze();
      save(copy, tokenizer_, folder_);
    }
    if (best_.step > 0) write_look();
  }
  /// The best look so far; infinitely bad before the first.
  BestLook const& best() const { return best_; }

 private:
  std::string path() const { return folder_ + "/look.json"; }
  void write_look() const {
    Json const json{{"stage", best_.stage + 1}, {"step", best_.step},
                    {"tokens", best_.tokens},   {"val_bits_per_byte", best_.bits_per_byte},
                    {"looks", best_.looks},     {"last_look", {last_.first + 1, last_.second}}};
    io::write_file_atomically(path(), dump_json(json, "KeepBest") + "\n");
  }
  // Missing where the run was stopped before its first look, or between a model and its look, which is then seen again.
  void read_look() {
    if (::access(path().c_str(), F_OK) != 0) return;
    std::string const where = text("KeepBest '", path(), "'");
    Json const json = parse_json(read_text_file(path()), where);
    best_ = {json_get<std::size_t>(json, "stage", where) - 1, json_get<std::int64_t>(json, "step", where),
             json_get<std::int64_t>(json, "tokens", where), json_get<double>(json, "val_bits_per_byte", where)};
    if (!json.contains("looks")) return;  // younger than the rest
    best_.looks = json_get<std::int64_t>(json, "looks", where);
    auto const last = json_get<std::vector<std::int64_t>>(json, "last_look", where);
    check(last.size() == 2 && last[0] >= 1, where, "last_look must be a stage and a step");
    last_ = {static_cast<std::size_t>(last[0] - 1), last[1]};
  }

  B on_;
  Model const& model_;
  Tokenizer tokenizer_;
  Tokens held_out_;
  std::int64_t most_;
  std::function<bool()> stop_;
  Evaluator<B, Model> evaluate_;
  std::string folder_;
  BestLook best_;
  std::pair<std::size_t, std::int64_t> last_;  // stage and step of the last look that was counted
};

}  // namespace gt
