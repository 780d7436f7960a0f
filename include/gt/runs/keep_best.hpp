// SPDX-License-Identifier: MIT
// Keeps the model of a growth run as it was at its best look at held-out text.
#pragma once

#include <unistd.h>

#include <cstddef>
#include <cstdint>
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
};

/// Saves the model into `folder` (see `save`) whenever a look is better than all before it, and beside it `look.json`,
/// which says of which look it is. All looks are compared on the same text, the first `evaluation_tokens` held-out
/// ones; so at the end of a stage, where a run looks at all of it, this observer looks once more. Adapters are merged
/// in what is saved. Saving takes a copy of the model while it lasts.
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
        evaluate_(on, {options.batch, options.context > 0 ? options.context : model.context()},
                  std::move(bytes_of_tokens)),
        folder_{std::move(folder)} {
    if (resumed) read_look();
  }

  void step_done(StepDone const& s) override {
    if (!s.evaluated) return;
    bool const at_all_of_it = s.step == s.steps && most_ > 0 && most_ < held_out_.size() - 1;
    double const bits = at_all_of_it ? evaluate_(model_, held_out_, most_).bits_per_byte() : s.bits_per_byte;
    if (!(bits < best_.bits_per_byte)) return;
    BestLook const look{s.stage, s.step, s.tokens, bits};
    Model copy = model_.clone();
    copy.merge_adapters(on_);
    copy.freeze();
    save(copy, tokenizer_, folder_);
    write_look(look);
    best_ = look;
  }
  /// The best look so far; infinitely bad before the first.
  BestLook const& best() const { return best_; }

 private:
  std::string path() const { return folder_ + "/look.json"; }
  template <class J = Json>
  void write_look(BestLook const& look) const {
    J const json{{"stage", look.stage + 1},
                 {"step", look.step},
                 {"tokens", look.tokens},
                 {"val_bits_per_byte", look.bits_per_byte}};
    write_file_atomically(path(), dump_json(json, "KeepBest") + "\n");
  }
  // Missing where the run was stopped before its first look, or between a model and its look, which is then seen again.
  template <class J = Json>
  void read_look() {
    if (::access(path().c_str(), F_OK) != 0) return;
    std::string const where = text("KeepBest '", path(), "'");
    J const json = parse_json<J>(read_text_file(path()), where);
    best_ = {json_get<std::size_t>(json, "stage", where) - 1, json_get<std::int64_t>(json, "step", where),
             json_get<std::int64_t>(json, "tokens", where), json_get<double>(json, "val_bits_per_byte", where)};
  }

  B on_;
  Model const& model_;
  Tokenizer tokenizer_;
  Tokens held_out_;
  std::int64_t most_;
  Evaluator<B, Model> evaluate_;
  std::string folder_;
  BestLook best_;
};

}  // namespace gt
