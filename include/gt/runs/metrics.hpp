// SPDX-License-Identifier: MIT
// metrics.jsonl: one JSON object a logged step, for machines.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
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
    Json line{{"stage", s.stage + 1},
              {"step", s.step},
              {"tokens", s.tokens},
              {"loss", s.loss},
              {"gradient_norm", s.gradient_norm},
              {"val_bits_per_byte", s.bits_per_byte > 0 ? Json(s.bits_per_byte) : Json(nullptr)},
              {"evaluated", s.evaluated},
              {"seconds", seconds_before_ + s.seconds},
              {"tokens_per_second", s.tokens_per_second},
              {"lr", s.lr},
              {"depth", s.depth},
              {"active_parameters", s.active_parameters}};
    std::string const row = line.dump() + "\n";
    bool const written =
        std::fwrite(row.data(), 1, row.size(), file_.get()) == row.size() && std::fflush(file_.get()) == 0;
    check(written, "MetricsLog", "'", path_, "' must take another line (got: ", std::strerror(errno), ")");
  }
  void stage_done(StageDone const& done) override { seconds_before_ += done.seconds; }

  /// The lines of a file, as points of a report.   Errors: a file that is missing or not one of these.
  static std::vector<ReportPoint> read(std::string const& path) {
    std::vector<ReportPoint> points;
    for (auto const& [point, line] : rows(path)) points.push_back(point);
    return points;
  }

 private:
  struct Row {
    ReportPoint point;
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
      Json const json = parse_json(line, where);
      auto const number = [&](char const* key) { return json_get<double>(json, key, where); };
      ReportPoint point;
      point.stage = json_get<std::size_t>(json, "stage", where) - 1;
      point.step = json_get<std::int64_t>(json, "step", where);
      point.tokens = json_get<std::int64_t>(json, "tokens", where);
      point.seconds = number("seconds"), point.loss = number("loss"), point.lr = number("lr");
      point.tokens_per_second = number("tokens_per_second");
      if (json.contains("gradient_norm")) point.gradient_norm = number("gradient_norm");  // younger than the rest
      if (json_get<bool>(json, "evaluated", where) && !json_get<Json>(json, "val_bits_per_byte", where).is_null())
        point.bits_per_byte = number("val_bits_per_byte");
      rows.push_back({point, std::move(line)});
    }
    return rows;
  }
  void keep_until(GrowthState const& state) {
    std::string kept;
    for (auto const& [point, line] : rows(path_)) {
      if (point.stage < state.stage || (point.stage == state.stage && point.step <= state.step)) kept += line + "\n";
    }
    io::write_file_atomically(path_, kept);
    for (auto const& stage : state.stages) seconds_before_ += stage.seconds;
  }

  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
  double seconds_before_ = 0;
};

}  // namespace gt
