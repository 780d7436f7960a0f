// SPDX-License-Identifier: MIT
// What the programs share: errors as one sentence, Ctrl-C as a flag, a model of any width from its folder.
#pragma once

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <gt/formats/hugging_face/folder_tokenizer.hpp>
#include <gt/gt.hpp>
#include <gt/io/json.hpp>
#include <gt/io/text_file.hpp>
#include <new>
#include <string>
#include <vector>

#include "out_of_memory.hpp"
#include "output.hpp"

namespace program {

inline volatile std::sig_atomic_t interrupted = 0;  ///< the signal of the first Ctrl-C or SIGTERM; a second one kills
inline int interrupted_status() { return 128 + interrupted; }  ///< as shells have it: 130 after Ctrl-C

inline void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = [](int signal) { interrupted = signal; };
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

/// While it lives, a first Ctrl-C or SIGTERM ends the program at once, as a second does: where files are read, which
/// may be pipes that nobody writes to, and where nothing is begun that could be left half done.
class EndedAtOnce {
 public:
  EndedAtOnce() {
    struct sigaction none {};
    none.sa_handler = SIG_DFL;
    sigemptyset(&none.sa_mask);
    sigaction(SIGINT, &none, &interrupt_);
    sigaction(SIGTERM, &none, &terminate_);
  }
  EndedAtOnce(EndedAtOnce const&) = delete;
  EndedAtOnce& operator=(EndedAtOnce const&) = delete;
  ~EndedAtOnce() {
    sigaction(SIGINT, &interrupt_, nullptr);
    sigaction(SIGTERM, &terminate_, nullptr);
  }

 private:
  struct sigaction interrupt_ {};
  struct sigaction terminate_ {};
};

/// Runs `body()`, which returns the exit status. What it throws becomes one sentence on stderr and a status of 1.
template <class F>
int guarded(F const& body) {
  try {
    return body();
  } catch (std::bad_alloc const&) {
    tell_of_memory();
  } catch (std::exception const& error) {
    std::fprintf(stderr, "%s\n", harmless(error.what(), true).c_str());
  }
  return EXIT_FAILURE;
}

/// Says on stderr what runs: the instruction set, the threads, and what makes it slow.
inline void introduce(gt::Cpu<> const& on) { gt::ProgressLine(stderr).introduce(on.name(), on.threads()); }

/// Texts from files, and on stderr what is odd about them.
inline gt::Corpus read_corpus(std::vector<std::string> const& files) {
  EndedAtOnce const at_once;
  auto corpus = gt::Corpus::read(files);
  for (auto const& warning : corpus.warnings()) std::fprintf(stderr, "warning: %s\n", harmless(warning).c_str());
  return corpus;
}

/// Says a sentence on stderr, if there is one.
inline void note(std::string const& sentence) {
  if (!sentence.empty()) std::fprintf(stderr, "note: %s\n", harmless(sentence).c_str());
}

/// Says on stderr where a folder holds the best model of a run (--keep-best) that was chosen by few looks: then it may
/// be the last, or one of an early stage, by chance.
inline void tell_of_look(std::string const& folder) {
  constexpr std::int64_t few = 10;
  std::string const path = folder + "/look.json", where = "'" + path + "'";
  std::FILE* const file = std::fopen(path.c_str(), "r");
  if (file == nullptr) return;
  std::fclose(file);
  gt::Json const look = gt::parse_json(gt::read_text_file(path), where);
  if (!look.contains("looks")) return;
  auto const number = [&](char const* key) { return gt::json_get<std::int64_t>(look, key, where); };
  if (auto const looks = number("looks"); looks < few)
    std::fprintf(stderr,
                 "note: '%s' is the best of %lld look%s at held-out text only, that of stage %lld after step %lld\n",
                 folder.c_str(), static_cast<long long>(looks), looks == 1 ? "" : "s",
                 static_cast<long long>(number("stage")), static_cast<long long>(number("step")));
}

/// A saved model with the tokenizer it was saved with.
struct OpenModel {
  gt::AnyModel model;
  gt::Tokenizer tokenizer;
};
inline OpenModel open_model(gt::Cpu<> const& on, std::string const& folder) {
  auto const opened = gt::ModelFolder::open(folder);
  auto tokenizer = gt::load_tokenizer(opened);
  auto model = gt::load_any_model(on, opened);
  note(gt::formats::table_note(opened, model));
  tell_of_look(folder);
  return {std::move(model), std::move(tokenizer)};
}

}  // namespace program
