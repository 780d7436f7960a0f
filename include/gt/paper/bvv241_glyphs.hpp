// SPDX-License-Identifier: MIT
// The author's own visual embedding: pictures of tokens, pixel by pixel as his, and the table made of them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/core/buffer.hpp"
#include "gt/fonts/bit_matrix.hpp"
#include "gt/paper/bvv241_augment.hpp"
#include "gt/paper/bvv241_font.hpp"
#include "gt/substrate/fingerprint.hpp"
#include "gt/substrate/frozen_table.hpp"
#include "gt/substrate/pca.hpp"
#include "gt/text/utf8.hpp"

namespace gt::inline GT_ABI {

/// How tokens become rows; the defaults are those of bvv241-2-3.
struct Bvv241GlyphOptions {
  int width = 1024;  ///< n, principal components kept; the author keeps all raster * raster
  int raster = 32;   ///< S, side of the picture in pixels: 32 (2-3, max) or 64 (abs)
  Bvv241Augmentation easy = bvv241_2_3_augmentation;  ///< of tokens that are `bvv241_is_easy`

  /// The author's bvv241-2-3, at a width of his or less.
  static constexpr Bvv241GlyphOptions two_three(int width = 1024) { return {.width = width}; }
  /// His bvv241-max.
  static constexpr Bvv241GlyphOptions max(int width = 1024) {
    return {.width = width, .raster = 32, .easy = bvv241_max_augmentation};
  }
  /// His bvv241-abs: the tokens of max at 64 pixels.
  static constexpr Bvv241GlyphOptions abs(int width = 4096) {
    return {.width = width, .raster = 64, .easy = bvv241_max_augmentation};
  }
};

namespace detail {

/// Draws the characters of a token side by side on a canvas [S, S * length], each centred on its cell of S x S; 1 =
/// black. Ink that leaves its cell stays, ink that leaves the canvas is cut.
inline void draw_bvv241_canvas(Bvv241Font const& font, std::string_view token, int side,
                               std::vector<unsigned char>& canvas) {
  int const unit = side / 32;  // pixels of a half pixel of the font
  int const width = side * static_cast<int>(utf8::length(token));
  canvas.assign(static_cast<std::size_t>(width) * static_cast<std::size_t>(side), 0);
  auto const half = [](int n) { return n >= 0 ? n / 2 : -((1 - n) / 2); };  // rounded down
  int cell = 0;
  for (utf8::Unit const c : utf8::Units{token}) {
    SetCharacter const picture = font.set(c.valid ? c.value : char32_t{0xFFFD});
    int const pen = cell + half(side - picture.width() * unit);
    int const line_0 = half(side - picture.height() * unit) - picture.top * unit;
    for (int p = 0; p < picture.count; ++p) {
      auto const& [glyph, at_x, at_y] = picture.pieces[static_cast<std::size_t>(p)];
      for (int y = 0; y < 32 * unit; ++y) {
        int const to_y = line_0 + at_y * unit + y;
        auto const bits = glyph.lines[static_cast<std::size_t>(y / (2 * unit))];
        if (bits == 0 || to_y < 0 || to_y >= side) continue;
        for (int x = 0; x < 32 * unit; ++x) {
          int const to_x = pen + at_x * unit + x;
          if ((bits >> (15 - x / (2 * unit)) & 1) != 0 && to_x >= 0 && to_x < width)
            canvas[static_cast<std::size_t>(to_y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(to_x)] =
                1;
        }
      }
    }
    cell += side;
  }
}

/// Ids of equal rows, a group of two or more each, in order of their first id.
inline std::vector<std::vector<std::int64_t>> groups_of_equal_rows(fonts::BitMatrix const& bits) {
  std::unordered_map<std::string_view, std::vector<std::int64_t>> ids;
  for (std::int64_t i = 0; i < bits.rows(); ++i) ids[bits.key(i)].push_back(i);
  std::vector<std::vector<std::int64_t>> groups;
  for (auto& [key, group] : ids)
    if (group.size() > 1) groups.push_back(std::move(group));
  std::sort(groups.begin(), groups.end());
  return groups;
}

}  // namespace detail

/// The pictures of a vocabulary, [V, S * S], a token a row, its pixels in polar order (`fonts::polar_snake_order`), 1 =
/// black: equal to the author's. Each character is drawn as it stands, also those of "<pad>". Errors: a side that is
/// neither 32 nor 64; a token that is empty or longer than 1000 characters.
inline fonts::BitMatrix bvv241_rasters(Bvv241Font const& font, std::vector<std::string> const& tokens, int side,
                                       Bvv241Augmentation const& easy) {
  check(side == 32 || side == 64, "bvv241_rasters", "the raster must be 32 or 64 pixels wide (got ", side, ")");
  fonts::BitMatrix rasters(static_cast<std::int64_t>(tokens.size()), side * side);
  std::map<std::pair<std::size_t, bool>, std::vector<std::int32_t>> sources;
  std::vector<unsigned char> canvas;
  for (std::int64_t i = 0; i < rasters.rows(); ++i) {
    std::string const& token = tokens[static_cast<std::size_t>(i)];
    std::size_t const length = utf8::length(token);
    check(length >= 1 && length <= 1000, "bvv241_rasters", "a token must have 1 to 1000 characters (got ", length,
          " in token ", i, ")");
    bool const is_easy = bvv241_is_easy(token);
    auto& from = sources[{length, is_easy}];
    if (from.empty())
      from = detail::bvv241_sources(side, static_cast<int>(length), is_easy ? easy : bvv241_complex_augmentation);
    detail::draw_bvv241_canvas(font, token, side, canvas);
    for (int k = 0; k < side * side; ++k) {
      std::int32_t const source = from[static_cast<std::size_t>(k)];
      if (source == detail::source_black || (source >= 0 && canvas[static_cast<std::size_t>(source)] != 0))
        rasters.set(i, k);
    }
  }
  return rasters;
}

/// Rows of length 1 from the author's pictures of the tokens:
///
///     row = y / |y|,   Y [V, n] = principal components of the pictures X [V, S * S] of all tokens, not whitened
///
/// At full width, n = S * S, Y is X centred and turned, so that the products of rows are those of the centred pictures,
/// each scaled to length 1. Tokens of one picture share their row, as the author's do: of bvv241-2-3's 65,536 tokens
/// 1,926 share theirs with another. Rows of scikit-learn's PCA differ in the signs of columns, which nothing depends
/// on.
///
///     auto const tokenizer = gt::bvv241_2_3("_n-gramms-2-3.txt");
///     auto const font = gt::Bvv241Font::read("/usr/share/unifont/unifont.hex");
///     auto const substrate = gt::Bvv241GlyphEmbedding::draw(tokenizer.tokens(), font);
///
/// Source: Bochkov 2025, arXiv:2507.04886, and the notebooks of AVBochkov/PGT.
class Bvv241GlyphEmbedding : public FrozenTable {
 public:
  /// `tokens` in the order of their ids. Errors: no token; a raster of another side; a width beyond S * S or V - 1.
  template <class Real = double>
  static Bvv241GlyphEmbedding draw(std::vector<std::string> const& tokens, Bvv241Font const& font,
                                   Bvv241GlyphOptions const& options = {}) {
    constexpr std::string_view where = "Bvv241GlyphEmbedding";
    auto const vocab = static_cast<std::int64_t>(tokens.size());
    check(vocab >= 1, where, "needs at least one token (got none)");
    check(options.raster == 32 || options.raster == 64, where, "raster must be 32 or 64 (got ", options.raster, ")");
    auto const widest = std::min(std::int64_t{options.raster} * options.raster, vocab - 1);
    check(options.width >= 1 && options.width <= widest, where, "width must be 1 to ", widest,
          ", the number of pixels or of tokens less one (got ", options.width, ")");

    fonts::BitMatrix rasters = bvv241_rasters(font, tokens, options.raster, options.easy);
    substrate::Projection y = substrate::principal_components<Real>(rasters, options.width);
    detail::normalise_rows(y.rows, options.width, 1e-5 * std::sqrt(y.total_variance));

    constexpr std::string_view method = "bvv241_glyph";
    Fingerprint print(method, vocab, options.width);
    print.tokens(tokens).number(options.raster);
    for (std::int64_t i = 0; i < vocab; ++i) print.bytes(rasters.bytes(i));
    FrozenTable table(std::string{method}, vocab, options.width, y.rows, print.hex());
    return Bvv241GlyphEmbedding(std::move(table), std::move(rasters), std::move(y));
  }

