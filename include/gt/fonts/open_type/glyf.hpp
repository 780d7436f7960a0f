// SPDX-License-Identifier: MIT
// The tables loca and glyf: TrueType outlines, checked so that stb_truetype may decode the simple ones, and composite
// glyphs taken apart.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "gt/fonts/open_type/bytes.hpp"

namespace gt::inline GT_ABI::fonts::detail {

/// More points than this make no letter, but a program slow.
inline constexpr int most_points_of_a_glyph = 16'384;
/// Composite glyphs within composite glyphs; fonts use two or three.
inline constexpr int most_nested_glyphs = 16;

/// x' = xx x + xy y + dx,   y' = yx x + yy y + dy.   In double, where fonts' numbers multiply exactly.
struct Affine {
  double xx = 1, xy = 0, yx = 0, yy = 1, dx = 0, dy = 0;
  /// First `inner`, then this.
  Affine after(Affine const& inner) const {
    return {xx * inner.xx + xy * inner.yx, xx * inner.xy + xy * inner.yy,      yx * inner.xx + yy * inner.yx,
            yx * inner.xy + yy * inner.yy, xx * inner.dx + xy * inner.dy + dx, yx * inner.dx + yy * inner.dy + dy};
  }
};

/// A glyph inside a composite glyph.
struct Component {
  int glyph = 0;
  Affine place;
  bool more = false;     ///< another one follows
  std::size_t next = 0;  ///< where
};

/// The component at byte `at` of a composite glyph. Components that are to be matched point to point lie where they
/// are. Source: OpenType specification 1.9, "glyf", composite glyph description.
template <class Bytes>
Component read_component(Bytes const& g, std::size_t at) {
  enum : unsigned { words = 1, offsets = 2, scale = 8, more = 32, two_scales = 64, matrix = 128, scaled_offset = 2048 };
  unsigned const flags = g.u16(at);
  Component c{.glyph = static_cast<int>(g.u16(at + 2)), .place = {}, .more = (flags & more) != 0};
  at += 4;
  double dx = 0, dy = 0;
  if ((flags & words) != 0) {
    dx = g.i16(at), dy = g.i16(at + 2);
  } else {
    dx = static_cast<std::int8_t>(g.u8(at)), dy = static_cast<std::int8_t>(g.u8(at + 1));
  }
  at += (flags & words) != 0 ? 4 : 2;
  auto const next = [&] { return g.i16((at += 2) - 2) / 16384.0; };
  Affine& p = c.place;
  if ((flags & scale) != 0) {
    p.xx = p.yy = next();
  } else if ((flags & two_scales) != 0) {
    p.xx = next(), p.yy = next();
  } else if ((flags & matrix) != 0) {
    p.xx = next(), p.yx = next(), p.xy = next(), p.yy = next();
  }
  if ((flags & scaled_offset) != 0)
    dx *= std::sqrt(p.xx * p.xx + p.yx * p.yx), dy *= std::sqrt(p.xy * p.xy + p.yy * p.yy);
  if ((flags & offsets) != 0) p.dx = dx, p.dy = dy;
  c.next = at;
  return c;
}

/// Points of a simple glyph. Throws Error unless every flag and coordinate lies inside the bytes of the glyph, the ends
/// of its contours rise, and no contour is one point off the curve: stb would look for a point after it.
template <class Bytes>
int check_simple_glyph(Bytes const& g, int contours) {
  auto const n = static_cast<std::size_t>(contours);
  if (n == 0) return 0;
  std::size_t at = 10 + 2 * n;
  at += 2 + g.u16(at);  // instructions, which are not run
  int const points = 1 + static_cast<int>(g.u16(8 + 2 * n));
  g.check(points <= most_points_of_a_glyph, "must have at most ", most_points_of_a_glyph, " points (got ", points, ")");

  std::vector<bool> on_curve;
  std::size_t coordinates = 0;  // bytes
  while (static_cast<int>(on_curve.size()) < points) {
    unsigned const flags = g.u8(at++);
    std::size_t const times = 1 + ((flags & 8) != 0 ? g.u8(at++) : 0u);
    std::size_t const x = (flags & 2) != 0 ? 1 : (flags & 16) != 0 ? 0 : 2;
    std::size_t const y = (flags & 4) != 0 ? 1 : (flags & 32) != 0 ? 0 : 2;
    std::size_t const count = std::min(times, static_cast<std::size_t>(points) - on_curve.size());
    coordinates += (x + y) * count;
    on_curve.insert(on_curve.end(), count, (flags & 1) != 0);
  }
  g.sub(at, coordinates);

  int begin = 0;
  for (std::size_t i = 0; i < n; ++i) {
    int const end = 1 + static_cast<int>(g.u16(10 + 2 * i));
    g.check(end > begin && end <= points, "must end its contours one after another (got point ", end - 1,
            " after point ", begin - 1, ")");
    g.check(end - begin > 1 || on_curve[static_cast<std::size_t>(begin)], "must have no contour of one control point");
    begin = end;
  }
  return points;
}

/// The outlines of a font.
class GlyfOutlines {
 public:
  GlyfOutlines() = default;
  /// Checks every glyph: its place, its points, its components, which may not contain themselves. `wide`: loca holds
  /// 32-bit offsets, else halves of offsets in 16 bits.
  template <class Bytes>
  GlyfOutlines(Bytes const& glyf, Bytes const& loca, bool wide, int glyphs) {
    for (std::size_t i = 0; i <= static_cast<std::size_t>(glyphs); ++i) {
      std::uint32_t const at = wide ? loca.u32(4 * i) : 2 * loca.u16(2 * i);
      std::uint32_t const before = i == 0 ? 0 : offsets_.back();
      loca.check(at >= before && at <= glyf.size(), "must rise from 0 to at most ", glyf.size(), " (got ", at,
                 " after ", before, ")");
      offsets_.push_back(at);
    }
    std::vector<Weight> weights(static_cast<std::size_t>(glyphs));
    for (int i = 0; i < glyphs; ++i) points_.push_back(weigh(i, glyf, weights, 0).points);
  }

