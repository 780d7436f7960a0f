// SPDX-License-Identifier: MIT
// The commands of `gt`: one a file, NAME.cpp, listed here and nowhere else.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace program {

/// How the user called `gt`, as a shell takes it: what a printed command begins with, so that it can be pasted.
inline std::string self = "gt";

// Each takes the arguments behind `gt`, its own name being the first, and returns the exit status.
int grow(int argc, char** argv);
int generate(int argc, char** argv);
int embed(int argc, char** argv);
int eval(int argc, char** argv);
int merge(int argc, char** argv);
int export_model(int argc, char** argv);
int import_model(int argc, char** argv);
int plan(int argc, char** argv);
int depth(int argc, char** argv);
int study(int argc, char** argv);
int glyphs(int argc, char** argv);

/// What must be fetched before a command can run: `austen`, the default corpus; `font`, GNU Unifont; `languages`, a
/// text in each of three languages. Where it lies, variables say: GT_AUSTEN, GT_UNIFONT_HEX, GT_LANGUAGES.
using Needs = std::vector<std::string_view>;
Needs grow_needs(int argc, char** argv);
Needs study_needs(int argc, char** argv);
Needs glyphs_needs(int argc, char** argv);

struct Command {
  std::string_view name, about;
  int (*run)(int argc, char** argv);
  Needs (*needs)(int argc, char** argv) = nullptr;  ///< null: it never needs anything
};

// ./run help prints these lines without building anything: a command and what it is about stand on one line each.
// clang-format off
inline constexpr Command commands[] = {
    {"grow", "grow a model on a text, Jane Austen unless --corpus names another, then talk", grow, grow_needs},
    {"generate", "continue a text with a model", generate},
    {"embed", "turn a model into a C++ header, from which a program of yours generates without a file", embed},
    {"eval", "measure a model on texts, questions and translations", eval},
    {"merge", "score texts with several models and with all of them as one, by the mean of their logits", merge},
    {"export", "write a model for other programs: as one GGUF file, which llama.cpp runs", export_model},
    {"import", "make a folder of gt of what another program trained: of transformers, peft, PyTorch", import_model},
    {"plan", "what a growth plan costs: parameters, memory, time", plan},
    {"depth", "what depth is for: a task that one block cannot learn, by models of several depths", depth},
    {"study", "measure the claims of the papers here, with seeds and a report; --quick, --hours N", study, study_needs},
    {"glyphs", "draw characters and tokens as a model sees them, as a picture", glyphs, glyphs_needs},
};
// clang-format on

}  // namespace program
