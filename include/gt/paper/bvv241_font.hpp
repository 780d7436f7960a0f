// SPDX-License-Identifier: MIT
// The characters of GNU Unifont as the author's program sets them: one by one, and marks on a dotted circle.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "gt/base/error.hpp"
#include "gt/fonts/unifont.hpp"
#include "gt/io/text_file.hpp"

namespace gt::inline GT_ABI {

/// A character set by itself: up to three glyphs and the box around them. Lengths are half pixels of the font, of which
/// an em has 32; x grows to the right from the pen, y downwards from the top line.
struct SetCharacter {
  /// A glyph, and the place of its upper left corner.
  struct Piece {
    fonts::HexGlyph glyph;  ///< its lines, a pixel of which is two half pixels
    int x = 0, y = 0;       ///< right of the pen, below the top line
  };
  std::array<Piece, 3> pieces{};                         ///< the first `count` are drawn
  int count = 0;                                         ///< pieces that are drawn
  int left = 0, right = 0;                               ///< of pen, advance and ink together
  int top = 2 * fonts::HexFont::baseline, bottom = top;  ///< of ink and baseline together
  int width() const noexcept { return right - left; }    ///< of the box
  int height() const noexcept { return bottom - top; }   ///< of the box

  /// Draws a glyph at `x`, `y` too.
  void add(fonts::HexGlyph const& glyph, int x, int y) {
    std::uint32_t columns = 0;
    for (int line = 0; line < 16; ++line) {
      if (glyph.lines[static_cast<std::size_t>(line)] == 0) continue;
      columns |= glyph.lines[static_cast<std::size_t>(line)];
      top = std::min(top, y + 2 * line), bottom = std::max(bottom, y + 2 * line + 2);
    }
    for (int column = 0; column < 16; ++column)
      if ((columns >> (15 - column) & 1) != 0)
        left = std::min(left, x + 2 * column), right = std::max(right, x + 2 * column + 2);
    pieces[static_cast<std::size_t>(count++)] = {glyph, x, y};
  }
};

/// GNU Unifont, its characters set as the golden values of bvv241 were: by Pillow 9.4.0 with libraqm 0.7.0 and HarfBuzz
/// 6.0.0, a character at a time.
///
///     auto const font = gt::Bvv241Font::read("/usr/share/unifont/unifont.hex");
///
/// - A mark stands on a dotted circle (U+25CC); where its glyph lies says Unifont's list plane00-combining.txt. In
///   right-to-left scripts both begin at the pen; Hebrew marks are put over or under the circle by their class.
/// - What Unicode calls default ignorable is blank, or the circle alone if it is a mark; a line feed is blank.
/// - Six Arabic letters take their isolated forms and fourteen presentation forms those ligatures that HarfBuzz 6.0.0
///   gives them (later versions do not); a few characters are drawn as their canonical parts.
/// - What the font lacks looks like U+FFFD.
///
/// Source: the notebooks of AVBochkov/PGT, and what those programs draw: no pixel of any token of bvv241-2-3 and -max
/// differs, with Unifont 15.0.01.
class Bvv241Font {
 public:
  /// `combining`: plane00-combining.txt; if empty, the one in the folder of `hex`. Debian's package unifont has both.
  /// Errors: files that cannot be read, or that `parse` refuses.
  static Bvv241Font read(std::string const& hex, std::string combining = "") {
    if (combining.empty()) combining = hex.substr(0, hex.rfind('/') + 1) + "plane00-combining.txt";
    auto font = fonts::HexFont::read(hex);
    std::string list;
    try {
      list = read_text_file(combining);
    } catch (Error const& missing) {
      throw Error(text(missing.what(), "; it says where combining marks lie, and Debian's package unifont has it"));
    }
    return Bvv241Font(std::move(font), list, combining);
  }
  /// From the texts of both files: `CODE:BITMAP` lines, and `CODE:OFFSET` lines, in hexadecimal and in decimal pixels.
  static Bvv241Font parse(std::string_view hex, std::string_view combining) {
    return Bvv241Font(fonts::HexFont::parse(hex), combining, "combining");
  }

  fonts::HexFont const& font() const noexcept { return font_; }  ///< the glyphs

