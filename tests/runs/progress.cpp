// SPDX-License-Identifier: MIT
// The view of a run: lines where nobody watches, one line that is rewritten where somebody does.
#include "gt/runs/progress.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "report/support.hpp"

namespace progress_test {

using gt::build_warning, gt::Cpu, gt::Isa, gt::ProgressLine, gt::StepDone;
using gt::test::has, gt::test::tiny_run;

namespace {

struct Close {
  void operator()(std::FILE* f) const { std::fclose(f); }
};
using File = std::unique_ptr<std::FILE, Close>;

/// What `watch(file)` writes to a file that is no terminal, line by line.
template <class Watch>
std::vector<std::string> lines_of(Watch const& watch) {
  File const file(std::tmpfile());
  REQUIRE(file);
  watch(file.get());
  std::rewind(file.get());
  std::string all;
  for (int c; (c = std::fgetc(file.get())) != EOF;) all += static_cast<char>(c);
  CHECK(!has(all, "\r"));
  CHECK(!has(all, "\033"));
  CHECK((all.empty() || all.back() == '\n'));
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < all.size(); at = all.find('\n', at) + 1)
    lines.push_back(all.substr(at, all.find('\n', at) - at));
  return lines;
}
std::ptrdiff_t count(std::string_view text, char c) { return std::count(text.begin(), text.end(), c); }

}  // namespace

TEST_CASE("ProgressLine: to a file, the machine once and a line for each look at held-out text") {
  auto const lines = lines_of([](std::FILE* file) {
    ProgressLine progress(file, 0, "");
    tiny_run(progress);
  });
  REQUIRE(lines.size() == 1 + 2 * 3);
  CHECK(lines[0] == std::string("running on ") + Cpu<>::name() + ", 1 thread");
  std::size_t i = 1;
  for (auto const& [stage, depth] : {std::pair{1, 2}, std::pair{2, 3}}) {
    for (int const step : {10, 20, 25}) {
      CAPTURE(lines[i]);
      CHECK(lines[i].starts_with(gt::text("stage ", stage, "/2  ", depth, " blocks  step ", step, "/25  loss ")));
      CHECK(has(lines[i], "  held-out "));
      CHECK(has(lines[i], " bits/byte  "));
      CHECK(has(lines[i], " tok/s  "));
      CHECK(lines[i].ends_with(" left"));
      CHECK(!has(lines[i], Cpu<>::name()));
      CHECK(!has(lines[i], "of peak"));
      ++i;
    }
  }
}

TEST_CASE("ProgressLine: a warning and the machine's limit are said once") {
  auto const lines = lines_of([](std::FILE* file) {
    ProgressLine progress(file, 123.4e9, "mind the step");
    progress.introduce("ABACUS", 3);
    progress.introduce("ABACUS", 3);
    tiny_run(progress);
  });
  REQUIRE(lines.size() == 2 + 2 * 3);
  CHECK(lines[0] == "running on ABACUS, 3 threads, at most 123 GFLOP/s");
  CHECK(lines[1] == "warning: mind the step");
  for (std::size_t i = 2; i < lines.size(); ++i) CHECK(has(lines[i], " % of peak  "));
}

TEST_CASE("ProgressLine: the share of peak and the time left are those of the figures") {
  auto const lines = lines_of([](std::FILE* file) {
    ProgressLine progress(file, 100e9, "");
    progress.stage_starts({.stages = 2, .depth = 3, .tokens_per_step = 1000, .step_flops = 5e9});
    progress.step_done({.step = 5, .steps = 20, .loss = 1.25, .seconds = 50, .tokens_per_second = 12'345, .depth = 3});
    StepDone seen{.step = 10, .steps = 20, .loss = 1.25, .bits_per_byte = 2.5, .evaluated = true, .seconds = 125};
    seen.tokens_per_second = 12'345, seen.depth = 3;
    progress.step_done(seen);
  });
  REQUIRE(lines.size() == 2);  // the step without a look has none
  // 5e9 operations in 1000 / 12345 s are 61.7 GFLOP/s.
  CHECK(lines[1] ==
        "stage 1/2  3 blocks  step 10/20  loss 1.250  held-out 2.500 bits/byte  12.3k tok/s  62 % of peak  2 min 05 s "
        "left");
}

TEST_CASE("ProgressLine: on a terminal one line a stage, rewritten, never wider than the window") {
  int const master = ::posix_openpt(O_RDWR | O_NOCTTY);
  if (master < 0 || ::grantpt(master) != 0 || ::unlockpt(master) != 0) {
    MESSAGE("skipped: needs a pseudo-terminal");
    return;
  }
  std::string shown;
  {
    File const terminal(std::fopen(::ptsname(master), "r+"));
    REQUIRE(terminal);
    winsize const window{.ws_row = 24, .ws_col = 60, .ws_xpixel = 0, .ws_ypixel = 0};
    REQUIRE(::ioctl(::fileno(terminal.get()), TIOCSWINSZ, &window) == 0);
    ProgressLine progress(terminal.get(), 0, "");
    for (std::size_t stage = 0; stage < 2; ++stage) {
      progress.stage_starts({.stage = stage, .stages = 2, .depth = 3, .instruction_set = "ABACUS"});
      for (int step = 1; step <= 3; ++step)
        progress.step_done({.stage = stage, .step = step, .steps = 3, .loss = 1, .tokens_per_second = 1e9, .depth = 3});
      progress.stage_done({});
    }
    std::fflush(terminal.get());
    std::array<char, 8192> buffer;
    ::fcntl(master, F_SETFL, O_NONBLOCK);
    for (ssize_t n; (n = ::read(master, buffer.data(), buffer.size())) > 0;)
      shown.append(buffer.data(), static_cast<std::size_t>(n));
  }
  ::close(master);

  CHECK(count(shown, '\n') == 3);  // the machine and two stages
  CHECK(has(shown, "\r\033[Kstage 1/2  3 blocks  looking at held-out text ..."));
  for (char const* const start : {"\r\033[Kstage 2/2  3 blocks  step 1/3", "\r\033[Kstage 2/2  3 blocks  step 3/3"})
    CHECK(has(shown, start));
  std::size_t longest = 0, width = 0;
  for (char const c : shown) {
    width = c == '\r' || c == '\n' ? 0 : width + 1;
    longest = std::max(longest, width);
  }
  CHECK(longest == 59 + std::string_view("\033[K").size());  // it was cut
}

TEST_CASE("build_warning: for a program built for the baseline or without threads, a reason and the remedy") {
  CHECK(has(build_warning<Isa::sse2, true>(), "built for SSE2, the baseline: link gt::native"));
  CHECK(has(build_warning<Isa::scalar, true>(), "built for scalar, the baseline: link gt::native"));
  for (auto const& fine :
       {build_warning<Isa::avx2, true>(), build_warning<Isa::avx512, true>(), build_warning<Isa::neon, true>()})
    CHECK(fine.empty());
  CHECK(build_warning<Isa::avx2, false>() == "built without OpenMP: one thread only");
  CHECK(has(build_warning<Isa::sse2, false>(), "; built without OpenMP"));
}

}  // namespace progress_test
