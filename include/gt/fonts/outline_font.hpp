// SPDX-License-Identifier: MIT
// Reads a TrueType or OpenType font, and draws its outlines on cells of black and white pixels.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/fonts/open_type.hpp"
#include "gt/fonts/raster.hpp"
#include "gt/fonts/stb_truetype.hpp"
#include "gt/fonts/unifont.hpp"
#include "gt/io/text_file.hpp"

namespace gt::inline GT_ABI::fonts {

namespace detail {

/// Beyond this many steps a glyph takes a tenth of a second; the letters of real fonts take less than a fiftieth of
/// them.
inline constexpr double most_steps_of_a_glyph = 1 << 22;

/// An estimate from above of the steps, of some 10 ns, in which stb fills an outline: it cuts curves into pieces, sorts
/// them, and follows each down the lines of the canvas; where a piece leaves the canvas at its side it looks at each
/// pixel of the line. A point (x, y) of the outline lies at (scale_x x + left, top - scale_y y) of a canvas of `width`
/// times `height` pixels.
struct FillSteps {
  double scale_x, scale_y, left, top;
  int width, height;

  double operator()(std::span<stb::stbtt_vertex const> outline) const;
};

}  // namespace detail

/// Which font of a file is read.
struct OutlineFontOptions {
  int face = 0;  ///< of a collection (.ttc), counted from 0
};

/// A font of outlines: .ttf, .otf, or a face of a .ttc, with the outlines of TrueType (glyf) or of PostScript (CFF).
///
///     auto const font = gt::fonts::OutlineFont::read("wqy-microhei.ttc", {.face = 1});
///     gt::fonts::Cell const han = font.cell(U'語', 32);
///
/// A glyph is scaled so that a line of the font, from the lowest descent to the highest ascent, is as high as the cell;
/// a glyph wider than the cell is narrowed to it. A pixel is black where at least half of it is covered; no hints are
/// run; the pixels are the same for every compiler and processor. Where the glyph lies says GlyphSource; a mark without
/// advance is centred by its ink. Ink beyond the cell is cut.
///
/// The whole font is checked when it is read (detail::OpenType says how): a broken file, a face that a collection
/// lacks, a variable font in CFF2, and a font all of whose characters are blank, as one of embedded bitmaps is, are
/// refused in one sentence; so is, when it is drawn, a glyph that was made to take long. Copies share the font.
class OutlineFont {
 public:
  /// Errors: a file that cannot be read, or that `parse` refuses.
  template <class Type = detail::OpenType>
  static OutlineFont read(std::string const& path, OutlineFontOptions options = {}) {
    std::string const bytes = read_text_file(path, detail::most_font_bytes);
    return parse<Type>({reinterpret_cast<unsigned char const*>(bytes.data()), bytes.size()}, path, options);
  }
  /// Reads the bytes of a font file; `name` is for error messages.
  template <class Type = detail::OpenType>
  static OutlineFont parse(std::span<unsigned char const> file, std::string_view name,
                           OutlineFontOptions options = {}) {
    OutlineFont font(std::make_shared<Type const>(Type::parse(file, name, options.face)));
    check(font.size() > 0, "OutlineFont", "'", name, "' must draw at least one character (got none)");
    check(font.draws_something(name), "OutlineFont", "'", name, "' must draw one of its ", font.size(),
          " characters (got only blanks: its pictures are bitmaps, which are not read); take a font of outlines");
    return font;
  }

  int faces() const noexcept { return type_->faces(); }  ///< of the file
  /// Characters that the font has.
  std::int64_t size() const noexcept { return static_cast<std::int64_t>(type_->characters().size()); }
  /// Whether the font has a glyph of its own for a character.
  bool has(char32_t code_point) const noexcept { return type_->glyph(code_point) != 0; }

  /// The glyph, or the `hex_box` of a character that the font lacks, on a cell: see GlyphSource.
  Cell cell(char32_t code_point, int side) const;
  /// The `byte_box` of a byte that is no UTF-8, on a cell.
  Cell undecoded(unsigned char byte, int side) const { return HexFont::place(byte_box(byte), side); }

 private:
  explicit OutlineFont(std::shared_ptr<detail::OpenType const> type);

  /// The outline of a glyph in font units, composite glyphs put together. (stb would scale a component twice.)
  std::vector<detail::stb::stbtt_vertex> outline(int glyph, detail::StbMemory& memory) const;

  Cell draw(int glyph, int side) const;

  /// Tries each glyph once, until one shows. Blanks have few points; a font made to take long is refused.
  bool draws_something(std::string_view name) const;

  std::shared_ptr<detail::OpenType const> type_;
  detail::stb::stbtt_fontinfo stb_{};
};
static_assert(GlyphSource<OutlineFont>);

}  // namespace gt::fonts

#if !defined(GT_PREBUILT)
  #include "gt/fonts/outline_font_impl.hpp"
#endif