  /// How a character is drawn.
  SetCharacter set(char32_t c) const {
    constexpr char32_t circle = 0x25CC;
    SetCharacter out;
    auto const place = [&](char32_t glyph, int pen, int x = 0, int y = 0) {  // pen in pixels
      auto const offset = combining_.find(glyph);
      bool const listed = offset != combining_.end();
      out.add(drawn(glyph), 2 * (pen + (listed ? offset->second : 0)) + x, y);
      if (!listed && !is_unlisted_mark(glyph)) out.right = std::max(out.right, 2 * (pen + drawn(glyph).width));
    };
    if (is_blank(c)) return out;
    if (c == 0x0E33 || c == 0x0EB3) {  // am is a ring and aa
      place(c == 0x0E33 ? 0x0E4D : 0x0ECD, 0);
      place(c - 1, 0);
    } else if (is_blank_mark(c)) {
      place(circle, 0);
    } else if (c == 0x302E || c == 0x302F) {  // tone marks of Hangul
      place(circle, 0), place(circle, 8), place(c, 16);
    } else if (is_hebrew(c) && combining_.contains(c)) {
      auto const [x, y] = hebrew_shift(c);
      place(c, 0, x, y), place(circle, 0);
    } else if (combining_.contains(c) && (is_right_to_left(c) || (c >= 0x17C1 && c <= 0x17C3))) {
      place(c, 0), place(circle, 0);
    } else if (combining_.contains(c) || is_unlisted_mark(c)) {
      auto const [first, second] = parts(c);
      place(circle, 0), place(first, 8);
      if (second != 0) place(second, 8);
    } else {
      place(substitute(c), 0);
    }
    return out;
  }

 private:
  Bvv241Font(fonts::HexFont font, std::string_view combining, std::string_view name) : font_{std::move(font)} {
    for (int line = 1; !combining.empty(); ++line) {
      auto row = combining.substr(0, combining.find('\n'));
      combining.remove_prefix(std::min(row.size() + 1, combining.size()));
      if (row.ends_with('\r')) row.remove_suffix(1);
      if (row.empty()) continue;
      std::uint32_t code = 0;
      int offset = 0;
      char const* const end = row.data() + row.size();
      auto const [colon, bad_code] = std::from_chars(row.data(), end, code, 16);
      bool shaped = bad_code == std::errc() && colon != end && *colon == ':';
      if (shaped) {
        auto const [stop, bad_offset] = std::from_chars(colon + 1, end, offset);
        shaped = bad_offset == std::errc() && stop == end && code <= 0x10FFFF && offset >= -16 && offset <= 16;
      }
      check(shaped, "Bvv241Font", "line ", line, " of ", name,
            " must read CODE:OFFSET, as 0300:-8, with an OFFSET from -16 to 16; only GNU Unifont's list "
            "plane00-combining.txt is read here");
      combining_.insert_or_assign(static_cast<char32_t>(code), offset);
    }
    check(!combining_.empty(), "Bvv241Font", name, " must say where at least one mark lies (got an empty list)");
  }

  fonts::HexGlyph drawn(char32_t c) const {
    for (char32_t const each : {c, char32_t{0xFFFD}})
      if (auto const* const glyph = font_.glyph(each)) return *glyph;
    return fonts::hex_box(static_cast<std::uint32_t>(c));
  }
  static constexpr bool within(char32_t c, char32_t first, char32_t last) { return c >= first && c <= last; }
  static constexpr bool is_blank(char32_t c) {
    return c == 0x000A || c == 0x00AD || c == 0x061C || c == 0x180E || within(c, 0x200B, 0x200F) ||
           within(c, 0x202A, 0x202E) || within(c, 0x2060, 0x206F) || c == 0xFEFF || within(c, 0xFFF0, 0xFFF8);
  }
  static constexpr bool is_blank_mark(char32_t c) {
    return c == 0x034F || c == 0x17B4 || c == 0x17B5 || within(c, 0x180B, 0x180D) || within(c, 0xFE00, 0xFE0F);
  }
  /// Marks that Unifont draws as if they were none.
  static constexpr bool is_unlisted_mark(char32_t c) {
    return c == 0x0CF3 || c == 0x180F || c == 0x1885 || c == 0x1886;
  }
  static constexpr bool is_hebrew(char32_t c) { return within(c, 0x0591, 0x05C7) || c == 0xFB1E; }
  /// Marks of right-to-left scripts; those of several scripts, as the vowels of Arabic, count as left-to-right.
  static constexpr bool is_right_to_left(char32_t c) {
    return within(c, 0x0590, 0x08FF) && !within(c, 0x064B, 0x0655) && c != 0x0670;
  }

