// SPDX-License-Identifier: MIT
// The files that evaluations read: one JSON object a line, as docs/evaluation.md describes them.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/io/json.hpp"
#include "gt/io/text_bound.hpp"
#include "gt/io/text_file.hpp"
#include "gt/text/utf8.hpp"
#include "gt/text/white_space.hpp"

namespace gt::inline GT_ABI {

/// A question with its options: `{"question": "...", "choices": ["...", ...], "answer": 1}`, optionally with
/// `"labels": ["A", "B", ...]` and `"subject": "..."`.
struct MultipleChoice {
  std::string question;              ///< as it is asked, without its options
  std::vector<std::string> choices;  ///< at least two
  std::size_t answer = 0;            ///< the right one's index, from 0
  std::vector<std::string> labels;   ///< one a choice; A, B, C, ... where the file names none
  std::string subject;               ///< the file's word for a group of questions; may be empty
};

/// A question whose answer stands in a text: `{"context": "...", "question": "...", "answers": ["...", ...]}`.
struct Extractive {
  std::string context, question;     ///< the text; what is asked about it
  std::vector<std::string> answers;  ///< each is right; at least one
};

/// A sentence and its translation: `{"source": "...", "target": "...", "from": "English", "to": "Russian"}`.
struct Translation {
  std::string source, target;  ///< the sentence; a translation that is right
  std::string from, to;        ///< languages, as a prompt names them
};

/// What read_jsonl reads.
template <class T>
concept JsonlRecord = std::same_as<T, MultipleChoice> || std::same_as<T, Extractive> || std::same_as<T, Translation>;

namespace detail {

inline std::string text_field(Json const& json, std::string_view key, std::string const& where) {
  auto value = json_get<std::string>(json, key, where);
  check(!value.empty(), where, "key '", key, "' must not be empty");
  return value;
}

inline std::vector<std::string> texts_field(Json const& json, std::string_view key, std::size_t least,
                                            std::string const& where) {
  auto values = json_get<std::vector<std::string>>(json, key, where);
  check(values.size() >= least, where, "key '", key, "' must have at least ", least, least == 1 ? " entry" : " entries",
        " (got ", values.size(), ")");
  for (auto const& value : values) check(!value.empty(), where, "key '", key, "' must have no empty entry");
  return values;
}

template <JsonlRecord T>
T record_from(Json const& json, std::string const& where) {
  if constexpr (std::same_as<T, MultipleChoice>) {
    MultipleChoice record;
    record.question = text_field(json, "question", where);
    record.choices = texts_field(json, "choices", 2, where);
    record.answer = json_get<std::size_t>(json, "answer", where);
    check(record.answer < record.choices.size(), where, "key 'answer' must be the index of a choice, 0 ... ",
          record.choices.size() - 1, " (got ", record.answer, ")");
    if (json.contains("labels")) {
      record.labels = texts_field(json, "labels", 2, where);
      check(record.labels.size() == record.choices.size(), where, "there must be one label for each choice (got ",
            record.labels.size(), " for ", record.choices.size(), ")");
    } else {
      check(record.choices.size() <= 26, where, "more than 26 choices must have labels (got ", record.choices.size(),
            " and no key 'labels')");
      for (std::size_t i = 0; i < record.choices.size(); ++i) record.labels.emplace_back(1, static_cast<char>('A' + i));
    }
    if (json.contains("subject")) record.subject = json_get<std::string>(json, "subject", where);
    return record;
  } else if constexpr (std::same_as<T, Extractive>) {
    return {text_field(json, "context", where), text_field(json, "question", where),
            texts_field(json, "answers", 1, where)};
  } else {
    return {text_field(json, "source", where), text_field(json, "target", where), text_field(json, "from", where),
            text_field(json, "to", where)};
  }
}

}  // namespace detail

/// All records of a text in JSONL; lines of white space alone are passed over, keys without a meaning here too.
/// `name` is that of the file, for errors. It gives all records or none.
/// Errors, with the line's number: a line that is no JSON object or no UTF-8; a key that is missing, of another type or
/// empty; an answer that is no index of a choice; labels that are not as many as choices. A text without a record.
template <JsonlRecord T>
std::vector<T> parse_jsonl(std::string_view text, std::string const& name) {
  std::vector<T> records;
  for (std::size_t begin = 0, number = 1; begin < text.size(); ++number) {
    std::size_t const end = std::min(text.find('\n', begin), text.size());
    auto const line = text.substr(begin, end - begin);
    begin = end + 1;
    if (strip(line).empty()) continue;
    std::string const where = gt::text(name, ", line ", number);
    check(utf8::is_valid(line), where, "text must be UTF-8");
    records.push_back(detail::record_from<T>(detail::parse_json_lines(line, where, name, number - 1), where));
  }
  check(!records.empty(), "read_jsonl", "'", name, "' must have at least one line (got none)");
  return records;
}

/// All records of a file, as parse_jsonl gives them.   Errors: those, and a file that cannot be read.
///
///     auto const questions = gt::read_jsonl<gt::MultipleChoice>("arc-easy.jsonl");
template <JsonlRecord T>
std::vector<T> read_jsonl(std::string const& path) {
  return parse_jsonl<T>(read_text_file(path, detail::text_bytes_that_fit()), path);
}

}  // namespace gt
