// SPDX-License-Identifier: MIT
// Measures how well a model predicts texts: bits per byte and per character, perplexity, over all of each text.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <gt/gt.hpp>
#include <string>
#include <vector>

#include "support/program.hpp"

namespace {

using Clock = std::chrono::steady_clock;

struct Row {
  std::string file;
  double nats = 0;
  std::int64_t tokens = 0, bytes = 0, characters = 0;
  double bits() const { return nats / 0.6931471805599453; }
};

// A line on stderr that is rewritten: shown on a terminal, and only when it takes longer than a second.
class Progress {
 public:
  void operator()(std::string const& file, std::int64_t done, std::int64_t of) {
    double const seconds = std::chrono::duration<double>(Clock::now() - start_).count();
    if (!gt::is_terminal(stderr) || seconds < 1 || seconds < shown_ + 0.1) return;
    shown_ = seconds;
    double const left = seconds / static_cast<double>(done) * static_cast<double>(of - done);
    std::fprintf(stderr, "\r\033[K%s  %.0f %%  %s tok/s  %s left", file.c_str(),
                 100 * static_cast<double>(done) / static_cast<double>(of),
                 gt::detail::short_number(static_cast<double>(done) / seconds).c_str(),
                 gt::detail::short_time(left).c_str());
    std::fflush(stderr);
  }
  ~Progress() {
    if (shown_ > 0) std::fprintf(stderr, "\r\033[K");
  }

 private:
  Clock::time_point start_ = Clock::now();
  double shown_ = 0;
};

void print(Row const& r) {
  std::printf("  %9.4f  %9.4f  %10.3f  %10lld  %11lld  %s\n", r.bits() / static_cast<double>(r.bytes),
              r.bits() / static_cast<double>(r.characters), std::exp(r.nats / static_cast<double>(r.tokens)),
              static_cast<long long>(r.tokens), static_cast<long long>(r.bytes), r.file.c_str());
  std::fflush(stdout);
}
std::string json(Row const& r, std::int64_t stride) {
  gt::Json const row{{"file", r.file},
                     {"bits_per_byte", r.bits() / static_cast<double>(r.bytes)},
                     {"bits_per_character", r.bits() / static_cast<double>(r.characters)},
                     {"perplexity", std::exp(r.nats / static_cast<double>(r.tokens))},
                     {"nats", r.nats},
                     {"tokens", r.tokens},
                     {"bytes", r.bytes},
                     {"characters", r.characters},
                     {"stride", stride}};
  return gt::dump_json(row, "eval");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Measures how well a model predicts texts."};
  std::string folder;
  std::vector<std::string> files;
  gt::ScoreOptions options;
  bool as_json = false;
  int threads = 0;
  app.add_option("--model", folder, "folder of the model")->required();
  app.add_option("files", files, "UTF-8 texts; each is measured by itself, and all together")->required();
  app.add_option("--stride", options.stride, "tokens from one window to the next; 0: half of the context")
      ->capture_default_str();
  app.add_option("--batch", options.batch, "windows at a time; changes no result")->capture_default_str();
  app.add_flag("--json", as_json, "print JSON lines instead of a table");
  app.add_option("--threads", threads, "0: all cores")->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  program::catch_interrupts();
  return program::guarded([&] {
    gt::Cpu<> const on(threads);
    auto const model = program::open_model(on, folder);
    program::introduce(on);
    Row all{.file = "all together"};
    std::int64_t stride = 0;
    for (auto const& file : files) {
      auto const text = gt::Corpus::read({file});
      Progress progress;
      options.proceed = [&](std::int64_t done, std::int64_t of) {
        progress(file, done, of);
        return program::interrupted == 0;
      };
      auto const score = gt::score(on, model.model, model.tokenizer, text.text(), options);
      if (program::interrupted != 0) return program::interrupted_status();
      Row const row{file, -score.log_likelihood(), static_cast<std::int64_t>(score.ids.size()), score.bytes,
                    score.characters};
      if (stride == 0 && !as_json) {
        std::printf("windows of %lld tokens, %lld apart\n", static_cast<long long>(model.model.context()),
                    static_cast<long long>(score.stride));
        std::printf("  bits/byte  bits/char  perplexity      tokens        bytes  text\n");
      }
      stride = score.stride;
      as_json ? static_cast<void>(std::puts(json(row, stride).c_str())) : print(row);
      all.nats += row.nats, all.tokens += row.tokens, all.bytes += row.bytes, all.characters += row.characters;
    }
    if (files.size() > 1) as_json ? static_cast<void>(std::puts(json(all, stride).c_str())) : print(all);
    gt::check(std::fflush(stdout) == 0 && std::ferror(stdout) == 0, "eval",
              "the output must take all of the results (a full disk?)");
    return 0;
  });
}
