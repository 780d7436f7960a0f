// SPDX-License-Identifier: MIT
// What gt/fonts/outline_font.hpp declares.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/fonts/open_type.hpp"
#include "gt/fonts/outline_font.hpp"
#include "gt/fonts/raster.hpp"
#include "gt/fonts/stb_truetype.hpp"
#include "gt/fonts/unifont.hpp"

namespace gt::inline GT_ABI::fonts {

namespace detail {

GT_FN double FillSteps::operator()(std::span<stb::stbtt_vertex const> outline) const {
  double const flat = 0.35 / std::min(scale_x, scale_y);  // as far as a piece may be off, in font units
  double steps = 0, x = 0, y = 0;                         // (x, y): where the pen is
  for (auto const& v : outline) {
    bool const quadratic = v.type == stb::STBTT_vcurve, cubic = v.type == stb::STBTT_vcubic;
    double const cx = quadratic || cubic ? v.cx : x, cy = quadratic || cubic ? v.cy : y;
    double const dx = cubic ? v.cx1 : cx, dy = cubic ? v.cy1 : cy;
    double const ex = v.x, ey = v.y;
    auto const [x0, x1] = std::minmax({x, cx, dx, ex});
    auto const [y0, y1] = std::minmax({y, cy, dy, ey});
    double bend = 0;
    if (quadratic) bend = std::hypot(x - 2 * cx + ex, y - 2 * cy + ey) / 4;
    if (cubic)
      bend =
          16 * std::max(std::hypot(x - 2 * cx + dx, y - 2 * cy + dy), std::hypot(cx - 2 * dx + ex, cy - 2 * dy + ey));
    double const pieces = 1 + 2 * std::sqrt(bend / flat), crossings = cubic ? 3 : quadratic ? 2 : 1;
    double const lines = std::min<double>(height, top - scale_y * y0 + 1) - std::max(0.0, top - scale_y * y1 - 1);
    bool const leaves = scale_x * x0 + left < 0 || scale_x * x1 + left >= width;
    steps += 16 * pieces;
    if (v.type != stb::STBTT_vmove && lines > 0) steps += (crossings * lines + pieces) * (leaves ? width : 1);
    x = ex, y = ey;
  }
  return steps;
}

}  // namespace detail

GT_FN Cell OutlineFont::cell(char32_t code_point, int side) const {
  check(is_raster_side(side), "OutlineFont", "the cell must be 16, 32 or 64 pixels wide (got ", side, ")");
  int const glyph = type_->glyph(code_point);
  return glyph != 0 ? draw(glyph, side) : HexFont::place(hex_box(static_cast<std::uint32_t>(code_point)), side);
}

GT_FN OutlineFont::OutlineFont(std::shared_ptr<detail::OpenType const> type) : type_{std::move(type)} {
  namespace stb = detail::stb;
  auto* const bytes = const_cast<unsigned char*>(type_->drawing().data());  // stb never writes there
  bool const opened = stb::gt_stbtt_InitFont(&stb_, bytes, 0) != 0;
  check(opened, "OutlineFont", "stb_truetype must open the font (it did not)");
  if (!type_->is_cff()) return;
  int const size = static_cast<int>(type_->outline_bytes());  // stb assumes 512 MiB
  stb_.cff.size = size;
  if (stb_.fdselect.size != 0) stb_.fdselect.size = size - static_cast<int>(stb_.fdselect.data - stb_.cff.data);
}

GT_FN std::vector<detail::stb::stbtt_vertex> OutlineFont::outline(int glyph, detail::StbMemory& memory) const {
  namespace stb = detail::stb;
  stb::stbtt_fontinfo font = stb_;
  font.userdata = &memory;
  // Beyond 32 cells from the pen no letter has a point; a curve from there would be drawn in thousands of pieces.
  double const reach_y = std::min(32767, 32 * type_->line());
  double const reach_x = std::min(32767, 32 * std::max(type_->line(), type_->advance(glyph)));
  std::vector<stb::stbtt_vertex> all;
  type_->each_part(glyph, [&](int part, detail::Affine const& a) {
    stb::stbtt_vertex* vertices = nullptr;
    int const count = stb::gt_stbtt_GetGlyphShape(&font, part, &vertices);
    auto const move = [&](short& x, short& y) {
      auto const rounded = [](double v, double reach) {
        return static_cast<short>(std::lround(std::clamp(v, -reach, reach)));
      };
      double const fx = x, fy = y;
      x = rounded(a.xx * fx + a.xy * fy + a.dx, reach_x), y = rounded(a.yx * fx + a.yy * fy + a.dy, reach_y);
    };
    for (int i = 0; i < count; ++i) {
      auto v = vertices[i];
      move(v.x, v.y);
      if (v.type >= stb::STBTT_vcurve) move(v.cx, v.cy);
      if (v.type == stb::STBTT_vcubic) move(v.cx1, v.cy1);
      all.push_back(v);
    }
  });
  return all;
}

GT_FN Cell OutlineFont::draw(int glyph, int side) const {
  namespace stb = detail::stb;
  detail::StbMemory memory;
  auto vertices = outline(glyph, memory);
  Cell cell;
  if (vertices.empty()) return cell;

  float const scale = static_cast<float>(side) / static_cast<float>(type_->line());
  float origin = 0, width = static_cast<float>(type_->advance(glyph));  // font units
  if (width == 0) {
    auto const [left, right] =
        std::minmax_element(vertices.begin(), vertices.end(), [](auto const& a, auto const& b) { return a.x < b.x; });
    origin = left->x, width = static_cast<float>(right->x) - origin;
  }
  float const scale_x = std::min(scale, width > 0 ? static_cast<float>(side) / width : scale);
  int const left = (side - static_cast<int>(std::lround(width * scale_x))) / 2;

  // A canvas with its baseline below line 2 S of 3 S, to which stb clips.
  std::array<unsigned char, 64 * 3 * 64> coverage{};
  stb::stbtt__bitmap canvas{.w = side, .h = 3 * side, .stride = side, .pixels = coverage.data()};
  float const shift = -std::round(origin * scale_x);
  detail::FillSteps const steps{scale_x, scale, shift + static_cast<float>(left), 2.0 * side, side, 3 * side};
  check(steps(vertices) <= detail::most_steps_of_a_glyph, "OutlineFont", "glyph ", glyph,
        " must be drawn in a tenth of a second (got an outline of ", vertices.size(),
        " points that takes longer); the font was made to be slow");
  stb::gt_stbtt_Rasterize(&canvas, 0.35f, vertices.data(), static_cast<int>(vertices.size()), scale_x, scale, shift, 0,
                          -left, -2 * side, 1, &memory);
  std::array<std::uint64_t, 3 * 64> lines{};
  int top = 2 * side, bottom = 2 * side;  // of the ink and the baseline
  for (int y = 0; y < canvas.h; ++y) {
    auto& line = lines[static_cast<std::size_t>(y)];
    for (int x = 0; x < side; ++x)
      if (coverage[static_cast<std::size_t>(y * side + x)] >= 128) line |= std::uint64_t{1} << x;
    if (line == 0) continue;
    top = std::min(top, y), bottom = std::max(bottom, y + 1);
  }
  int const above = static_cast<int>(std::floor((side - (bottom - top)) / 2.0));
  for (int y = 0; y < side; ++y)
    if (int const from = top + y - above; from >= top && from < bottom)
      cell.rows[static_cast<std::size_t>(y)] = lines[static_cast<std::size_t>(from)];
  return cell;
}

GT_FN bool OutlineFont::draws_something(std::string_view name) const {
  constexpr int most = 8 * detail::most_points_of_a_glyph;
  std::vector<bool> tried(static_cast<std::size_t>(type_->glyphs()));
  int points = 0;
  for (auto const& pair : type_->characters()) {
    auto const glyph = static_cast<std::size_t>(pair.glyph);
    if (tried[glyph]) continue;
    tried[glyph] = true;
    points += type_->points(pair.glyph);
    check(points <= most, "OutlineFont", "'", name, "' must draw something within its first ", most,
          " points (got only blanks); the file is broken");
    if (draw(pair.glyph, 64).rows != Cell{}.rows) return true;
  }
  return false;
}

}  // namespace gt::fonts
