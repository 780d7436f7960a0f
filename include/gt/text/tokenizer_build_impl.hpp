// SPDX-License-Identifier: MIT
// What gt/text/tokenizer_build.hpp declares.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/text/bpe.hpp"
#include "gt/text/corpus.hpp"
#include "gt/text/letters.hpp"
#include "gt/text/tokenizer_build.hpp"
#include "gt/text/utf8.hpp"
#include "gt/text/vocabulary.hpp"

namespace gt::inline GT_ABI {

namespace detail {

struct Ngram {
  std::string_view text;   // in the corpus
  std::int64_t score = 0;  // count * (length - 1): the ids it would save
};

/// A distinct run of a text, and how often it is there.
struct CountedRun {
  std::string_view text;
  std::int64_t count = 0;
};

/// The runs of a text, by first appearance.
GT_FN std::vector<CountedRun> count_runs(std::string_view text) {
  std::vector<CountedRun> runs;
  std::unordered_map<std::string_view, std::size_t> places;
  std::size_t begin = 0;
  utf8::RunClass current = utf8::RunClass::none;
  auto const close = [&](std::size_t end) {
    if (current == utf8::RunClass::none || end == begin) return;
    auto const run = text.substr(begin, end - begin);
    auto const [place, fresh] = places.emplace(run, runs.size());
    if (fresh) runs.push_back({run});
    ++runs[place->second].count;
  };
  for (std::size_t at = 0; at < text.size();) {
    utf8::Unit const unit = utf8::decode(text, at);
    utf8::RunClass const next = unit.valid ? utf8::run_class(unit.value) : utf8::RunClass::none;
    if (next != current) {
      close(at);
      begin = at;
      current = next;
    }
    at += unit.size;
  }
  close(text.size());
  return runs;
}

/// All n-grams inside runs that occur at least min_count times, best score first, ties by code points. Level by level:
/// an n-gram is counted only if both (n-1)-grams in it are frequent enough, which bounds the memory; it is known by
/// their numbers.
GT_FN std::vector<Ngram> rank_ngrams(std::vector<CountedRun> const& runs, TokenizerOptions const& options) {
  // Of each character of each run, in their order: the number of the frequent (n-1)-gram that begins there, or -1.
  std::vector<std::int32_t> shorter;
  for (CountedRun const& run : runs)
    for (utf8::Unit const unit : utf8::Units{run.text}) shorter.push_back(static_cast<std::int32_t>(unit.value));
  std::vector<Ngram> ranked;
  for (int n = 2; n <= options.max_ngram; ++n) {
    IdMap numbers;
    std::vector<Ngram> found;  // with counts for scores
    std::size_t first = 0;     // the run's first character
    for (auto const& [text, count] : runs) {
      utf8::Units const units{text};
      auto begin = units.begin(), end = begin;
      std::size_t characters = 0;
      for (; end != units.end() && characters + 1 < static_cast<std::size_t>(n); ++end) ++characters;
      std::size_t i = first;
      for (; end != units.end(); ++begin, ++i) {  // from begin to behind end: n characters
        ++end;
        std::int32_t const left = shorter[i], right = shorter[i + 1];
        shorter[i] = -1;
        if (left < 0 || right < 0) continue;
        std::uint64_t const key =
            std::uint64_t{static_cast<std::uint32_t>(left)} << 32 | static_cast<std::uint32_t>(right);
        std::int32_t number = numbers.find(key);
        if (number < 0) {
          number = static_cast<std::int32_t>(found.size());
          numbers.insert(key, number);
          found.push_back({text.substr(begin.offset(), end.offset() - begin.offset())});
        }
        found[static_cast<std::size_t>(number)].score += count;
        shorter[i] = number;
      }
      for (first = i + characters; i < first; ++i) shorter[i] = -1;  // too near to the end
    }
    for (Ngram& ngram : found) {
      if (ngram.score < options.min_count) {
        ngram.score = 0;
      } else if (n >= options.min_ngram) {
        ranked.push_back({ngram.text, ngram.score * (n - 1)});
      }
    }
    for (auto& number : shorter)
      if (number >= 0 && found[static_cast<std::size_t>(number)].score == 0) number = -1;
  }
  std::sort(ranked.begin(), ranked.end(),
            [](Ngram const& a, Ngram const& b) { return a.score != b.score ? a.score > b.score : a.text < b.text; });
  return ranked;
}

/// Specials, then byte tokens by value, then characters by code point.
GT_FN Vocabulary base_vocabulary(std::string_view text, TokenizerOptions const& options) {
  constexpr std::string_view where = "Tokenizer::build";
  std::vector<bool> alphabet(0x110000);
  for (utf8::Unit const unit : utf8::Units{text})
    if (unit.valid) alphabet[unit.value] = true;
  Vocabulary vocabulary;
  for (std::string const& special : options.specials) {
    check(
        utf8::is_valid(special) && utf8::length(special) > 1 && special.find('\n') == special.npos &&
            !byte_of_token(special) && !is_unused_token(special),
        where,
        "a special token must be UTF-8 of two characters or more, with no newline, and not written as a byte or unused "
        "token (got '",
        special, "')");
    vocabulary.add(special, TokenKind::special);
  }
  for (int byte = 0; byte < 256; ++byte)
    if (byte >= 128 || !alphabet[static_cast<std::size_t>(byte)])
      vocabulary.add(byte_token(static_cast<unsigned char>(byte)), TokenKind::byte);
  for (char32_t c = 0; c < alphabet.size(); ++c)
    if (alphabet[c]) vocabulary.add(utf8::encode(c), TokenKind::character);
  auto const specials = static_cast<std::int64_t>(options.specials.size());
  check(options.vocab_size >= vocabulary.size(), where, "vocab_size must be at least ", vocabulary.size(),
        " for this corpus: ", specials, " specials, 256 bytes, ", vocabulary.size() - specials - 256,
        " characters beyond ASCII (got ", options.vocab_size, ")");
  check(options.vocab_size <= Vocabulary::max_size, where, "vocab_size must be at most ", Vocabulary::max_size,
        " (got ", options.vocab_size, ")");
  return vocabulary;
}

/// The base and these n-grams, placed longest first and then by code points, with their merges.
GT_FN TokenizerParts place_ngrams(Vocabulary vocabulary, std::vector<std::string_view> ngrams) {
  std::vector<std::pair<std::size_t, std::string_view>> order;
  for (auto const ngram : ngrams) order.emplace_back(utf8::length(ngram), ngram);
  std::sort(order.begin(), order.end(),
            [](auto const& a, auto const& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
  std::vector<std::int32_t> ids;
  for (auto const& [length, ngram] : order) ids.push_back(vocabulary.add(std::string{ngram}, TokenKind::ngram));
  auto merges = bpe::merges(vocabulary, ids);
  return {std::move(vocabulary), std::move(merges)};
}

/// Marks an n-gram and all that merging makes on the way to it, by its spelling alone.
GT_FN void mark_with_parts(TokenizerParts const& parts,
                           std::map<std::pair<std::int32_t, std::int32_t>, std::size_t> const& ranks, std::int32_t id,
                           std::vector<char>& marked) {
  marked[static_cast<std::size_t>(id)] = 1;
  std::vector<std::int32_t> word;
  for (utf8::Unit const unit : utf8::Units{parts.vocabulary.token(id)}) {
    word.push_back(parts.vocabulary.id(utf8::encode(unit.value)).value());
  }
  while (word.size() > 1) {
    std::size_t best = parts.merges.size(), at = 0;
    for (std::size_t i = 0; i + 1 < word.size(); ++i) {
      auto const found = ranks.find({word[i], word[i + 1]});
      if (found != ranks.end() && found->second < best) best = found->second, at = i;
    }
    if (best == parts.merges.size()) return;
    word[at] = parts.merges[best].result;
    word.erase(word.begin() + static_cast<std::ptrdiff_t>(at) + 1);
    marked[static_cast<std::size_t>(word[at])] = 1;
  }
}

/// How often merging makes each token of `runs`, times their counts. Counting stops for good once all n-grams are made
/// `enough` times, and a run in which none of those that are not is spelled is not merged: merging stays within runs.
GT_FN std::vector<std::int64_t> count_uses(TokenizerParts const& parts, bpe::Bpe const& bpe,
                                           std::vector<CountedRun> const& runs, std::int64_t enough) {
  auto const size = static_cast<std::size_t>(parts.vocabulary.size());
  std::vector<std::int64_t> uses(size);
  std::vector<std::int32_t> rare;  // by spelling
  for (std::size_t id = 0; id < size; ++id)
    if (parts.vocabulary.kind(static_cast<std::int32_t>(id)) == TokenKind::ngram)
      rare.push_back(static_cast<std::int32_t>(id));
  std::size_t left = rare.size();
  auto const spelling = [&](std::int32_t id) -> std::string_view { return parts.vocabulary.token(id); };
  std::sort(rare.begin(), rare.end(), [&](auto a, auto b) { return spelling(a) < spelling(b); });
  IdMap begins;  // of the first two characters: the first such n-gram
  auto const key_of = [](char32_t a, char32_t b) { return std::uint64_t{a} << 32 | b; };
  auto const key = [&](std::string_view ngram) {
    utf8::Unit const first = utf8::decode(ngram, 0);
    return key_of(first.value, utf8::decode(ngram, first.size).value);
  };
  for (std::size_t i = 0; i < rare.size(); ++i) begins.insert(key(spelling(rare[i])), static_cast<std::int32_t>(i));
  auto const spells_rare = [&](std::string_view run) {
    char32_t previous = 0;
    std::size_t begin = 0;
    for (std::size_t at = 0; at < run.size();) {
      utf8::Unit const unit = utf8::decode(run, at);
      std::uint64_t const here = key_of(previous, unit.value);
      if (std::int32_t const found = at > 0 ? begins.find(here) : -1; found >= 0) {
        for (auto i = static_cast<std::size_t>(found); i < rare.size() && key(spelling(rare[i])) == here; ++i)
          if (uses[static_cast<std::size_t>(rare[i])] < enough && run.substr(begin).starts_with(spelling(rare[i])))
            return true;
      }
      begin = at, at += unit.size, previous = unit.value;
    }
    return false;
  };

  std::vector<std::int32_t> ids;
  bpe::EncodeCache cache;
  auto const encode = [&](std::string_view text) {
    ids.clear();
    bpe.encode_into(parts.vocabulary, text, ids, cache);
  };
  auto const is_ngram = [&](std::int32_t id) { return parts.vocabulary.kind(id) == TokenKind::ngram; };
  for (auto const& [text, count] : runs) {
    if (left == 0) break;
    if (!spells_rare(text)) continue;
    encode(text);
    for (auto const id : ids) {
      auto& n = uses[static_cast<std::size_t>(id)];
      if (is_ngram(id) && n < enough && n + count >= enough) --left;
      n += count;
    }
  }
  return uses;
}

/// The n-grams that merging makes of `runs` fewer than `min_count` times, and that no other n-gram is made from: long
/// windows over one frequent word overlap, and only some of them ever win.
GT_FN std::unordered_set<std::string> unused_ngrams(TokenizerParts const& parts, bpe::Bpe const& bpe,
                                                    std::vector<CountedRun> const& runs, std::int64_t min_count) {
  auto const uses = count_uses(parts, bpe, runs, min_count);
  std::size_t const size = uses.size();
  std::map<std::pair<std::int32_t, std::int32_t>, std::size_t> ranks;
  for (std::size_t rank = 0; rank < parts.merges.size(); ++rank) {
    ranks.emplace(std::pair{parts.merges[rank].left, parts.merges[rank].right}, rank);
  }
  auto const is_ngram = [&](std::size_t id) {
    return parts.vocabulary.kind(static_cast<std::int32_t>(id)) == TokenKind::ngram;
  };
  std::vector<char> kept(size);
  for (std::size_t id = 0; id < size; ++id) {
    if (is_ngram(id) && uses[id] >= min_count) mark_with_parts(parts, ranks, static_cast<std::int32_t>(id), kept);
  }
  std::unordered_set<std::string> unused;
  for (std::size_t id = 0; id < size; ++id) {
    if (is_ngram(id) && !kept[id]) unused.insert(parts.vocabulary.token(static_cast<std::int32_t>(id)));
  }
  return unused;
}

GT_FN TokenizerParts build_tokenizer(Corpus const& corpus, TokenizerOptions const& options) {
  check(2 <= options.min_ngram && options.min_ngram <= options.max_ngram && options.max_ngram <= 64 &&
            options.min_count >= 1,
        "Tokenizer::build", "2 <= min_ngram <= max_ngram <= 64 and min_count >= 1 must hold (got ", options.min_ngram,
        ", ", options.max_ngram, ", ", options.min_count, ")");
  Vocabulary const base = base_vocabulary(corpus.text(), options);
  auto const wanted = static_cast<std::size_t>(options.vocab_size - base.size());
  auto const runs = count_runs(corpus.split(options.held_out).train);
  auto candidates = rank_ngrams(runs, options);
  std::erase_if(candidates, [&](Ngram const& ngram) { return base.id(ngram.text).has_value(); });  // a special's text

  constexpr int most_rounds = 12;  // each round finds fewer unused n-grams; the last few are not worth the time
  int rounds = options.drop_unused ? most_rounds : 0;
  TokenizerParts parts;
  for (bool settled = false; !settled;) {
    std::vector<std::string_view> chosen;
    for (std::size_t i = 0; i < std::min(wanted, candidates.size()); ++i) chosen.push_back(candidates[i].text);
    parts = place_ngrams(base, chosen);
    bpe::Bpe const bpe(parts.vocabulary, parts.merges, std::nullopt);
    bpe::EncodeCache cache;
    std::vector<std::int32_t> ids;
    std::unordered_set<std::string_view> lost;
    for (auto const ngram : chosen) {
      ids.clear();
      bpe.encode_into(parts.vocabulary, ngram, ids, cache);
      if (ids.size() != 1) lost.insert(ngram);
    }
    std::erase_if(candidates, [&](Ngram const& ngram) { return lost.contains(ngram.text); });
    settled = lost.empty();
    if (settled && rounds-- > 0 && candidates.size() > wanted) {
      auto const unused = unused_ngrams(parts, bpe, runs, options.min_count);
      std::erase_if(candidates, [&](Ngram const& ngram) { return unused.contains(std::string{ngram.text}); });
      settled = unused.empty();
    }
  }
  while (parts.vocabulary.size() < options.vocab_size)
    parts.vocabulary.add(gt::text("<unused_", parts.vocabulary.size(), ">"), TokenKind::unused);
  return parts;
}

}  // namespace detail

}  // namespace gt::inline GT_ABI
