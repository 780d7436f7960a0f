// SPDX-License-Identifier: MIT
// What gt/text/tokenizer_build.hpp declares.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
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

/// The runs of a text with their counts, by first appearance.
GT_FN std::vector<std::pair<std::string_view, std::int64_t>> count_runs(std::string_view text) {
  std::vector<std::pair<std::string_view, std::int64_t>> runs;
  std::unordered_map<std::string_view, std::size_t> places;
  std::size_t begin = 0;
  RunClass current = RunClass::none;
  auto const close = [&](std::size_t end) {
    if (current == RunClass::none || end == begin) return;
    auto const run = text.substr(begin, end - begin);
    auto const [place, fresh] = places.emplace(run, runs.size());
    if (fresh) runs.emplace_back(run, 0);
    ++runs[place->second].second;
  };
  for (std::size_t at = 0; at < text.size();) {
    Utf8Unit const unit = decode_utf8(text, at);
    RunClass const next = unit.valid ? run_class(unit.value) : RunClass::none;
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
/// an n-gram is counted only if both (n-1)-grams in it are frequent enough, which bounds the memory.
GT_FN std::vector<Ngram> rank_ngrams(std::string_view text, TokenizerOptions const& options) {
  using Counts = std::unordered_map<std::string_view, std::int64_t>;
  auto const runs = count_runs(text);
  std::vector<Ngram> ranked;
  Counts shorter;
  std::vector<std::size_t> starts;
  for (int n = 2; n <= options.max_ngram; ++n) {
    auto const length = static_cast<std::size_t>(n);
    Counts counts;
    for (auto const& [run, count] : runs) {
      starts.clear();
      for (std::size_t at = 0; at < run.size(); at += decode_utf8(run, at).size) starts.push_back(at);
      if (starts.size() < length) continue;
      starts.push_back(run.size());
      auto const window = [&, run = run](std::size_t i, std::size_t size) {
        return run.substr(starts[i], starts[i + size] - starts[i]);
      };
      bool left = n == 2 || shorter.contains(window(0, length - 1));
      for (std::size_t i = 0; i + length < starts.size(); ++i) {
        bool const right = n == 2 || shorter.contains(window(i + 1, length - 1));
        if (left && right) counts[window(i, length)] += count;
        left = right;
      }
    }
    std::erase_if(counts, [&](auto const& entry) { return entry.second < options.min_count; });
    if (n >= options.min_ngram)
      for (auto const& [ngram, count] : counts) ranked.push_back({ngram, count * (n - 1)});
    shorter = std::move(counts);
  }
  std::sort(ranked.begin(), ranked.end(),
            [](Ngram const& a, Ngram const& b) { return a.score != b.score ? a.score > b.score : a.text < b.text; });
  return ranked;
}

/// Specials, then byte tokens by value, then characters by code point.
GT_FN Vocabulary base_vocabulary(std::string_view text, TokenizerOptions const& options) {
  constexpr std::string_view where = "Tokenizer::build";
  std::set<char32_t> alphabet;
  for (Utf8Unit const unit : Utf8Units{text})
    if (unit.valid) alphabet.insert(unit.value);
  Vocabulary vocabulary;
  for (std::string const& special : options.specials) {
    check(
        is_utf8(special) && utf8_length(special) > 1 && special.find('\n') == special.npos && !byte_of_token(special) &&
            !is_unused_token(special),
        where,
        "a special token must be UTF-8 of two characters or more, with no newline, and not written as a byte or unused "
        "token (got '",
        special, "')");
    vocabulary.add(special, TokenKind::special);
  }
  for (int byte = 0; byte < 256; ++byte)
    if (byte >= 128 || !alphabet.contains(static_cast<char32_t>(byte)))
      vocabulary.add(byte_token(static_cast<unsigned char>(byte)), TokenKind::byte);
  for (char32_t const c : alphabet) vocabulary.add(encode_utf8(c), TokenKind::character);
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
  for (auto const ngram : ngrams) order.emplace_back(utf8_length(ngram), ngram);
  std::sort(order.begin(), order.end(),
            [](auto const& a, auto const& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
  std::vector<std::int32_t> ids;
  for (auto const& [length, ngram] : order) ids.push_back(vocabulary.add(std::string{ngram}, TokenKind::ngram));
  auto merges = bpe_merges(vocabulary, ids);
  return {std::move(vocabulary), std::move(merges)};
}

/// Marks an n-gram and all that merging makes on the way to it, by its spelling alone.
GT_FN void mark_with_parts(TokenizerParts const& parts,
                           std::map<std::pair<std::int32_t, std::int32_t>, std::size_t> const& ranks, std::int32_t id,
                           std::vector<char>& marked) {
  marked[static_cast<std::size_t>(id)] = 1;
  std::vector<std::int32_t> word;
  for (Utf8Unit const unit : Utf8Units{parts.vocabulary.token(id)}) {
    word.push_back(parts.vocabulary.id(encode_utf8(unit.value)).value());
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

/// The n-grams that merging makes of `text` fewer than `min_count` times, and that no other n-gram is made from: long
/// windows over one frequent word overlap, and only some of them ever win.
GT_FN std::unordered_set<std::string> unused_ngrams(TokenizerParts const& parts, Bpe const& bpe, std::string_view text,
                                                    std::int64_t min_count) {
  std::vector<std::int32_t> ids;
  EncodeCache cache;
  bpe.encode_into(parts.vocabulary, text, ids, cache);
  auto const size = static_cast<std::size_t>(parts.vocabulary.size());
  std::vector<std::int64_t> uses(size);
  for (auto const id : ids) ++uses[static_cast<std::size_t>(id)];
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
  auto candidates = rank_ngrams(corpus.split(options.held_out).train, options);
  std::erase_if(candidates, [&](Ngram const& ngram) { return base.id(ngram.text).has_value(); });  // a special's text

  constexpr int most_rounds = 12;  // each round finds fewer unused n-grams; the last few are not worth the time
  int rounds = options.drop_unused ? most_rounds : 0;
  TokenizerParts parts;
  for (bool settled = false; !settled;) {
    std::vector<std::string_view> chosen;
    for (std::size_t i = 0; i < std::min(wanted, candidates.size()); ++i) chosen.push_back(candidates[i].text);
    parts = place_ngrams(base, chosen);
    Bpe const bpe(parts.vocabulary, parts.merges, std::nullopt);
    EncodeCache cache;
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
      auto const unused = unused_ngrams(parts, bpe, corpus.split(options.held_out).train, options.min_count);
      std::erase_if(candidates, [&](Ngram const& ngram) { return unused.contains(std::string{ngram.text}); });
      settled = unused.empty();
    }
  }
  while (parts.vocabulary.size() < options.vocab_size)
    parts.vocabulary.add(gt::text("<unused_", parts.vocabulary.size(), ">"), TokenKind::unused);
  return parts;
}

}  // namespace detail

}  // namespace gt
