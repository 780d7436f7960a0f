// SPDX-License-Identifier: MIT
// The words that BLEU counts, cut as sacreBLEU cuts them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include "gt/base/error.hpp"
#include "gt/text/utf8.hpp"
#include "gt/text/white_space.hpp"

namespace gt::inline GT_ABI {

/// How a sentence becomes words, as sacreBLEU names it: `13a`, the WMT's mteval-v13a and the default; `zh`, every
/// Chinese character a word and the rest as in 13a; `char`, every character a word; `none`, words as they stand.
enum class BleuTokenizer { v13a, zh, character, none };

/// sacreBLEU's name of a tokenizer.
constexpr char const* name(BleuTokenizer tokenizer) {
  switch (tokenizer) {
    case BleuTokenizer::v13a:
      return "13a";
    case BleuTokenizer::zh:
      return "zh";
    case BleuTokenizer::character:
      return "char";
    case BleuTokenizer::none:
      break;
  }
  return "none";
}

/// The tokenizer of that name.   Errors: another name.
inline BleuTokenizer bleu_tokenizer(std::string_view wanted) {
  for (auto const tokenizer : {BleuTokenizer::v13a, BleuTokenizer::zh, BleuTokenizer::character, BleuTokenizer::none}) {
    if (wanted == name(tokenizer)) return tokenizer;
  }
  fail("bleu_tokenizer", "the tokenizer must be 13a, zh, char or none (got '", wanted, "')");
}

namespace detail {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_stop(char c) { return c == '.' || c == ','; }

// ASCII marks that are always words of their own: all but the apostrophe, comma, hyphen and full stop.
constexpr bool always_apart(char c) {
  return (c >= ' ' && c <= '&') || (c >= '(' && c <= '+') || c == '/' || (c >= ':' && c <= '@') ||
         (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

inline void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != text.npos; at += to.size()) text.replace(at, from.size(), to);
}

// Goes over the pairs of neighbours from left to right; a pair that `matches` is consumed whole, and comes out with the
// given texts around and between. Bytes serve as characters: what is matched is ASCII or its complement.
template <class Matches>
std::string space_pairs(std::string_view line, Matches const& matches, std::string_view before,
                        std::string_view after) {
  std::string spaced;
  std::size_t at = 0;
  while (at < line.size()) {
    if (at + 1 < line.size() && matches(line[at], line[at + 1])) {
      spaced.append(before).append(1, line[at]).append(" ").append(1, line[at + 1]).append(after);
      at += 2;
    } else {
      spaced += line[at++];
    }
  }
  return spaced;
}

// Spaces around marks; around full stops and commas but where digits stand on both sides; a hyphen after a digit ends
// it.
inline std::string space_marks(std::string_view line) {
  std::string spaced;
  for (char const c : line) {
    if (always_apart(c)) {
      spaced.append(1, ' ').append(1, c).append(1, ' ');
    } else {
      spaced += c;
    }
  }
  spaced = space_pairs(
      spaced, [](char a, char b) { return !is_digit(a) && is_stop(b); }, "", " ");
  spaced = space_pairs(
      spaced, [](char a, char b) { return is_stop(a) && !is_digit(b); }, " ", "");
  return space_pairs(
      spaced, [](char a, char b) { return is_digit(a) && b == '-'; }, "", " ");
}

inline constexpr std::pair<char32_t, char32_t> chinese_ranges[] = {
    {0x2001, 0x2A6D}, {0x2E80, 0x2EFF}, {0x2F00, 0x2FDF}, {0x2FF0, 0x303F}, {0x3100, 0x312F}, {0x31A0, 0x31BF},
    {0x31C0, 0x31EF}, {0x3200, 0x33FF}, {0x3400, 0x4DB5}, {0x4E00, 0x9FBB}, {0xF900, 0xFA2D}, {0xFA30, 0xFA6A},
    {0xFA70, 0xFAD9}, {0xFE10, 0xFE1F}, {0xFE30, 0xFE4F}, {0xFF00, 0xFFEF},
};

}  // namespace detail

/// Whether the `zh` tokenizer sets a character apart. sacreBLEU means the CJK blocks, extension B among them; as its
/// bounds of five digits are written, U+2001 ... U+2A6D (dashes, quotes, arrows, signs) are set apart in its place.
constexpr bool is_chinese_to_bleu(char32_t c) {
  return std::any_of(std::begin(detail::chinese_ranges), std::end(detail::chinese_ranges),
                     [c](auto const& range) { return range.first <= c && c <= range.second; });
}

/// A sentence with its words apart: `split_at_white_space` gives them.
/// Source: Post 2018, "A Call for Clarity in Reporting BLEU Scores" (arXiv:1804.08771); equal to sacreBLEU 2.6.
inline std::string space_words(std::string_view sentence, BleuTokenizer tokenizer) {
  std::string line{strip_end(sentence)};
  if (tokenizer == BleuTokenizer::none) return line;
  if (tokenizer == BleuTokenizer::v13a) {
    detail::replace_all(line, "<skipped>", "");
    detail::replace_all(line, "-\n", "");
    detail::replace_all(line, "\n", " ");
    detail::replace_all(line, "&quot;", "\"");
    detail::replace_all(line, "&amp;", "&");
    detail::replace_all(line, "&lt;", "<");
    detail::replace_all(line, "&gt;", ">");
    return detail::space_marks(" " + line + " ");
  }
  std::string_view const text = strip(line);
  std::string apart;
  std::size_t at = 0;
  for (utf8::Unit const unit : utf8::Units{text}) {
    auto const character = text.substr(at, unit.size);
    at += unit.size;
    if (tokenizer == BleuTokenizer::character || (unit.valid && is_chinese_to_bleu(unit.value))) {
      apart.append(1, ' ').append(character).append(1, ' ');
    } else {
      apart += character;
    }
  }
  return tokenizer == BleuTokenizer::zh ? detail::space_marks(apart) : apart;
}

}  // namespace gt