  /// The picture of a token: S * S bits in polar order, packed eight to a byte, the first in the top bit, 1 = black.
  std::span<unsigned char const> raster(std::int64_t id) const noexcept { return rasters_.bytes(id); }
  fonts::BitMatrix const& rasters() const noexcept { return rasters_; }  ///< [V, S * S]
  /// Ids that share one picture and one row, a group of two or more each, in order of their first id.
  std::vector<std::vector<std::int64_t>> const& collision_groups() const noexcept { return groups_; }
  /// Tokens that share their picture with an earlier token: V less the number of different pictures.
  std::int64_t collisions() const noexcept {
    std::int64_t n = 0;
    for (auto const& group : groups_) n += static_cast<std::int64_t>(group.size()) - 1;
    return n;
  }
  /// Variance of each component, falling, [n].
  std::vector<double> const& variances() const noexcept { return variances_; }
  /// Share of the variance of all pixels that the n components keep, 0 to 1.
  double explained_variance() const noexcept {
    double const kept = std::accumulate(variances_.begin(), variances_.end(), 0.0);
    return total_variance_ > 0 ? std::min(1.0, kept / total_variance_) : 1.0;
  }

 private:
  Bvv241GlyphEmbedding(FrozenTable table, fonts::BitMatrix rasters, substrate::Projection y)
      : FrozenTable{std::move(table)},
        rasters_{std::move(rasters)},
        groups_{detail::groups_of_equal_rows(rasters_)},
        variances_{std::move(y.variance)},
        total_variance_{y.total_variance} {}

  fonts::BitMatrix rasters_;
  std::vector<std::vector<std::int64_t>> groups_;
  std::vector<double> variances_;
  double total_variance_;
};
static_assert(Substrate<Bvv241GlyphEmbedding>);

}  // namespace gt