  /// Where a Hebrew mark goes from the pen, in half pixels: above or below the circle, a pixel from it, and over its
  /// middle, left or right edge, by its canonical combining class; it never goes up when below, and half way down when
  /// above. Source: hb-ot-shape-fallback of HarfBuzz, as observed.
  std::pair<int, int> hebrew_shift(char32_t c) const {
    if (c == 0x05BC) return {0, 0};  // dagesh, inside
    auto const ink = box(drawn(c));  // half pixels
    auto const around = box(drawn(0x25CC));
    bool const at_left = c == 0x05AE || c == 0x05B9 || c == 0x05BA || c == 0x05C2;
    bool const at_right = c == 0x059A || c == 0x05AD || c == 0x05C1;
    bool const below = c == 0x0591 || c == 0x0596 || c == 0x059A || c == 0x059B || within(c, 0x05A2, 0x05A7) ||
                       c == 0x05AA || c == 0x05AD || within(c, 0x05B0, 0x05B8) || c == 0x05BB || c == 0x05BD ||
                       c == 0x05C5 || c == 0x05C7;
    int const gap = c == 0x05BF ? 0 : 2;
    int const x = at_left ? -ink.left : at_right ? 16 - ink.right : 8 - (ink.left + ink.right) / 2;
    if (below) return {x, std::max(0, around.bottom + gap - ink.top)};
    int const y = around.top - gap - ink.bottom;
    return {x, y > 0 ? y / 2 : y};
  }
  /// Of the ink alone.
  static SetCharacter box(fonts::HexGlyph const& glyph) {
    SetCharacter out;
    out.left = out.top = 32, out.right = out.bottom = 0;
    out.add(glyph, 0, 0);
    return out;
  }

  /// The canonical parts of marks that are drawn in parts; of others the mark itself.
  static constexpr std::pair<char32_t, char32_t> parts(char32_t c) {
    constexpr std::array<std::array<char32_t, 3>, 14> all{{{0x0340, 0x0300, 0},
                                                           {0x0341, 0x0301, 0},
                                                           {0x0344, 0x0308, 0x0301},
                                                           {0x0F73, 0x0F71, 0x0F72},
                                                           {0x0F75, 0x0F71, 0x0F74},
                                                           {0x0F76, 0x0FB2, 0x0F80},
                                                           {0x0F78, 0x0FB3, 0x0F80},
                                                           {0x0F81, 0x0F71, 0x0F80},
                                                           {0x0F93, 0x0F92, 0x0FB7},
                                                           {0x0F9D, 0x0F9C, 0x0FB7},
                                                           {0x0FA2, 0x0FA1, 0x0FB7},
                                                           {0x0FA7, 0x0FA6, 0x0FB7},
                                                           {0x0FAC, 0x0FAB, 0x0FB7},
                                                           {0x0FB9, 0x0F90, 0x0FB5}}};
    for (auto const& [whole, first, second] : all)
      if (whole == c) return {first, second};
    return {c, 0};
  }
  /// The character whose glyph is drawn for `c`.
  static constexpr char32_t substitute(char32_t c) {
    constexpr std::array<std::array<char32_t, 2>, 20> all{
        {{0x0626, 0xFE89}, {0x062B, 0xFE99}, {0x067A, 0xFB5E}, {0x067F, 0xFB62}, {0x0691, 0xFB8C},
         {0x06C1, 0xFBA6}, {0xFE9B, 0x0000}, {0xFE9F, 0xFCA8}, {0xFEA3, 0xFCAA}, {0xFEA7, 0xFCAC},
         {0xFEB3, 0xFCB0}, {0xFEB7, 0xFD30}, {0xFED3, 0xFC32}, {0xFEDF, 0xFC3F}, {0xFEE0, 0xFC86},
         {0xFEE3, 0xFCCE}, {0xFEE7, 0xFC4E}, {0xFEE8, 0xFC8F}, {0xFEF3, 0xFCDA}, {0xFEF4, 0xFC91}}};
    for (auto const& [from, to] : all)
      if (from == c) return to;
    return c;
  }

  fonts::HexFont font_;
  std::unordered_map<char32_t, int> combining_;  // pixels from the pen, to the right
};

}  // namespace gt
