// SPDX-License-Identifier: MIT
// The frozen embedding of the paper: a token is a picture of its own spelling.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/base/philox.hpp"
#include "gt/base/sha256.hpp"
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

/// Two rows of a substrate whose distance is below this count as the same.
inline constexpr double distinct_distance = 1e-4;

/// Two tokens, and the distance of their rows.
struct ClosePair {
  std::int64_t first = -1, second = -1;  ///< -1: there is none
  double distance = 0;                   ///< Euclidean
};
/// Some pair of rows of `table` closer than `limit`, or none. Rows are sorted by their first number and compared within
/// a window of `limit`: about V log V + (pairs in the window) steps instead of V^2.
inline ClosePair pair_closer_than(double limit, FrozenTable const& table) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(table.vocab()));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::sort(order.begin(), order.end(), [&](auto a, auto b) {
    float const x = *table.row(a), y = *table.row(b);
    return x < y || (x == y && a < b);
  });
  for (std::size_t i = 0; i < order.size(); ++i) {
    float const* const x = table.row(order[i]);
    for (std::size_t j = i + 1; j < order.size(); ++j) {
      float const* const y = table.row(order[j]);
      if (double{*y} - double{*x} >= limit) break;
      double sum = 0;
      for (int k = 0; k < table.width() && sum < limit * limit; ++k) {
        double const gap = double{x[k]} - double{y[k]};
        sum += gap * gap;
      }
      if (sum < limit * limit) return {std::min(order[i], order[j]), std::max(order[i], order[j]), std::sqrt(sum)};
    }
  }
  return {};
}

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
/// rows are checked to be `distinct_distance` apart.
///
/// Source: Bochkov 2025, arXiv:2507.04886, without the augmentation of the pictures; the moving apart is ours.
///
///     auto const substrate = gt::GlyphEmbedding::draw({"a", "b", "ab"}, "unifont.hex", {.width = 2});
class GlyphEmbedding : public FrozenTable {
 public:
  static constexpr double nudge = 0.25;  ///< how far tokens of one raster are moved

