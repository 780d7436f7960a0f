// SPDX-License-Identifier: MIT
// What the tests of text share: random texts, and byte-pair encoding in its plainest form.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gt/base/philox.hpp"
#include "gt/text/tokenizer.hpp"
#include "gt/text/utf8.hpp"
#include "io/support.hpp"

namespace gt::test {

/// `count` pieces drawn from a list.
inline std::string drawn(std::vector<std::string> const& pieces, std::size_t count, std::uint32_t stream) {
  Random const random(seed(7), Purpose::test, stream);
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += pieces[random.below(pieces.size(), i)];
  return text;
}

/// Something like prose: paragraphs of one line, words of a few syllables, some Cyrillic and Han.
inline std::string prose(std::size_t words, std::uint32_t stream = 0) {
  std::vector<std::string> const syllables{"th",  "e",  "an",  "in",  "ing", "er", "on", "st",  "re", "o",
                                           "a",   "ly", "dar", "cy",  "liz", "be", "mr", "pre", "ju", "dice",
                                           "sen", "si", "bil", "ity", "'s",  "é",  "на", "род", "ва", "ли"};
  std::vector<std::string> const marks{" ",  " ",   " ",  " ",         " ",  " ",   ", ",
                                       ". ", ".\n", "; ", " 你好世界", "  ", "\n\n"};
  Random const random(seed(8), Purpose::test, stream);
  std::string text;
  for (std::size_t i = 0; i < words; ++i) {
    text += drawn(syllables, 1 + random.below(3, 2 * i), static_cast<std::uint32_t>(random.below(400, 2 * i + 1)));
    text += marks[random.below(marks.size(), i * 7919)];
  }
  return text;
}

/// Any bytes, malformed UTF-8 among them.
inline std::string noise(std::size_t bytes, std::uint32_t stream) {
  Random const random(seed(9), Purpose::test, stream);
  std::string text;
  for (std::size_t i = 0; i < bytes; ++i) text += static_cast<char>(random.below(256, i));
  return text;
}

/// The definition: over the whole text, again and again, the pair of lowest rank, the leftmost first.
inline std::vector<std::int32_t> plain_bpe(Tokenizer const& tokenizer, std::string_view text) {
  std::vector<std::int32_t> ids;
  for (std::size_t at = 0; at < text.size();) {
    utf8::Unit const unit = utf8::decode(text, at);
    if (auto const own = tokenizer.vocabulary().text_id(text.substr(at, unit.size)); unit.valid && own >= 0) {
      ids.push_back(own);
    } else {
      for (char const c : text.substr(at, unit.size))
        ids.push_back(*tokenizer.id(byte_token(static_cast<unsigned char>(c))));
    }
    at += unit.size;
  }
  auto const& merges = tokenizer.merges();
  for (;;) {
    std::size_t best = merges.size(), where = 0;
    for (std::size_t i = 0; i + 1 < ids.size(); ++i)
      for (std::size_t rank = 0; rank < best; ++rank)
        if (merges[rank].left == ids[i] && merges[rank].right == ids[i + 1]) best = rank, where = i;
    if (best == merges.size()) return ids;
    ids[where] = merges[best].result;
    ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(where) + 1);
  }
}

}  // namespace gt::test
