// SPDX-License-Identifier: MIT
// How questions are put to a model: the prompts of arXiv:2507.07129, character by character.
#pragma once

#include <cstddef>
#include <string>

#include "gt/base/error.hpp"
#include "gt/eval/jsonl.hpp"

namespace gt::inline GT_ABI {

/// The question alone, for options that are ranked as texts: `Question: ...\nAnswer:`.
inline std::string question_prompt(MultipleChoice const& m) { return text("Question: ", m.question, "\nAnswer:"); }

/// The paper's prompt of MMLU: `Question: ...\nOptions: A) ... B) ... C) ... D) ...\nAnswer:`.
inline std::string options_in_line_prompt(MultipleChoice const& m) {
  std::string options;
  for (std::size_t i = 0; i < m.choices.size(); ++i) options += text(" ", m.labels[i], ") ", m.choices[i]);
  return text("Question: ", m.question, "\nOptions:", options, "\nAnswer:");
}

/// The paper's prompt of ARC and CommonsenseQA: `Question: ...\nOptions:\nA) ...\nB) ...\nAnswer:`, an option a line.
inline std::string options_by_line_prompt(MultipleChoice const& m) {
  std::string options;
  for (std::size_t i = 0; i < m.choices.size(); ++i) options += text("\n", m.labels[i], ") ", m.choices[i]);
  return text("Question: ", m.question, "\nOptions:", options, "\nAnswer:");
}

/// The paper's prompt of SQuAD: `Context: ...\nQuestion: ...\nAnswer:`.
inline std::string extractive_prompt(Extractive const& e) {
  return text("Context: ", e.context, "\nQuestion: ", e.question, "\nAnswer:");
}

/// The paper's prompt of a translation: `Translate from English to Russian:\n...\nAnswer:`.
inline std::string translation_prompt(Translation const& t) {
  return text("Translate from ", t.from, " to ", t.to, ":\n", t.source, "\nAnswer:");
}

}  // namespace gt
