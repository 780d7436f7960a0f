// SPDX-License-Identifier: MIT
// What gt/text/bpe.hpp declares.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/text/bpe.hpp"
#include "gt/text/utf8.hpp"
#include "gt/text/vocabulary.hpp"

namespace gt::inline GT_ABI::bpe {

GT_FN std::vector<Merge> merges(Vocabulary const& vocabulary, std::span<std::int32_t const> ngrams_in_order) {
  std::vector<Merge> merges;
  for (std::int32_t const result : ngrams_in_order) {
    std::string_view const token = vocabulary.token(result);
    for (std::size_t cut = utf8::decode(token, 0).size; cut < token.size(); cut += utf8::decode(token, cut).size) {
      auto const left = vocabulary.text_id(token.substr(0, cut)), right = vocabulary.text_id(token.substr(cut));
      if (left >= 0 && right >= 0) merges.push_back({left, right, result});
    }
  }
  return merges;
}

namespace detail {

GT_FN std::span<std::int32_t const> SegmentCache::find(std::uint64_t hash, std::string_view segment) const {
  for (std::size_t i = hash & mask_, step = 0; step < most_steps; i = (i + 1) & mask_, ++step) {
    Slot const& slot = slots_[i];
    if (slot.length == 0) break;
    if (slot.hash == hash && slot.length == segment.size() &&
        std::memcmp(text_.data() + slot.text, segment.data(), segment.size()) == 0)
      return {ids_.data() + slot.ids, slot.count};
  }
  return {};
}

GT_FN void SegmentCache::insert(std::uint64_t hash, std::string_view segment, std::span<std::int32_t const> ids) {
  if (count_ == max_segments || slots_.empty()) {
    count_ = 0;
    text_.clear(), ids_.clear();
    slots_.assign(slots_.empty() ? 256 : slots_.size(), {});
    mask_ = slots_.size() - 1;
  }
  if (2 * (count_ + 1) > slots_.size()) {
    std::vector<Slot> old(4 * slots_.size());
    old.swap(slots_);
    mask_ = slots_.size() - 1;
    for (Slot const& slot : old)
      if (Slot* const free = slot.length != 0 ? place(slot.hash) : nullptr) *free = slot;
  }
  Slot* const free = place(hash);
  if (!free) return;
  *free = {hash, static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(ids_.size()),
           static_cast<std::uint32_t>(segment.size()), static_cast<std::uint32_t>(ids.size())};
  text_.insert(text_.end(), segment.begin(), segment.end());
  ids_.insert(ids_.end(), ids.begin(), ids.end());
  ++count_;
}

GT_FN SegmentCache::Slot* SegmentCache::place(std::uint64_t hash) {
  for (std::size_t i = hash & mask_, step = 0; step < most_steps; i = (i + 1) & mask_, ++step)
    if (slots_[i].length == 0) return &slots_[i];
  return nullptr;
}

}  // namespace detail

GT_FN Bpe::Bpe(Vocabulary const& vocabulary, std::vector<Merge> merges, std::optional<std::int32_t> unknown)
    : merges_{std::move(merges)}, unknown_{unknown} {
  static std::atomic<std::uint64_t> serials{0};
  serial_ = ++serials;
  constexpr std::string_view where = "Bpe";
  check(!unknown || vocabulary.contains(*unknown), where, "the unknown token must be in the vocabulary");
  check(static_cast<std::int64_t>(merges_.size()) <= max_merges, where, "at most ", max_merges, " merges");
  for (std::size_t rank = 0; rank < merges_.size(); ++rank) {
    auto const [left, right, result] = merges_[rank];
    check(vocabulary.contains(left) && vocabulary.contains(right) && vocabulary.contains(result), where, "merge ", rank,
          " must name ids of the vocabulary");
    check(vocabulary.is_text(left) && vocabulary.is_text(right) && vocabulary.is_text(result), where, "merge ", rank,
          " must join characters and n-grams (got '", vocabulary.token(left), "' + '", vocabulary.token(right), "')");
    check(vocabulary.token(result) == vocabulary.token(left) + vocabulary.token(right), where, "merge ", rank,
          " must give the concatenation of its parts (got '", vocabulary.token(result), "')");
    check(ranks_.insert(key(left, right), static_cast<std::int32_t>(rank)), where,
          "every pair may merge in one way (got '", vocabulary.token(left), "' + '", vocabulary.token(right),
          "' twice)");
    char32_t const a = last_character(vocabulary.token(left)), b = utf8::decode(vocabulary.token(right), 0).value;
    if (vocabulary.character(a) >= 0 && vocabulary.character(b) >= 0) join(a, b);  // else text never gets here
  }
}

GT_FN void Bpe::encode_into(Vocabulary const& vocabulary, std::string_view text, std::vector<std::int32_t>& ids,
                            EncodeCache& cache) const {
  if (cache.serial_ != serial_) {
    cache.segments_ = {};
    cache.serial_ = serial_;
  }
  for (std::size_t at = 0; at < text.size();) {
    Segment const segment = next_segment(text, at);
    auto const piece = text.substr(at, segment.size);
    at += segment.size;
    if (segment.single) {
      append_unit(vocabulary, piece, ids);
      continue;
    }
    bool const short_enough = piece.size() <= detail::SegmentCache::max_segment;
    if (short_enough) {
      if (auto const known = cache.segments_.find(segment.hash, piece); !known.empty()) {
        ids.insert(ids.end(), known.begin(), known.end());
        continue;
      }
    }
    std::size_t const before = ids.size();
    if (piece.size() <= 2 * block) {
      merge_segment(vocabulary, piece, ids, cache);
    } else {
      merge_long_segment(vocabulary, piece, ids, cache);
    }
    if (short_enough) cache.segments_.insert(segment.hash, piece, std::span<std::int32_t const>(ids).subspan(before));
  }
}

GT_FN std::uint64_t Bpe::key(std::int32_t left, std::int32_t right) {
  return std::uint64_t{static_cast<std::uint32_t>(left)} << 32 | static_cast<std::uint32_t>(right);
}

GT_FN char32_t Bpe::last_character(std::string_view token) {
  char32_t last = 0;
  for (utf8::Unit const unit : utf8::Units{token}) last = unit.value;
  return last;
}

GT_FN void Bpe::join(char32_t a, char32_t b) {
  if (a < 128 && b < 128) {
    ascii_joins_[a][b >> 6] |= std::uint64_t{1} << (b & 63);
  } else {
    joins_.insert(std::uint64_t{a} << 32 | b, 1);
  }
}

GT_FN bool Bpe::joined(char32_t a, char32_t b) const {
  if (a < 128 && b < 128) return (ascii_joins_[a][b >> 6] >> (b & 63) & 1) != 0;
  return joins_.find(std::uint64_t{a} << 32 | b) >= 0;
}

GT_FN Bpe::Segment Bpe::next_segment(std::string_view text, std::size_t at) const {
  utf8::Unit unit = utf8::decode(text, at);
  Segment segment{unit.size, true, unit.value};
  while (unit.valid && at + segment.size < text.size()) {
    utf8::Unit const next = utf8::decode(text, at + segment.size);
    if (!next.valid || !joined(unit.value, next.value)) break;
    segment.size += next.size;
    segment.single = false;
    segment.hash = (segment.hash ^ segment.hash >> 29 ^ next.value) * 0x9E3779B97F4A7C15u;
    unit = next;
  }
  segment.hash ^= segment.hash >> 32;
  return segment;
}

GT_FN void Bpe::append_unit(Vocabulary const& vocabulary, std::string_view piece,
                            std::vector<std::int32_t>& ids) const {
  utf8::Unit const unit = utf8::decode(piece, 0);
  std::int32_t const own = unit.valid ? vocabulary.character(unit.value) : -1;
  if (own >= 0) return ids.push_back(own);
  bool const spelled = std::all_of(piece.begin(), piece.end(),
                                   [&](char c) { return vocabulary.byte(static_cast<unsigned char>(c)) >= 0; });
  if (spelled) {
    for (char const c : piece) ids.push_back(vocabulary.byte(static_cast<unsigned char>(c)));
    return;
  }
  if (!unknown_)
    fail("Tokenizer::encode", "every character needs a token, byte tokens or an unknown token (got '",
         unit.valid ? std::string{piece} : byte_token(static_cast<unsigned char>(piece[0])), "')");
  ids.push_back(*unknown_);
}

GT_FN void Bpe::merge_long_segment(Vocabulary const& vocabulary, std::string_view segment,
                                   std::vector<std::int32_t>& ids, EncodeCache& cache) const {
  auto const bytes = [&](std::int32_t id) { return vocabulary.token(id).size(); };
  auto const first = ids.size();
  auto &right = cache.right_, &middle = cache.middle_, &two = cache.two_;
  // Whether merging leaves two tokens, of which the first begins at `from`, as they are.
  auto const stay = [&](std::size_t from, std::int32_t a, std::int32_t b) {
    two.clear();
    merge_segment(vocabulary, segment.substr(from, bytes(a) + bytes(b)), two, cache);
    return two.size() == 2 && two[0] == a;
  };
  for (std::size_t at = 0; at < segment.size();) {
    std::size_t const size = utf8::complete_prefix(segment.substr(at, block));
    right.clear();
    merge_segment(vocabulary, segment.substr(at, size), right, cache);
    std::size_t last = 0, next = 0;    // tokens left and right of the border that are merged again
    std::size_t begin = at, end = at;  // what they spell
    for (bool to_left = at > 0, to_right = at > 0; to_left || to_right;) {
      for (std::size_t n = to_left ? last + 1 : 0; n > 0 && last < ids.size() - first; --n)
        begin -= bytes(ids[ids.size() - ++last]);
      for (std::size_t n = to_right ? next + 1 : 0; n > 0 && next < right.size(); --n) end += bytes(right[next++]);
      middle.clear();
      merge_segment(vocabulary, segment.substr(begin, end - begin), middle, cache);
      std::int32_t const before = last < ids.size() - first ? ids[ids.size() - last - 1] : -1;
      to_left = before >= 0 && middle[0] != ids[ids.size() - last] && !stay(begin - bytes(before), before, middle[0]);
      to_right = next < right.size() && middle.back() != right[next - 1] &&
                 !stay(end - bytes(middle.back()), middle.back(), right[next]);
    }
    ids.resize(ids.size() - last);
    ids.insert(ids.end(), middle.begin(), last > 0 ? middle.end() : middle.begin());
    ids.insert(ids.end(), right.begin() + static_cast<std::ptrdiff_t>(next), right.end());
    at += size;
  }
}

GT_FN void Bpe::merge_segment(Vocabulary const& vocabulary, std::string_view segment, std::vector<std::int32_t>& ids,
                              EncodeCache& cache) const {
  if (segment.size() <= block) {
    merge_few(vocabulary, segment, ids);
  } else {
    merge_many(vocabulary, segment, ids, cache);
  }
}

GT_FN void Bpe::merge_few(Vocabulary const& vocabulary, std::string_view segment,
                          std::vector<std::int32_t>& ids) const {
  constexpr std::int32_t none = std::numeric_limits<std::int32_t>::max();
  std::array<std::int32_t, block> symbols, ranks;  // ranks[i]: of symbols i and i + 1
  std::size_t size = 0;
  for (utf8::Unit const unit : utf8::Units{segment}) symbols[size++] = vocabulary.character(unit.value);
  auto const rank = [&](std::size_t i) {
    std::int32_t const found = ranks_.find(key(symbols[i], symbols[i + 1]));
    ranks[i] = found < 0 ? none : found;
  };
  for (std::size_t i = 0; i + 1 < size; ++i) rank(i);
  while (size > 1) {
    auto const least = std::min_element(ranks.begin(), ranks.begin() + static_cast<std::ptrdiff_t>(size) - 1);
    if (*least == none) break;
    auto const i = static_cast<std::size_t>(least - ranks.begin());
    symbols[i] = merges_[static_cast<std::size_t>(*least)].result;
    --size;
    std::copy(symbols.begin() + static_cast<std::ptrdiff_t>(i) + 2,
              symbols.begin() + static_cast<std::ptrdiff_t>(size) + 1,
              symbols.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    std::copy(least + 1, ranks.begin() + static_cast<std::ptrdiff_t>(size), least);
    if (i > 0) rank(i - 1);
    if (i + 1 < size) rank(i);
  }
  ids.insert(ids.end(), symbols.begin(), symbols.begin() + static_cast<std::ptrdiff_t>(size));
}

GT_FN void Bpe::merge_many(Vocabulary const& vocabulary, std::string_view segment, std::vector<std::int32_t>& ids,
                           EncodeCache& cache) const {
  auto& symbols = cache.symbols_;
  auto& queue = cache.queue_;
  symbols.clear(), queue.clear();
  check(segment.size() < std::size_t{1} << 31, "Tokenizer::encode", "a run of letters must stay below 2 GiB");
  for (utf8::Unit const unit : utf8::Units{segment}) {
    auto const i = static_cast<std::int32_t>(symbols.size());
    symbols.push_back({vocabulary.character(unit.value), i - 1, i + 1});
  }
  symbols.back().next = -1;
  auto const push = [&](std::int32_t position) {
    if (position < 0) return;
    auto const& symbol = symbols[static_cast<std::size_t>(position)];
    if (symbol.next < 0) return;
    std::int32_t const rank = ranks_.find(key(symbol.id, symbols[static_cast<std::size_t>(symbol.next)].id));
    if (rank < 0) return;
    queue.push_back(key(rank, position));
    std::push_heap(queue.begin(), queue.end(), std::greater<>{});
  };
  for (std::size_t i = 0; i < symbols.size(); ++i) push(static_cast<std::int32_t>(i));
  while (!queue.empty()) {
    std::pop_heap(queue.begin(), queue.end(), std::greater<>{});
    auto const position = static_cast<std::int32_t>(queue.back() & 0xFFFFFFFFu);
    Merge const merge = merges_[static_cast<std::size_t>(queue.back() >> 32)];
    queue.pop_back();
    auto& symbol = symbols[static_cast<std::size_t>(position)];
    if (symbol.id != merge.left || symbol.next < 0) continue;  // the pair is gone
    auto& right = symbols[static_cast<std::size_t>(symbol.next)];
    if (right.id != merge.right) continue;
    symbol.id = merge.result;
    right.id = -1;
    symbol.next = right.next;
    if (right.next >= 0) symbols[static_cast<std::size_t>(right.next)].previous = position;
    push(symbol.previous);
    push(position);
  }
  for (auto const& symbol : symbols)
    if (symbol.id >= 0) ids.push_back(symbol.id);
}

}  // namespace gt::bpe
