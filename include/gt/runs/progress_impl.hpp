// SPDX-License-Identifier: MIT
// What gt/runs/progress.hpp declares.
#pragma once

#include <cstdio>
#include <string>
#include <utility>

#include "gt/base/clock.hpp"
#include "gt/base/error.hpp"
#include "gt/base/format.hpp"
#include "gt/base/macros.hpp"
#include "gt/grow/observer.hpp"
#include "gt/runs/progress.hpp"

namespace gt::inline GT_ABI {

GT_FN bool is_terminal([[maybe_unused]] std::FILE* stream) {
#if defined(__unix__) || defined(__APPLE__)
  return ::isatty(::fileno(stream)) != 0;
#else
  return false;
#endif
}

GT_FN void ProgressLine::introduce(char const* instruction_set, int threads) {
  if (std::exchange(introduced_, true)) return;
  std::string const limit = peak_ > 0 ? ", at most " + short_number(peak_, "FLOP/s") : "";
  std::fprintf(out_, "running on %s, %d thread%s%s\n", instruction_set, threads, threads == 1 ? "" : "s",
               limit.c_str());
  if (!warning_.empty()) std::fprintf(out_, "warning: %s\n", warning_.c_str());
}

GT_FN void ProgressLine::stage_starts(StageStart const& s) {
  introduce(s.instruction_set, s.threads);
  start_ = s, shown_ = seconds_now();
  if (terminal_)
    show(text("stage ", s.stage + 1, "/", s.stages, "  ", s.depth, " blocks  looking at held-out text ..."));
}

GT_FN void ProgressLine::step_done(StepDone const& s) {
  if (!terminal_ && !s.evaluated && seconds_since(shown_) < 10) return;
  double const left = s.seconds / static_cast<double>(s.step) * static_cast<double>(s.steps - s.step);
  std::string line = text("stage ", s.stage + 1, "/", start_.stages, "  ", s.depth, " blocks  step ", s.step, "/",
                          s.steps, "  loss ", decimals(s.loss, 3));
  if (s.bits_per_byte > 0) line += "  held-out " + decimals(s.bits_per_byte, 3) + " bits/byte";
  line += "  " + short_number(s.tokens_per_second) + " tok/s";
  if (peak_ > 0) {
    double const step_seconds = static_cast<double>(start_.tokens_per_step) / s.tokens_per_second;
    double const flops = s.step_flops > 0 ? s.step_flops : start_.step_flops;
    line += "  " + decimals(100 * flops / step_seconds / peak_, 0) + " % of peak";
  }
  show(line + "  " + short_time(left) + " left");
}

GT_FN void ProgressLine::looking(LookProgress const& s) {
  if (!terminal_ && seconds_since(shown_) < 10) return;
  double const part = static_cast<double>(s.done) / static_cast<double>(s.of);
  show(text("stage ", s.stage + 1, "/", start_.stages, "  ", s.depth, " blocks  looking at held-out text  ",
            decimals(100 * part, 0), " %  ", short_time(s.seconds / part - s.seconds), " left"));
}

GT_FN void ProgressLine::show(std::string line) {
  shown_ = seconds_now();
  if (!terminal_) {
    std::fprintf(out_, "%s\n", line.c_str());
  } else {
    std::size_t columns = 120;
#if defined(__unix__) || defined(__APPLE__)
    winsize size{};
    if (::ioctl(::fileno(out_), TIOCGWINSZ, &size) == 0 && size.ws_col > 1) columns = size.ws_col - 1U;
#endif
    if (line.size() > columns) line.resize(columns);  // a wrapped line could not be rewritten
    std::fprintf(out_, "\r\033[K%s", line.c_str());
    open_ = true;
  }
  std::fflush(out_);
}

GT_FN void ProgressLine::end_line() {
  if (std::exchange(open_, false)) std::fputc('\n', out_);
}

}  // namespace gt
