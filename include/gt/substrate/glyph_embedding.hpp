// SPDX-License-Identifier: MIT
// The frozen embedding of the paper: a token is a picture of its own spelling.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gt/base/philox.hpp"
#include "gt/fonts/bit_matrix.hpp"
#include "gt/fonts/font_chain.hpp"
#include "gt/fonts/raster.hpp"
#include "gt/substrate/fingerprint.hpp"
#include "gt/substrate/frozen_table.hpp"
#include "gt/substrate/pca.hpp"

namespace gt::inline GT_ABI {

/// How tokens become rows.
struct GlyphOptions {
  int width = 256;       ///< n, principal components kept; at most V - 1 and raster * raster
  int raster = 32;       ///< S, side of the picture of a token in pixels: 16, 32, or 64 (slow: 4096 pixels)
  bool distinct = true;  ///< tell tokens apart that look the same (A and its Cyrillic twin)
};

namespace substrate {
/// Two rows of a substrate whose distance is below this count as the same.
inline constexpr double distinct_distance = 1e-4;

/// Two tokens, and the distance of their rows.
struct ClosePair {
  std::int64_t first = -1, second = -1;  ///< -1: there is none
  double distance = 0;                   ///< Euclidean
};
/// Some pair of rows of `table` closer than `limit`, or none. Rows are sorted by their first number and compared within
/// a window of `limit`: about V log V + (pairs in the window) steps instead of V^2.
ClosePair pair_closer_than(double limit, FrozenTable const& table);
}  // namespace substrate

/// Rows of length 1 from pictures of the tokens:
///
///     row = y / |y|,   Y [V, n] = principal components of the rasters [V, S * S] of all tokens
///
/// A picture does not always tell: A, U+0391 and U+0410 have one raster, and so have all blank characters. With
/// `distinct`, all tokens that share a raster are moved by one distance, each in a direction of its own:
///
///     row = z / |z|,   z = y / |y| + 0.25 u,   u [n] uniform on the unit sphere, drawn from the SHA-256 of the token
///
/// They stay neighbours (cosine near 0.94) but are never one. All other rows are as the pictures say. A row y = 0 has
/// no direction (its picture is the mean of all pictures): it becomes u, or stays zero without `distinct`. Last, all
/// rows are checked to be `substrate::distinct_distance` apart.
///
/// Source: Bochkov 2025, arXiv:2507.04886, without the augmentation of the pictures; the moving apart is ours.
///
///     auto const substrate = gt::GlyphEmbedding::draw({"a", "b", "ab"}, "unifont.hex", {.width = 2});
class GlyphEmbedding : public FrozenTable {
 public:
  static constexpr double nudge = 0.25;  ///< how far tokens of one raster are moved

  /// With the glyphs of a font file, or of several: each character is drawn by the first that has it. They are TrueType
  /// or OpenType fonts, or GNU Unifont's `.hex`: see fonts::FontChain.
  template <class Real = double>
  static GlyphEmbedding draw(std::vector<std::string> const& tokens, fonts::FontFiles const& fonts,
                             GlyphOptions options = {});
  /// With the glyphs of any source.
  template <class Real = double, fonts::GlyphSource G>
  static GlyphEmbedding draw(std::vector<std::string> const& tokens, G const& glyphs, GlyphOptions options = {}) {
    auto const vocab = static_cast<std::int64_t>(tokens.size());
    check_options(vocab, options);
    fonts::BitMatrix rasters = fonts::draw_tokens(glyphs, tokens, options.raster);
    auto groups = equal_rows(rasters);

    substrate::Projection y = substrate::principal_components<Real>(rasters, options.width);
    double const typical = std::sqrt(y.total_variance);  // length of a row before it is scaled
    detail::normalise_rows(y.rows, options.width, 1e-5 * typical);
    if (options.distinct) set_apart(y.rows, options.width, tokens, groups);

    Fingerprint print("glyph", vocab, options.width);
    print.tokens(tokens).number(options.raster).number(options.distinct ? 1 : 0);
    for (std::int64_t i = 0; i < vocab; ++i) print.bytes(rasters.bytes(i));

    FrozenTable table("glyph", vocab, options.width, y.rows, print.hex());
    if (options.distinct) check_distinct(table, tokens);
    return GlyphEmbedding(std::move(table), std::move(rasters), std::move(groups), std::move(y), options.raster);
  }

  /// Tokens that share their raster with an earlier token.
  std::int64_t collisions() const noexcept;
  /// Ids that share one raster, a group of two or more each, in order of their first id.
  std::vector<std::vector<std::int64_t>> const& collision_groups() const noexcept { return groups_; }

  int raster_side() const noexcept { return side_; }  ///< S
  /// The picture of a token: S * S bits line by line, packed eight to a byte, the leftmost in the top bit, 1 = black.
  std::span<unsigned char const> raster(std::int64_t id) const noexcept { return rasters_.bytes(id); }
  fonts::BitMatrix const& rasters() const noexcept { return rasters_; }  ///< [V, S * S]

  /// Variance of each component, falling, [n].
  std::vector<double> const& variances() const noexcept { return variances_; }
  /// Share of the variance of all pixels that the n components keep, 0 to 1.
  double explained_variance() const noexcept;

 private:
  GlyphEmbedding(FrozenTable table, fonts::BitMatrix rasters, std::vector<std::vector<std::int64_t>> groups,
                 substrate::Projection y, int side);

  static void check_options(std::int64_t vocab, GlyphOptions const& options);
  static std::vector<std::vector<std::int64_t>> equal_rows(fonts::BitMatrix const& rasters);
  /// Moves the row of every token in `groups`, and every zero row, along the token's own direction.
  static void set_apart(Buffer<float> const& rows, int n, std::vector<std::string> const& tokens,
                        std::vector<std::vector<std::int64_t>> const& groups);
  /// The first 64 bits of the SHA-256 of the token.
  static Seed seed_of(std::string const& token);
  static void check_distinct(FrozenTable const& table, std::vector<std::string> const& tokens);

  fonts::BitMatrix rasters_;
  std::vector<std::vector<std::int64_t>> groups_;
  std::vector<double> variances_;
  double total_variance_;
  int side_;
};
static_assert(Substrate<GlyphEmbedding>);

}  // namespace gt

#if !defined(GT_PREBUILT)
  #include "gt/substrate/glyph_embedding_impl.hpp"
#endif
