// SPDX-License-Identifier: MIT
// Reads the n-gram lists behind the author's tokenizers bvv241: which n-grams they take, in the order of their ids.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/io/text_file.hpp"
#include "gt/text/utf8.hpp"

namespace gt::inline GT_ABI::detail {

/// What is taken from the list of a language: its first `top` n-grams of each length from 2 to `longest`.
struct NgramSelection {
  int longest = 3;  ///< code points
  int top = 338;    ///< of each language and length
};

/// Hint of all errors about these files.
inline constexpr std::string_view ngram_source =
    "the file is in the repositories AVBochkov/PGT and AVBochkov/Embeddings on GitHub";

/// The contents of a file of n-grams. Errors: it cannot be read, holds nothing, or is not UTF-8.
inline std::string read_ngram_file(std::string const& path) {
  std::string contents;
  try {
    contents = read_text_file(path);
  } catch (Error const& missing) {
    throw Error(text(missing.what(), "; ", ngram_source));
  }
  check(!contents.empty(), "bvv241", "'", path, "' must hold n-grams (got an empty file); ", ngram_source);
  int line = 1;
  for (auto unit = utf8::Units{contents}.begin(); unit != utf8::Units{contents}.end(); ++unit) {
    check((*unit).valid, "bvv241", "'", path, "', line ", line, ": must be UTF-8 (got other bytes); ", ngram_source);
    line += (*unit).value == U'\n' ? 1 : 0;
  }
  return contents;
}

/// Reads the lists of all languages, which the author's notebook wrote as a Python literal:
///
///     [{'lang': 'en', 'language_name': 'English', 'top_ngrams': {2: [('th', 3464625), ...], 3: [...]}}, ...]
///
/// with the counts of a list falling. Source: _n-gramms-from-wiki.ipynb of AVBochkov/PGT.
class NgramReader {
 public:
  /// `contents` is UTF-8 and must outlive the reader; `path` names it in errors.
  NgramReader(std::string_view contents, std::string_view path) : text_{contents}, path_{path} {}

  /// The n-grams of all languages that `selection` takes, with repetitions. Errors: anything but the format above, with
  /// line and column; a language without n-grams of a length.
  std::vector<std::string> read(NgramSelection selection) {
    std::vector<std::string> ngrams;
    each_item('[', ']', [&] { language(selection, ngrams); });
    need(peek() == '\0', "nothing may follow the last ]");
    return ngrams;
  }

 private:
  template <class... Parts>
  void need(bool holds, Parts const&... what) const {
    if (holds) return;
    auto const before = text_.substr(0, at_);
    auto const line = std::count(before.begin(), before.end(), '\n') + 1;
    auto const column = utf8::length(before.substr(before.rfind('\n') + 1)) + 1;
    auto const rest = text_.substr(at_, 20);
    auto const next = std::string{rest.substr(0, std::min(utf8::complete_prefix(rest), rest.find('\n')))};
    fail("bvv241", "'", path_, "', line ", line, ", column ", column, ": ", what..., " (got ",
         next.empty() ? "the end of the line" : text("'", next, "'"), "); ", ngram_source);
  }

