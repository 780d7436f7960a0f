// SPDX-License-Identifier: MIT
// Draws a token: its characters side by side, squeezed into one square of black and white pixels.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/fonts/bit_matrix.hpp"
#include "gt/text/utf8.hpp"

namespace gt::inline GT_ABI::fonts {

/// Sides of a raster, in pixels: a 16 pixel font as it is, doubled, and quadrupled.
constexpr bool is_raster_side(int side) { return side == 16 || side == 32 || side == 64; }

/// One character on its square cell: bit x of `rows[y]` is pixel (x, y), 1 = black.
struct Cell {
  std::array<std::uint64_t, 64> rows{};  ///< from the top; those from S on are not read
  bool black(int x, int y) const { return (rows[static_cast<std::size_t>(y)] >> x & 1) != 0; }  ///< column x, line y
};

/// Something that draws characters. `cell(c, S)` gives the S x S cell of code point `c`, S one of 16, 32 and 64, with
/// the glyph centred: left edge at (S - w) / 2, w its advance; top edge at (S - h) / 2, h the height of its ink united
/// with the baseline (both rounded down). It draws something for every code point. `undecoded(byte, S)` stands for one
/// byte that is no UTF-8, such as half a character in a vocabulary of bytes.
template <class G>
concept GlyphSource = requires(G const& glyphs, char32_t code_point, unsigned char byte, int side) {
  { glyphs.cell(code_point, side) } -> std::same_as<Cell>;
  { glyphs.undecoded(byte, side) } -> std::same_as<Cell>;
};

/// The raster of `token` [S, S]. The cells of its `len` characters form a canvas of S rows and S * len columns; column
/// x of the raster is column floor((x + 1/2) * len) of the canvas, that is, nearest-neighbour decimation. An empty
/// token is blank. Every character is drawn as it stands, also a newline and the letters of "<pad>". Source: Bochkov
/// 2025, arXiv:2507.04886, without the rotation and the noise with which it augments the pictures.
template <GlyphSource G>
BitMatrix draw_token(G const& glyphs, std::string_view token, int side) {
  check(is_raster_side(side), "draw_token", "the raster must be 16, 32 or 64 pixels wide (got ", side, ")");
  std::vector<utf8::Unit> characters;
  for (utf8::Unit const unit : utf8::Units{token}) characters.push_back(unit);
  auto const len = static_cast<std::int64_t>(characters.size());
  BitMatrix raster(side, side);
  Cell cell;
  for (std::int64_t x = 0, drawn = -1; x < side && len > 0; ++x) {
    std::int64_t const column = (2 * x + 1) * len / 2, place = column / side;
    if (std::exchange(drawn, place) != place) {  // at most S characters of a long token are ever drawn
      auto const [value, size, valid] = characters[static_cast<std::size_t>(place)];
      cell = valid ? glyphs.cell(value, side) : glyphs.undecoded(static_cast<unsigned char>(value), side);
    }
    for (int y = 0; y < side; ++y)
      if (cell.black(static_cast<int>(column % side), y)) raster.set(y, static_cast<int>(x));
  }
  return raster;
}

/// The rasters of a vocabulary, [V, S * S], a token a row, its pixels line by line.
template <GlyphSource G>
BitMatrix draw_tokens(G const& glyphs, std::vector<std::string> const& tokens, int side) {
  check(is_raster_side(side), "draw_tokens", "the raster must be 16, 32 or 64 pixels wide (got ", side, ")");
  BitMatrix rasters(static_cast<std::int64_t>(tokens.size()), side * side);
  for (std::int64_t i = 0; i < rasters.rows(); ++i) {
    BitMatrix const raster = draw_token(glyphs, tokens[static_cast<std::size_t>(i)], side);
    auto to = rasters.bytes(i).begin();
    for (int y = 0; y < side; ++y) to = std::copy(raster.bytes(y).begin(), raster.bytes(y).end(), to);
  }
  return rasters;
}

/// The order in which the paper lists pixels, [S * S]: from the centre outwards, around each circle by angle. Entry k
/// is y * S + x of the k-th pixel by (r, theta, x, y),  r = hypot(x - S/2, y - S/2),  theta = atan2(y - S/2, x - S/2).
/// Only needed to compare with other programs: no dot product of two rasters depends on the order.
/// Source: the notebooks of Bochkov's "bvv241" tokenizers.
std::vector<int> polar_snake_order(int side);

}  // namespace gt::fonts

#if !defined(GT_PREBUILT)
  #include "gt/fonts/raster_impl.hpp"
#endif
