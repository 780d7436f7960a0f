// SPDX-License-Identifier: MIT
// What gt/substrate/glyph_embedding.hpp declares.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/base/philox.hpp"
#include "gt/base/sha256.hpp"
#include "gt/fonts/bit_matrix.hpp"
#include "gt/fonts/font_chain.hpp"
#include "gt/fonts/raster.hpp"
#include "gt/substrate/frozen_table.hpp"
#include "gt/substrate/glyph_embedding.hpp"
#include "gt/substrate/pca.hpp"

namespace gt::inline GT_ABI {

GT_FN substrate::ClosePair substrate::pair_closer_than(double limit, FrozenTable const& table) {
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

GT_FN std::int64_t GlyphEmbedding::collisions() const noexcept {
  std::int64_t n = 0;
  for (auto const& group : groups_) n += static_cast<std::int64_t>(group.size()) - 1;
  return n;
}

GT_FN double GlyphEmbedding::explained_variance() const noexcept {
  double const kept = std::accumulate(variances_.begin(), variances_.end(), 0.0);
  return total_variance_ > 0 ? std::min(1.0, kept / total_variance_) : 1.0;
}

GT_FN GlyphEmbedding::GlyphEmbedding(FrozenTable table, fonts::BitMatrix rasters,
                                     std::vector<std::vector<std::int64_t>> groups, substrate::Projection y, int side)
    : FrozenTable{std::move(table)},
      rasters_{std::move(rasters)},
      groups_{std::move(groups)},
      variances_{std::move(y.variance)},
      total_variance_{y.total_variance},
      side_{side} {}

GT_FN void GlyphEmbedding::check_options(std::int64_t vocab, GlyphOptions const& options) {
  check(vocab >= 1, "GlyphEmbedding", "needs at least one token (got none)");
  check(fonts::is_raster_side(options.raster), "GlyphEmbedding", "raster must be 16, 32 or 64 (got ", options.raster,
        ")");
  int const pixels = options.raster * options.raster;
  check(options.width >= 1 && options.width <= pixels, "GlyphEmbedding", "width must be 1 to ", pixels,
        ", the number of pixels (got ", options.width, "); raise .raster or lower .width");
  check(options.width <= vocab - 1, "GlyphEmbedding", "width must be at most ", vocab - 1,
        ", the number of tokens less one (got ", options.width, "); take more tokens or lower .width");
}

GT_FN std::vector<std::vector<std::int64_t>> GlyphEmbedding::equal_rows(fonts::BitMatrix const& rasters) {
  std::unordered_map<std::string_view, std::vector<std::int64_t>> ids;
  for (std::int64_t i = 0; i < rasters.rows(); ++i) ids[rasters.key(i)].push_back(i);
  std::vector<std::vector<std::int64_t>> groups;
  for (auto& [key, group] : ids)
    if (group.size() > 1) groups.push_back(std::move(group));
  std::sort(groups.begin(), groups.end());
  return groups;
}

GT_FN void GlyphEmbedding::set_apart(Buffer<float> const& rows, int n, std::vector<std::string> const& tokens,
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

GT_FN Seed GlyphEmbedding::seed_of(std::string const& token) {
  Sha256 hash;
  hash.update(std::string_view{token});
  return seed(std::stoull(hash.hex().substr(0, 16), nullptr, 16));
}

GT_FN void GlyphEmbedding::check_distinct(FrozenTable const& table, std::vector<std::string> const& tokens) {
  substrate::ClosePair const pair = substrate::pair_closer_than(substrate::distinct_distance, table);
  if (pair.first < 0) return;
  bool const same = tokens[static_cast<std::size_t>(pair.first)] == tokens[static_cast<std::size_t>(pair.second)];
  check(!same, "GlyphEmbedding", "no token may occur twice (got tokens ", pair.first, " and ", pair.second,
        " with one spelling)");
  fail("GlyphEmbedding", "all rows must differ (got tokens ", pair.first, " and ", pair.second, " at a distance of ",
       pair.distance, "); raise .width or .raster");
}

template <class Real>
GlyphEmbedding GlyphEmbedding::draw(std::vector<std::string> const& tokens, fonts::FontFiles const& fonts,
                                    GlyphOptions options) {
  check_options(static_cast<std::int64_t>(tokens.size()), options);
  return draw<Real>(tokens, fonts::FontChain::read(fonts), options);
}

}  // namespace gt
