// SPDX-License-Identifier: MIT
// The terminal's view of a run: one live line a stage.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>

#include "gt/backend/cpu/isa.hpp"
#include "gt/backend/cpu/threads.hpp"
#include "gt/base/clock.hpp"
#include "gt/base/error.hpp"
#include "gt/base/format.hpp"
#include "gt/grow/observer.hpp"

#if defined(__unix__) || defined(__APPLE__)
  #include <sys/ioctl.h>
  #include <unistd.h>
#endif

namespace gt::inline GT_ABI {

/// Whether a stream is a terminal, where a line can be rewritten.
inline bool is_terminal([[maybe_unused]] std::FILE* stream) {
#if defined(__unix__) || defined(__APPLE__)
  return ::isatty(::fileno(stream)) != 0;
#else
  return false;
#endif
}

/// A sentence to warn with when the program was built for the baseline of its machine or without threads; else empty.
/// Threaded tells apart translation units with and without OpenMP.
template <Isa I = native_isa, bool Threaded = has_threads>
std::string build_warning() {
  std::string warning;
  if constexpr (I == Isa::sse2 || I == Isa::scalar) {
    warning += text("built for ", name(I),
                    ", the baseline: link gt::native (or pass -march=native) to run several times faster");
  }
  if constexpr (!Threaded) {
    warning += text(warning.empty() ? "" : "; ", "built without OpenMP: one thread only");
  }
  return warning;
}

/// Shows a run on a stream: the instruction set and the threads once, then for each stage one line that is rewritten
/// while it runs (where the stream is a terminal; elsewhere a line for each look at held-out text, and after ten
/// seconds without one).
class ProgressLine : public GrowthObserver {
 public:
  /// `peak` is the machine's limit in floating-point operations a second (see measure_peak), of which a share is shown;
  /// 0 shows none. `warning` is said once.
  explicit ProgressLine(std::FILE* out = stderr, double peak = 0, std::string warning = build_warning())
      : out_{out}, peak_{peak}, warning_{std::move(warning)}, terminal_{is_terminal(out)} {}

  /// Names the instruction set, the threads and the machine's limit, and warns; once, at the latest when a run starts.
  void introduce(char const* instruction_set, int threads) {
    if (std::exchange(introduced_, true)) return;
    std::string const limit = peak_ > 0 ? ", at most " + short_number(peak_, "FLOP/s") : "";
    std::fprintf(out_, "running on %s, %d thread%s%s\n", instruction_set, threads, threads == 1 ? "" : "s",
                 limit.c_str());
    if (!warning_.empty()) std::fprintf(out_, "warning: %s\n", warning_.c_str());
  }
  void stage_starts(StageStart const& s) override {
    introduce(s.instruction_set, s.threads);
    start_ = s, shown_ = seconds_now();
    if (terminal_)
      show(text("stage ", s.stage + 1, "/", s.stages, "  ", s.depth, " blocks  looking at held-out text ..."));
  }
  void step_done(StepDone const& s) override {
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
  void looking(LookProgress const& s) override {
    if (!terminal_ && seconds_since(shown_) < 10) return;
    double const part = static_cast<double>(s.done) / static_cast<double>(s.of);
    show(text("stage ", s.stage + 1, "/", start_.stages, "  ", s.depth, " blocks  looking at held-out text  ",
              decimals(100 * part, 0), " %  ", short_time(s.seconds / part - s.seconds), " left"));
  }
  void stage_done(StageDone const&) override { end_line(); }
  ProgressLine(ProgressLine const&) = delete;
  ProgressLine& operator=(ProgressLine const&) = delete;
  ~ProgressLine() override { end_line(); }  // a run that ends early leaves its last line whole

 private:
  void show(std::string line) {
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
  void end_line() {
    if (std::exchange(open_, false)) std::fputc('\n', out_);
  }

  std::FILE* out_;
  double peak_;
  std::string warning_;
  StageStart start_;
  double shown_ = 0;  // when it last said something
  bool terminal_, introduced_ = false, open_ = false;
};

/// Watch a run on the terminal.
inline ProgressLine progress_bar() { return ProgressLine{}; }

}  // namespace gt