  /// The next character that is no white space, '\0' at the end.
  char peek() {
    while (at_ < text_.size() && std::string_view{" \t\r\n"}.find(text_[at_]) != std::string_view::npos) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  void expect(char c) {
    need(peek() == c, "a ", c, " must stand here");
    ++at_;
  }
  template <class Item>
  void each_item(char open, char close, Item const& item) {
    expect(open);
    while (peek() != close) {
      item();
      if (peek() == close) break;
      need(peek() == ',', "a , or ", close, " must stand here");
      ++at_;
    }
    ++at_;
  }
  std::int64_t number() {
    peek();
    std::int64_t value = 0;
    auto const [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    need(error == std::errc() && value > 0, "a number from 1 to 2^63 - 1 must stand here");
    at_ = static_cast<std::size_t>(end - text_.data());
    return value;
  }
  /// A string literal of Python, in either kind of quotes.
  std::string string() {
    char const quote = peek();
    need(quote == '\'' || quote == '"', "a string in quotes must stand here");
    std::string value;
    for (++at_;;) {
      need(at_ < text_.size() && text_[at_] != '\n', "a ", quote, " must end the string");
      char const c = text_[at_];
      if (c == '\\') {
        escape(value);
      } else {
        ++at_;
        if (c == quote) return value;
        value += c;
      }
    }
  }
  void escape(std::string& value) {
    constexpr std::string_view plain = R"(\\''""n)"
                                       "\nt\tr\r";  // what follows the \, and what it means
    char const kind = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    for (std::size_t i = 0; i < plain.size(); i += 2) {
      if (plain[i] != kind) continue;
      value += plain[i + 1];
      at_ += 2;
      return;
    }
    std::size_t const digits = kind == 'x' ? 2 : kind == 'u' ? 4 : kind == 'U' ? 8 : 0;
    auto const hex = digits == 0 ? std::string_view{} : text_.substr(std::min(at_ + 2, text_.size()), digits);
    std::uint32_t code = 0;
    auto const [end, error] = std::from_chars(hex.data(), hex.data() + hex.size(), code, 16);
    bool const whole = hex.size() == digits && digits > 0 && error == std::errc() && end == hex.data() + hex.size();
    need(whole && utf8::is_scalar_value(code),
         "an escape must be \\\\, \\', \\\", \\n, \\t, \\r, \\xNN, \\uNNNN or "
         "\\UNNNNNNNN, and name a character");
    utf8::append(value, code);
    at_ += 2 + digits;
  }

  void language(NgramSelection selection, std::vector<std::string>& ngrams) {
    std::vector<bool> seen(static_cast<std::size_t>(selection.longest) + 1);
    each_item('{', '}', [&] {
      std::string const key = string();
      expect(':');
      if (key != "top_ngrams") return static_cast<void>(string());
      each_item('{', '}', [&] {
        std::int64_t const length = number();
        expect(':');
        if (length <= selection.longest) seen[static_cast<std::size_t>(length)] = true;
        list(length, length <= selection.longest ? selection.top : 0, ngrams);
      });
    });
    for (int length = 2; length <= selection.longest; ++length)
      need(seen[static_cast<std::size_t>(length)], "every language must have n-grams of 2 to ", selection.longest,
           " characters, which the one before this place has not");
  }
  void list(std::int64_t length, std::int64_t top, std::vector<std::string>& ngrams) {
    std::int64_t taken = 0, last = 0;
    each_item('[', ']', [&] {
      expect('(');
      std::string ngram = string();
      need(static_cast<std::int64_t>(utf8::length(ngram)) == length, "an n-gram of ", length,
           " characters must stand before this place");
      expect(',');
      std::int64_t const count = number();
      need(taken == 0 || count <= last, "the counts of a list must not rise, as the one before this place does");
      last = count;
      expect(')');
      if (taken++ < top) ngrams.push_back(std::move(ngram));
    });
  }

  std::string_view text_, path_;
  std::size_t at_ = 0;
};

/// The strings of `_n-gramms-intersection.txt`, one a line; those of one character are left out, as the author does.
inline std::vector<std::string> read_ngram_lines(std::string_view contents, std::string_view path) {
  std::vector<std::string> ngrams;
  for (int line = 1; !contents.empty(); ++line) {
    auto const row = contents.substr(0, contents.find('\n'));
    contents.remove_prefix(std::min(row.size() + 1, contents.size()));
    check(row.find_first_of(" \t\r") == row.npos && row.size() <= 1000, "bvv241", "'", path, "', line ", line,
          ": must be one n-gram without blanks (got '", row.substr(0, utf8::complete_prefix(row.substr(0, 40))), "'); ",
          ngram_source);
    if (utf8::length(row) > 1) ngrams.emplace_back(row);
  }
  return ngrams;
}

/// Each n-gram once, the longest first, those of one length by code points: the order of ids and of merges.
inline std::vector<std::string> in_placement_order(std::vector<std::string> const& ngrams) {
  std::vector<std::pair<std::size_t, std::string>> keyed;
  keyed.reserve(ngrams.size());
  for (auto const& ngram : ngrams) keyed.emplace_back(~utf8::length(ngram), ngram);
  std::sort(keyed.begin(), keyed.end());
  keyed.erase(std::unique(keyed.begin(), keyed.end()), keyed.end());
  std::vector<std::string> order;
  order.reserve(keyed.size());
  for (auto& [length, ngram] : keyed) order.push_back(std::move(ngram));
  return order;
}

}  // namespace gt::detail
