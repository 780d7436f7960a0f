// SPDX-License-Identifier: MIT
// metrics.jsonl: one JSON object a logged step, for machines.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/grow/observer.hpp"
#include "gt/io/atomic_file.hpp"
#include "gt/io/json.hpp"
#include "gt/io/text_file.hpp"
#include "gt/runs/record.hpp"

namespace gt::inline GT_ABI {

/// Writes `stage` (from 1), `step`, `tokens`, `loss` (nats a token), `gradient_norm` (before clipping),
/// `val_bits_per_byte` (null before the first look) and whether it was `evaluated` in this step, `seconds` (since the
/// run began, looks included), `tokens_per_second`, `lr`, `depth`, `active_parameters`; each line is flushed, so a run
/// that is cut off leaves whole lines. Errors: a file that cannot be written, when opened or later (a full disk).
class MetricsLog : public GrowthObserver {
 public:
  /// A new file; or, of a run that goes on from a state, the old one without the lines of steps that are made again.
  explicit MetricsLog(std::string const& path, GrowthState const* resumed = nullptr) : path_{path} {
    if (resumed) keep_until(*resumed);
    file_.reset(std::fopen(path.c_str(), resumed ? "a" : "w"));
    check(file_ != nullptr, "MetricsLog", "'", path, "' must be writable (got: ", std::strerror(errno), ")");
  }
  void step_done(StepDone const& s) override {
    if (!s.logged) return;
    std::string const row = detail::to_json(s).dump() + "\n";
    bool const written =
        std::fwrite(row.data(), 1, row.size(), file_.get()) == row.size() && std::fflush(file_.get()) == 0;
    check(written, "MetricsLog", "'", path_, "' must take another line (got: ", std::strerror(errno), ")");
  }

  /// The steps of a file; what its lines do not have is as in a new StepDone: `steps`, `look_tokens`, `seconds`,
  /// `step_flops`.   Errors: a file that is missing or not one of these.
  static std::vector<StepDone> read(std::string const& path) {
    std::vector<StepDone> steps;
    for (auto const& [step, line] : rows(path)) steps.push_back(step);
    return steps;
  }

 private:
  struct Row {
    StepDone step;
    std::string line;
  };
  struct Close {
    void operator()(std::FILE* f) const { std::fclose(f); }
  };

  static std::vector<Row> rows(std::string const& path) {
    std::string const where = text("MetricsLog '", path, "'"), all = read_text_file(path, any_bytes);
    std::vector<Row> rows;
    for (std::size_t begin = 0; begin < all.size();) {
      std::size_t const end = all.find('\n', begin);
      if (end == std::string::npos) break;  // cut off while it was written
      std::string line = all.substr(begin, end - begin);
      begin = end + 1;
      auto step = detail::from_json<StepDone>(parse_json(line, where), where);
      step.logged = true;
      rows.push_back({step, std::move(line)});
    }
    return rows;
  }
  void keep_until(GrowthState const& state) {
    std::string kept;
    for (auto const& [step, line] : rows(path_)) {
      if (step.stage < state.stage || (step.stage == state.stage && step.step <= state.step)) kept += line + "\n";
    }
    io::write_file_atomically(path_, kept);
  }

  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace gt