  std::vector<std::uint32_t> const& offsets() const noexcept { return offsets_; }  ///< in glyf, [glyphs + 1]
  /// Points of each glyph with those of all components, and one a component.
  std::vector<int> const& points() const noexcept { return points_; }

  bool empty() const noexcept { return offsets_.empty(); }
  /// Calls `f(simple_glyph, affine)` for each simple glyph that `glyph` is made of. `glyf`: the table that was checked.
  template <class Bytes, class F>
  void each_part(Bytes const& glyf, int glyph, F const& f, Affine const& place = {}) const {
    Bytes const g = bytes(glyph, glyf);
    if (g.size() == 0) return;
    if (g.i16(0) >= 0) return f(glyph, place);
    std::size_t at = 10;
    for (bool more = true; more;) {
      Component const c = read_component(g, at);
      each_part(glyf, c.glyph, f, place.after(c.place));
      at = c.next, more = c.more;
    }
  }

 private:
  struct Weight {
    int points = -1;  // with those of all components, and one a component; -1: not known, -2: being counted
    int depth = 0;
  };
  template <class Bytes>
  Bytes bytes(int glyph, Bytes const& glyf) const {
    auto const i = static_cast<std::size_t>(glyph);
    return glyf.sub(offsets_[i], offsets_[i + 1] - offsets_[i]);
  }
  template <class Bytes>
  Weight weigh(int glyph, Bytes const& glyf, std::vector<Weight>& weights, int nested) const {
    Weight& known = weights[static_cast<std::size_t>(glyph)];
    if (known.points >= 0) return known;
    std::string const name = text("glyph ", glyph);
    Bytes const g = bytes(glyph, glyf).named(name);
    g.check(known.points != -2, "must not contain itself");
    g.check(nested <= most_nested_glyphs, "must not lie within ", nested, " others");
    if (g.size() == 0) return known = {0, 0};
    g.sub(0, 10);
    int const contours = g.i16(0);
    if (contours >= 0) return known = {check_simple_glyph(g, contours), 0};
    known.points = -2;
    Weight sum{0, 0};
    std::size_t at = 10;
    for (bool more = true; more;) {
      Component const c = read_component(g, at);
      g.check(c.glyph < static_cast<int>(weights.size()), "must be made of glyphs below ", weights.size(), " (got ",
              c.glyph, ")");
      Weight const part = weigh(c.glyph, glyf, weights, nested + 1);
      sum = {sum.points + 1 + part.points, std::max(sum.depth, 1 + part.depth)};
      g.check(sum.points <= most_points_of_a_glyph && sum.depth <= most_nested_glyphs, "must have at most ",
              most_points_of_a_glyph, " points and ", most_nested_glyphs, " levels (got more)");
      at = c.next, more = c.more;
    }
    return known = sum;
  }

  std::vector<std::uint32_t> offsets_;
  std::vector<int> points_;
};

}  // namespace gt::fonts::detail
