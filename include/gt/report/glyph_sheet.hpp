// SPDX-License-Identifier: MIT
// A sheet of glyphs: the pictures that a model sees of characters and tokens, side by side, as PNG.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/fonts/bit_matrix.hpp"
#include "gt/fonts/raster.hpp"
#include "gt/report/png.hpp"
#include "gt/text/utf8.hpp"

namespace gt::inline GT_ABI::report {

/// How a sheet looks.
struct GlyphSheetOptions {
  int raster = 32;     ///< S, side of a picture in pixels: 16, 32 or 64
  int columns = 0;     ///< pictures a line; 0: as many as make the sheet about as wide as high
  int zoom = 2;        ///< pixels of the sheet for a pixel of a picture
  bool labels = true;  ///< under each picture what it stands for
};

/// What is written under the picture of a token: the code point of a single character, in hexadecimal digits; else the
/// token, with a sign for each character that has no shape of its own (U+2423 for a space, U+2400 on for controls).
std::string sheet_label(std::string_view token);

namespace detail {

inline constexpr int label_height = 16;

/// Writes a line of text into a box of `width` x 16 pixels, centred, or cut at the right: each character is its cell
/// without the blank columns around it.
template <fonts::GlyphSource G>
void draw_label(GrayImage& sheet, int left, int top, int width, std::string_view label, G const& glyphs) {
  std::vector<std::uint16_t> columns;  // bit y of a column is its pixel y
  for (utf8::Unit const unit : utf8::Units{label}) {
    if (static_cast<int>(columns.size()) > width) break;
    fonts::Cell const cell = unit.valid ? glyphs.cell(unit.value, label_height)
                                        : glyphs.undecoded(static_cast<unsigned char>(unit.value), label_height);
    std::vector<std::uint16_t> glyph(label_height);
    for (int y = 0; y < label_height; ++y)
      for (int x = 0; x < label_height; ++x)
        if (cell.black(x, y)) glyph[static_cast<std::size_t>(x)] |= static_cast<std::uint16_t>(1 << y);
    auto const inked = [](std::uint16_t column) { return column != 0; };
    auto const begin = std::find_if(glyph.begin(), glyph.end(), inked);
    auto const end = std::find_if(glyph.rbegin(), glyph.rend(), inked).base();
    if (begin >= end) {
      columns.insert(columns.end(), 4, 0);
    } else {
      if (!columns.empty()) columns.push_back(0);
      columns.insert(columns.end(), begin, end);
    }
  }
  int const wide = std::min(static_cast<int>(columns.size()), width), from = left + (width - wide) / 2;
  for (int x = 0; x < wide; ++x)
    for (int y = 0; y < label_height; ++y)
      if ((columns[static_cast<std::size_t>(x)] >> y & 1) != 0) sheet.at(from + x, top + y) = 96;
}

}  // namespace detail

/// A grid of pictures, white on grey: `rasters` [V, S * S], a picture a row as fonts::draw_tokens gives them, and under
/// each its label, in the glyphs of `glyphs` at 16 pixels. No labels, or V of them.
template <fonts::GlyphSource G>
GrayImage glyph_sheet(fonts::BitMatrix const& rasters, std::vector<std::string> const& labels, G const& glyphs,
                      GlyphSheetOptions options = {}) {
  constexpr auto where = "glyph_sheet";
  int const side = static_cast<int>(std::lround(std::sqrt(rasters.columns())));
  check(fonts::is_raster_side(side) && side * side == rasters.columns(), where,
        "a picture must have 16 x 16, 32 x 32 or 64 x 64 pixels (got ", rasters.columns(), " pixels)");
  check(rasters.rows() >= 1 && rasters.rows() < (1 << 24), where, "needs 1 to 2^24 pictures (got ", rasters.rows(),
        ")");
  int const count = static_cast<int>(rasters.rows());
  check(labels.empty() || labels.size() == static_cast<std::size_t>(count), where, "needs a label for each of ", count,
        " pictures (got ", labels.size(), ")");
  check(options.zoom >= 1 && options.zoom <= 16, where, "zoom must be 1 to 16 (got ", options.zoom, ")");
  check(options.columns >= 0, where, "columns must not be negative (got ", options.columns, ")");

  constexpr int gap = 6;
  int const tile = side * options.zoom, wide = tile + gap,
            high = wide + (labels.empty() ? 0 : detail::label_height + 1);
  int const square = static_cast<int>(std::lround(std::sqrt(double(count) * high / wide)));
  int const columns = std::clamp(options.columns > 0 ? options.columns : square, 1, count);
  std::int64_t const width = gap + std::int64_t{wide} * columns,
                     height = gap + std::int64_t{high} * ((count + columns - 1) / columns);
  check(width * height < GrayImage::most_pixels, where, "a sheet must have fewer than 2^28 pixels (got ", width, " x ",
        height, "); take fewer pictures or a lower zoom");

  GrayImage sheet(static_cast<int>(width), static_cast<int>(height), 228);
  for (int i = 0; i < count; ++i) {
    int const left = gap + i % columns * wide, top = gap + i / columns * high;
    for (int y = 0; y < tile; ++y)
      for (int x = 0; x < tile; ++x)
        sheet.at(left + x, top + y) = rasters(i, y / options.zoom * side + x / options.zoom) ? 0 : 255;
    if (!labels.empty())
      detail::draw_label(sheet, left, top + tile + 2, tile, labels[static_cast<std::size_t>(i)], glyphs);
  }
  return sheet;
}

/// Draws tokens, which may be single characters, and writes the sheet.
///
///     gt::report::write_glyph_sheet("sheet.png", {"a", "я", "ing"}, gt::fonts::HexFont::read("unifont.hex"), {.raster
///     = 16});
template <fonts::GlyphSource G>
void write_glyph_sheet(std::string const& path, std::vector<std::string> const& tokens, G const& glyphs,
                       GlyphSheetOptions options = {}) {
  std::vector<std::string> labels;
  if (options.labels)
    for (auto const& token : tokens) labels.push_back(sheet_label(token));
  write_png(path, glyph_sheet(fonts::draw_tokens(glyphs, tokens, options.raster), labels, glyphs, options));
}

/// Writes pictures that are drawn already, without labels: `gt::report::write_glyph_sheet("sheet.png",
/// substrate.rasters())`.
void write_glyph_sheet(std::string const& path, fonts::BitMatrix const& rasters, GlyphSheetOptions options = {});

}  // namespace gt::report

#if !defined(GT_PREBUILT)
  #include "gt/report/glyph_sheet_impl.hpp"
#endif
