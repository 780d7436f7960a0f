// SPDX-License-Identifier: MIT
// metrics.jsonl: one JSON object a logged step, for machines.
#pragma once

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

#include "gt/base/error.hpp"
#include "gt/grow/grow.hpp"
#include "gt/io/json.hpp"

namespace gt {

/// Writes `stage` (from 1), `step`, `tokens`, `loss` (nats a token), `val_bits_per_byte` (null before the first look),
/// `tokens_per_second`, `lr`, `depth`, `active_parameters`; each line is flushed, so a run that is cut off leaves whole
/// lines. Errors: a file that cannot be written, when opened or later (a full disk).
template <class J = Json>
class MetricsLog : public GrowthObserver {
 public:
  explicit MetricsLog(std::string const& path) : path_{path}, file_{std::fopen(path.c_str(), "w")} {
    check(file_ != nullptr, "MetricsLog", "'", path, "' must be writable (got: ", std::strerror(errno), ")");
  }
  void step_done(StepDone const& s) override {
    if (!s.logged) return;
    J line{{"stage", s.stage + 1},
           {"step", s.step},
           {"tokens", s.tokens},
           {"loss", s.loss},
           {"val_bits_per_byte", s.bits_per_byte > 0 ? J(s.bits_per_byte) : J(nullptr)},
           {"tokens_per_second", s.tokens_per_second},
           {"lr", s.lr},
           {"depth", s.depth},
           {"active_parameters", s.active_parameters}};
    std::string const row = line.dump() + "\n";
    bool const written =
        std::fwrite(row.data(), 1, row.size(), file_.get()) == row.size() && std::fflush(file_.get()) == 0;
    check(written, "MetricsLog", "'", path_, "' must take another line (got: ", std::strerror(errno), ")");
  }

 private:
  struct Close {
    void operator()(std::FILE* f) const { std::fclose(f); }
  };
  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace gt
