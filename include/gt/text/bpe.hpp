// SPDX-License-Identifier: MIT
// Byte-pair encoding of whole texts: the merge list of an n-gram vocabulary, and the machine that applies one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/text/vocabulary.hpp"

namespace gt::inline GT_ABI::bpe {

/// Two neighbouring tokens that become one. Its rank is its place in the merge list.
struct Merge {
  std::int32_t left = 0, right = 0, result = 0;  ///< ids; token(result) = token(left) + token(right)
  friend constexpr bool operator==(Merge const&, Merge const&) = default;
};

/// The merge list of an n-gram vocabulary: for each n-gram in the given order, every split into two parts that are
/// both tokens of text, shortest left part first. Pass the n-grams longest first, and the longest win.
/// Source: the author's tokenizers bvv241 (arXiv:2507.04886), whose merge lists this reproduces.
std::vector<Merge> merges(Vocabulary const& vocabulary, std::span<std::int32_t const> ngrams_in_order);

namespace detail {

/// Remembers what segments of text became; bounded, and forgets everything when it is full. A segment whose place and
/// all near it are taken is not kept: text can be made whose segments all have one hash.
class SegmentCache {
 public:
  static constexpr std::size_t max_segment = 64;  ///< bytes; longer segments seldom come back

  /// The ids of a segment seen before; a null span otherwise.
  std::span<std::int32_t const> find(std::uint64_t hash, std::string_view segment) const;
  void insert(std::uint64_t hash, std::string_view segment, std::span<std::int32_t const> ids);

 private:
  struct Slot {
    std::uint64_t hash = 0;
    std::uint32_t text = 0, ids = 0, length = 0, count = 0;  // length 0: free
  };
  static constexpr std::size_t max_segments = std::size_t{1} << 16;
  static constexpr std::size_t most_steps = 64;
  // A free slot, or null where there is none near.
  Slot* place(std::uint64_t hash);
  std::vector<Slot> slots_ = std::vector<Slot>(256);
  std::vector<char> text_;
  std::vector<std::int32_t> ids_;
  std::size_t mask_ = 255, count_ = 0;
};

}  // namespace detail

/// What one thread keeps between calls of `encode_into`: finished segments and scratch memory. Starts afresh when it
/// meets another tokenizer.
class EncodeCache {
 private:
  friend class Bpe;
  struct Symbol {
    std::int32_t id, previous, next;  // previous, next: positions, -1 at the ends; id -1: merged away
  };
  std::uint64_t serial_ = 0;  // of the Bpe that filled it
  detail::SegmentCache segments_;
  std::vector<Symbol> symbols_;
  std::vector<std::uint64_t> queue_;                // rank << 32 | position, a min-heap
  std::vector<std::int32_t> right_, middle_, two_;  // of a long segment
};

/// Applies a merge list: repeatedly the pair of lowest rank, the leftmost first, over the whole text, exactly as if the
/// text were one word. Speed comes from cutting the text where no merge can cross (no merge joins the two characters
/// there), which leaves the result unchanged, and from remembering the segments.
class Bpe {
 public:
  Bpe() = default;
  /// Merges must join two tokens of text (characters or n-grams) into the token that is their concatenation.
  /// `unknown`: the id for what neither a character nor byte tokens can spell.
  Bpe(Vocabulary const& vocabulary, std::vector<Merge> merges, std::optional<std::int32_t> unknown);

  std::vector<Merge> const& merges() const { return merges_; }      ///< by rank
  std::optional<std::int32_t> unknown() const { return unknown_; }  ///< for what has no token

  /// Appends the ids of `text`. Throws if a character has no token, no byte tokens, and there is no unknown token.
  void encode_into(Vocabulary const& vocabulary, std::string_view text, std::vector<std::int32_t>& ids,
                   EncodeCache& cache) const;

 private:
  struct Segment {
    std::size_t size = 0;  // bytes
    bool single = true;    // one character or one malformed byte
    std::uint64_t hash = 0;
  };
  static constexpr std::int64_t max_merges = std::int64_t{1} << 28;
  static constexpr std::size_t block = 64;  // bytes of a segment that are merged at a time

  static std::uint64_t key(std::int32_t left, std::int32_t right);
  static char32_t last_character(std::string_view token);
  void join(char32_t a, char32_t b);
  /// Does some merge put these two characters side by side?
  bool joined(char32_t a, char32_t b) const;
  /// The longest stretch from `at` on whose neighbouring characters may all be joined by merges.
  Segment next_segment(std::string_view text, std::size_t at) const;
  /// A character by itself, spelled in bytes if it has no token; or one malformed byte.
  void append_unit(Vocabulary const& vocabulary, std::string_view piece, std::vector<std::int32_t>& ids) const;
  /// Merges a long segment block by block. Tokens are what merging makes of their texts together if each two neighbours
  /// are what it makes of those two: the first merge across a border joins ends of the two tokens beside it, and would
  /// come in those alone as well. So where two blocks meet, their last and first tokens are merged again, more of them
  /// until what comes out and the tokens beside it stay as they are.
  void merge_long_segment(Vocabulary const& vocabulary, std::string_view segment, std::vector<std::int32_t>& ids,
                          EncodeCache& cache) const;
  /// Merges one segment, all of whose characters have tokens.
  void merge_segment(Vocabulary const& vocabulary, std::string_view segment, std::vector<std::int32_t>& ids,
                     EncodeCache& cache) const;
  /// Looks for the lowest rank anew before each merge.
  void merge_few(Vocabulary const& vocabulary, std::string_view segment, std::vector<std::int32_t>& ids) const;
  /// Keeps the ranks in a heap: O(n log n).
  void merge_many(Vocabulary const& vocabulary, std::string_view segment, std::vector<std::int32_t>& ids,
                  EncodeCache& cache) const;

  std::vector<Merge> merges_;
  std::optional<std::int32_t> unknown_;
  std::uint64_t serial_ = 0;  // copies are alike and share it
  gt::detail::IdMap ranks_;   // (left, right) -> rank
  gt::detail::IdMap joins_;   // (character, character) -> 1, where one of them is not ASCII
  std::array<std::array<std::uint64_t, 2>, 128> ascii_joins_{};
};

}  // namespace gt::bpe

#if !defined(GT_PREBUILT)
  #include "gt/text/bpe_impl.hpp"
#endif
