// SPDX-License-Identifier: MIT
// The terminal's view of a run: one live line a stage.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>

#include "gt/backend/cpu/isa.hpp"
#include "gt/backend/cpu/threads.hpp"
#include "gt/base/error.hpp"
#include "gt/grow/observer.hpp"

#if defined(__unix__) || defined(__APPLE__)
  #include <sys/ioctl.h>
  #include <unistd.h>
#endif

namespace gt::inline GT_ABI {

/// Whether a stream is a terminal, where a line can be rewritten.
bool is_terminal([[maybe_unused]] std::FILE* stream);

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
  void introduce(char const* instruction_set, int threads);
  void stage_starts(StageStart const& s) override;
  void step_done(StepDone const& s) override;
  void looking(LookProgress const& s) override;
  void stage_done(StageDone const&) override { end_line(); }
  ProgressLine(ProgressLine const&) = delete;
  ProgressLine& operator=(ProgressLine const&) = delete;
  ~ProgressLine() override { end_line(); }  // a run that ends early leaves its last line whole

 private:
  void show(std::string line);
  void end_line();

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

#if !defined(GT_PREBUILT)
  #include "gt/runs/progress_impl.hpp"
#endif
