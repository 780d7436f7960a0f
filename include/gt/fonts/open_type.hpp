// SPDX-License-Identifier: MIT
// A TrueType or OpenType font, taken apart and checked, so that a reader without checks may draw from it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/fonts/open_type/bytes.hpp"
#include "gt/fonts/open_type/cff.hpp"
#include "gt/fonts/open_type/cmap.hpp"
#include "gt/fonts/open_type/container.hpp"
#include "gt/fonts/open_type/glyf.hpp"

namespace gt::inline GT_ABI::fonts::detail {

/// One face of a font file. `parse` refuses, in one sentence, what is not whole:
///
///     container          a font, or a collection of them; every table that is used lies inside the file
///     maxp, hhea, hmtx   number of glyphs, height of a line, advances
///     cmap               Unicode characters, in order, to glyphs that exist; formats 0, 4, 6, 10, 12, 13
///     loca, glyf         every glyph: its bytes, points, contours, components  (open_type/glyf.hpp)
///     CFF                every list, dictionary and charstring                 (open_type/cff.hpp)
///
/// stb_truetype, which checks nothing, never sees the file. It reads `drawing()`, a font of tables written here and a
/// copy of the checked outlines, and is only asked for glyphs below `glyphs()` that are not composite.
/// Sources: OpenType specification 1.9; Adobe Technical Notes 5176 and 5177.
class OpenType {
 public:
  /// `name` is for error messages.
  template <class Bytes = FontBytes>
  static OpenType parse(std::span<unsigned char const> file, std::string_view name, int face = 0) {
    OpenType font;
    FontContainer<Bytes> const container(Bytes(file, name, "the file"), name, face);
    font.faces_ = container.faces();
    font.read_metrics(container);
    font.characters_ = read_cmap(container.table("table cmap"), font.glyphs_);
    font.read_outlines(container, name);
    return font;
  }

  int faces() const noexcept { return faces_; }  ///< of the file
  int glyphs() const noexcept { return glyphs_; }
  int line() const noexcept { return line_; }  ///< height of a line, from the lowest descent to the highest ascent
  /// How far a glyph moves the pen, in font units.
  int advance(int glyph) const noexcept {
    return advances_[std::min(static_cast<std::size_t>(glyph), advances_.size() - 1)];
  }
  /// All characters that have a glyph, in order.
  std::span<MappedGlyph const> characters() const noexcept { return characters_; }
  /// The glyph of a character; 0 where the font has none.
  int glyph(char32_t character) const noexcept {
    auto const at = std::lower_bound(characters_.begin(), characters_.end(), character,
                                     [](MappedGlyph const& pair, char32_t c) { return pair.character < c; });
    return at != characters_.end() && at->character == character ? at->glyph : 0;
  }

  std::span<unsigned char const> drawing() const noexcept { return drawing_; }  ///< the font for stb_truetype
  bool is_cff() const noexcept { return glyf_.empty(); }                        ///< PostScript outlines, not TrueType
  std::size_t outline_bytes() const noexcept { return outline_bytes_; }         ///< of the table glyf or CFF
  /// Points of a glyph, at least as many as are drawn.
  int points(int glyph) const noexcept { return points_[static_cast<std::size_t>(glyph)]; }
  /// Calls `f(glyph, affine)` for each glyph that `glyph` is made of: itself, unless it is composite.
  template <class F>
  void each_part(int glyph, F const& f) const {
    if (is_cff()) return f(glyph, Affine{});
    FontBytes const glyf(drawing().subspan(drawing_.size() - (outline_bytes_ + 3) / 4 * 4, outline_bytes_), "font",
                         "glyf");
    glyf_.each_part(glyf, glyph, f);
  }

 private:
  OpenType() = default;
  template <class Bytes>
  void read_metrics(FontContainer<Bytes> const& container) {
    Bytes const maxp = container.table("table maxp"), hhea = container.table("table hhea"),
                hmtx = container.table("table hmtx");
    glyphs_ = static_cast<int>(maxp.u16(4));
    maxp.check(glyphs_ > 0, "must count at least one glyph (got none)");
    line_ = hhea.i16(4) - hhea.i16(6);
    hhea.check(line_ >= 16, "must give a line a height of at least 16 units (got ", line_, ")");
    std::size_t const advances = hhea.u16(34);
    hhea.check(advances > 0, "must count at least one advance (got none)");
    for (std::size_t i = 0; i < advances; ++i) advances_.push_back(static_cast<std::uint16_t>(hmtx.u16(4 * i)));
  }
  template <class Bytes>
  void read_outlines(FontContainer<Bytes> const& container, std::string_view name) {
    bool const glyf = container.has("glyf");
    gt::check(glyf || container.has("CFF "), "OutlineFont", "'", name,
              "' must have outlines, a table glyf or CFF (got ",
              container.has("CFF2") ? "CFF2, of a variable font); take one of fixed weight"
                                    : "none: a font of bitmaps?); take another font");
    Bytes const outlines = container.table(glyf ? "table glyf" : "table CFF ").named(glyf ? "table glyf" : "table CFF");
    outline_bytes_ = outlines.size();

    NewTable head{"head", std::vector<unsigned char>(54)}, maxp{"maxp", std::vector<unsigned char>(6)};
    NewTable cmap{"cmap", std::vector<unsigned char>(14)};  // one subtable for stb to find, which is never asked
    head.put(50, 1, 2);
    maxp.put(4, static_cast<std::uint32_t>(glyphs_), 2);
    cmap.put(2, 1, 2), cmap.put(4, 3, 2), cmap.put(6, 1, 2), cmap.put(8, 12, 4);
    std::vector<NewTable> tables{head, maxp, cmap, {"hhea", std::vector<unsigned char>(36)}, {"hmtx", {0, 0, 0, 0}}};
    if (glyf) {
      Bytes const source = container.table("table head");
      unsigned const form = source.u16(50);
      source.check(form <= 1, "must give loca form 0 or 1 (got ", form, ")");
      glyf_ = GlyfOutlines(outlines, container.table("table loca"), form == 1, glyphs_);
      NewTable loca{"loca", std::vector<unsigned char>(4 * glyf_.offsets().size())};
      for (std::size_t i = 0; i < glyf_.offsets().size(); ++i) loca.put(4 * i, glyf_.offsets()[i], 4);
      tables.push_back(std::move(loca));
      points_ = glyf_.points();
    } else {
      points_ = CffCheck<Bytes>(outlines, glyphs_).points();
    }
    tables.push_back({glyf ? "glyf" : "CFF ", {outlines.all().begin(), outlines.all().end()}});
    drawing_ = build_font(tables);
  }

  int faces_ = 1, glyphs_ = 0, line_ = 0;
  std::vector<std::uint16_t> advances_;
  std::vector<MappedGlyph> characters_;
  std::vector<int> points_;
  GlyfOutlines glyf_;
  std::vector<unsigned char> drawing_;
  std::size_t outline_bytes_ = 0;
};

}  // namespace gt::fonts::detail