  /// With the glyphs of a font file, or of several: each character is drawn by the first that has it. They are TrueType
  /// or OpenType fonts, or GNU Unifont's `.hex`: see FontChain.
  template <class Real = double>
  static GlyphEmbedding draw(std::vector<std::string> const& tokens, FontFiles const& fonts, GlyphOptions options = {});
  /// With the glyphs of any source.
  template <class Real = double, GlyphSource G>
  static GlyphEmbedding draw(std::vector<std::string> const& tokens, G const& glyphs, GlyphOptions options = {}) {
    auto const vocab = static_cast<std::int64_t>(tokens.size());
    check_options(vocab, options);
    BitMatrix rasters = draw_tokens(glyphs, tokens, options.raster);
    auto groups = equal_rows(rasters);

    Projection y = principal_components<Real>(rasters, options.width);
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
  std::int64_t collisions() const noexcept {
    std::int64_t n = 0;
    for (auto const& group : groups_) n += static_cast<std::int64_t>(group.size()) - 1;
    return n;
  }
  /// Ids that share one raster, a group of two or more each, in order of their first id.
  std::vector<std::vector<std::int64_t>> const& collision_groups() const noexcept { return groups_; }

  int raster_side() const noexcept { return side_; }  ///< S
  /// The picture of a token: S * S bits line by line, packed eight to a byte, the leftmost in the top bit, 1 = black.
  std::span<unsigned char const> raster(std::int64_t id) const noexcept { return rasters_.bytes(id); }
  BitMatrix const& rasters() const noexcept { return rasters_; }  ///< [V, S * S]

  /// Variance of each component, falling, [n].
  std::vector<double> const& variances() const noexcept { return variances_; }
  /// Share of the variance of all pixels that the n components keep, 0 to 1.
  double explained_variance() const noexcept {
    double const kept = std::accumulate(variances_.begin(), variances_.end(), 0.0);
    return total_variance_ > 0 ? std::min(1.0, kept / total_variance_) : 1.0;
  }

 private:
  GlyphEmbedding(FrozenTable table, BitMatrix rasters, std::vector<std::vector<std::int64_t>> groups, Projection y,
                 int side)
      : FrozenTable{std::move(table)},
        rasters_{std::move(rasters)},
        groups_{std::move(groups)},
        variances_{std::move(y.variance)},
        total_variance_{y.total_variance},
        side_{side} {}

  static void check_options(std::int64_t vocab, GlyphOptions const& options) {
    check(vocab >= 1, "GlyphEmbedding", "needs at least one token (got none)");
    check(is_raster_side(options.raster), "GlyphEmbedding", "raster must be 16, 32 or 64 (got ", options.raster, ")");
    int const pixels = options.raster * options.raster;
    check(options.width >= 1 && options.width <= pixels, "GlyphEmbedding", "width must be 1 to ", pixels,
          ", the number of pixels (got ", options.width, "); raise .raster or lower .width");
    check(options.width <= vocab - 1, "GlyphEmbedding", "width must be at most ", vocab - 1,
          ", the number of tokens less one (got ", options.width, "); take more tokens or lower .width");
  }
  static std::vector<std::vector<std::int64_t>> equal_rows(BitMatrix const& rasters) {
    std::unordered_map<std::string_view, std::vector<std::int64_t>> ids;
    for (std::int64_t i = 0; i < rasters.rows(); ++i) ids[rasters.key(i)].push_back(i);
    std::vector<std::vector<std::int64_t>> groups;
    for (auto& [key, group] : ids)
      if (group.size() > 1) groups.push_back(std::move(group));
    std::sort(groups.begin(), groups.end());
    return groups;
  }
  /// Moves the row of every token in `groups`, and every zero row, along the token's own direction.
  static void set_apart(Buffer<float> const& rows, int n, std::vector<std::string> const& tokens,
                        std::vector<std::vector<std::int64_t>> const& groups) {
    std::vector<bool> moved(tokens.size());
    for (auto const& group : groups)
      for (auto const id : group) moved[static_cast<std::size_t>(id)] = true;
    std::vector<float> u(static_cast<std::size_t>(n));
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      float* const x = rows.data() + static_cast<std::int64_t>(i) * n;
      if (!moved[i] && std::any_of(x, x + n, [](float v) { return v != 0; })) continue;
      Random const random(seed_of(tokens[i]), Purpose::substrate);
      double sum = 0, length = 0;
      for (std::size_t k = 0; k < u.size(); ++k) {
        u[k] = static_cast<float>(random.normal(k));
        sum += double{u[k]} * double{u[k]};
      }
      for (std::size_t k = 0; k < u.size(); ++k) {
        x[k] = static_cast<float>(double{x[k]} + nudge * double{u[k]} / std::sqrt(sum));
        length += double{x[k]} * double{x[k]};
      }
      for (int k = 0; k < n; ++k) x[k] = static_cast<float>(double{x[k]} / std::sqrt(length));
    }
  }
  /// The first 64 bits of the SHA-256 of the token.
  static Seed seed_of(std::string const& token) {
    Sha256 hash;
    hash.update(std::string_view{token});
    return seed(std::stoull(hash.hex().substr(0, 16), nullptr, 16));
  }
  static void check_distinct(FrozenTable const& table, std::vector<std::string> const& tokens) {
    ClosePair const pair = pair_closer_than(distinct_distance, table);
    if (pair.first < 0) return;
    bool const same = tokens[static_cast<std::size_t>(pair.first)] == tokens[static_cast<std::size_t>(pair.second)];
    check(!same, "GlyphEmbedding", "no token may occur twice (got tokens ", pair.first, " and ", pair.second,
          " with one spelling)");
    fail("GlyphEmbedding", "all rows must differ (got tokens ", pair.first, " and ", pair.second, " at a distance of ",
         pair.distance, "); raise .width or .raster");
  }

  BitMatrix rasters_;
  std::vector<std::vector<std::int64_t>> groups_;
  std::vector<double> variances_;
  double total_variance_;
  int side_;
};
static_assert(Substrate<GlyphEmbedding>);

template <class Real>
GlyphEmbedding GlyphEmbedding::draw(std::vector<std::string> const& tokens, FontFiles const& fonts,
                                    GlyphOptions options) {
  check_options(static_cast<std::int64_t>(tokens.size()), options);
  return draw<Real>(tokens, FontChain::read(fonts), options);
}

}  // namespace gt
