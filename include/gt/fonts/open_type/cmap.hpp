// SPDX-License-Identifier: MIT
// The table cmap of a font: which glyph draws which character.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "gt/fonts/open_type/bytes.hpp"
#include "gt/text/utf8.hpp"

namespace gt::inline GT_ABI::fonts::detail {

/// A character and the glyph that draws it.
struct MappedGlyph {
  char32_t character = 0;
  std::uint16_t glyph = 0;
};

/// Collects pairs in order; glyph 0 stands for "missing", and what is no character is left out.
template <class Bytes>
class CharacterMap {
 public:
  CharacterMap(Bytes const& bytes, int glyphs) : bytes_{bytes}, glyphs_{glyphs} {}
  void add(std::uint32_t character, std::uint32_t glyph) {
    if (glyph == 0 || !utf8::is_scalar_value(character)) return;
    bytes_.check(glyph < static_cast<std::uint32_t>(glyphs_), "must map characters to glyphs below ", glyphs_, " (got ",
                 glyph, ")");
    pairs_.push_back({character, static_cast<std::uint16_t>(glyph)});
  }
  /// A run of characters must start after the run before it: so the pairs are sorted, and fewer than 0x110000.
  void begin_run(std::uint32_t first, std::uint32_t last) {
    bytes_.check(first >= next_ && first <= last && last <= 0x10FFFF, "must list its runs of characters in order (got ",
                 first, " to ", last, " at or after ", next_, ")");
    next_ = last + 1;
  }
  std::vector<MappedGlyph> take() { return std::move(pairs_); }

 private:
  Bytes bytes_;
  int glyphs_;
  std::uint32_t next_ = 0;
  std::vector<MappedGlyph> pairs_;
};

/// Format 4: segments of the first 65,536 characters. Four arrays of n numbers, with a pad after the first:
/// end, start, delta, offset; a glyph is (character + delta) mod 65536, or, where offset is not 0, stands that many
/// bytes after the offset itself.
template <class Bytes>
void read_cmap_4(Bytes const& t, CharacterMap<Bytes>& map) {
  std::size_t const n = t.u16(6) / 2, ends = 14, starts = ends + 2 * n + 2, deltas = starts + 2 * n,
                    offsets = deltas + 2 * n;
  for (std::size_t i = 0; i < n; ++i) {
    auto const first = t.u16(starts + 2 * i), last = t.u16(ends + 2 * i), offset = t.u16(offsets + 2 * i);
    if (first == 0xFFFF) break;  // the closing segment, which many fonts fill with nonsense
    map.begin_run(first, last);
    for (unsigned c = first; c <= last && c != 0xFFFF; ++c) {
      unsigned glyph = c;
      if (offset != 0) glyph = t.u16(offsets + 2 * i + offset + 2 * std::size_t{c - first});
      if (offset == 0 || glyph != 0) glyph = (glyph + t.u16(deltas + 2 * i)) & 0xFFFF;
      map.add(c, glyph);
    }
  }
}
/// Formats 12 and 13: groups of first character, last character, glyph; in 13 one glyph serves the whole group.
template <class Bytes>
void read_cmap_groups(Bytes const& t, bool one_glyph, CharacterMap<Bytes>& map) {
  auto const groups = t.u32(12);
  for (std::uint32_t i = 0; i < groups; ++i) {
    std::size_t const at = 16 + 12 * std::size_t{i};
    auto const first = t.u32(at), last = t.u32(at + 4), glyph = t.u32(at + 8);
    map.begin_run(first, last);
    for (auto c = first; c <= last; ++c) map.add(c, one_glyph ? glyph : glyph + (c - first));
  }
}

/// How much of Unicode a subtable covers by its platform and encoding: 2 all, 1 the first 65,536 characters, 0 none.
inline int cmap_rank(unsigned platform, unsigned encoding) {
  if (platform == 0) return encoding == 4 || encoding == 6 ? 2 : encoding <= 3 ? 1 : 0;  // 5 lists variants
  return platform == 3 && encoding == 10 ? 2 : platform == 3 && encoding == 1 ? 1 : 0;
}

/// The pairs of the subtable that covers most, sorted by character. Formats 0, 4, 6, 10, 12 and 13.
/// Source: OpenType specification 1.9, "cmap".
template <class Bytes>
std::vector<MappedGlyph> read_cmap(Bytes const& table, int glyphs) {
  int best = 0;
  std::size_t at = 0;
  unsigned format = 0;
  for (std::size_t i = 0; i < table.u16(2); ++i) {
    std::size_t const record = 4 + 8 * i, start = table.u32(record + 4);
    int const rank = cmap_rank(table.u16(record), table.u16(record + 2));
    if (rank <= best) continue;
    unsigned const f = table.u16(start);
    if (f != 0 && f != 4 && f != 6 && f != 10 && f != 12 && f != 13) continue;
    best = rank, at = start, format = f;
  }
  table.check(best > 0, "must map Unicode characters (got only other codes)");
  Bytes const t = table.sub(at, table.size() - at);  // lengths inside are wrong in too many fonts
  CharacterMap<Bytes> map(table, glyphs);
  if (format == 0)
    for (std::uint32_t c = 0; c < 256; ++c) map.add(c, t.u8(6 + c));
  if (format == 6)
    for (std::uint32_t i = 0; i < t.u16(8); ++i) map.add(t.u16(6) + i, t.u16(10 + 2 * i));
  if (format == 10) {
    auto const first = t.u32(12), count = t.u32(16);
    if (count > 0) map.begin_run(first, first + (count - 1));
    for (std::uint32_t i = 0; i < count; ++i) map.add(first + i, t.u16(20 + 2 * std::size_t{i}));
  }
  if (format == 4) read_cmap_4(t, map);
  if (format >= 12) read_cmap_groups(t, format == 13, map);
  return map.take();
}

}  // namespace gt::fonts::detail
