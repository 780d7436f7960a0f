// SPDX-License-Identifier: MIT
// Stacked bars, pictures as paths, and the palette.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <limits>
#include <string>
#include <vector>

#include "gt/report/svg_bars.hpp"
#include "gt/report/svg_raster.hpp"
#include "gt/report/svg_style.hpp"
#include "io/support.hpp"
#include "report/xml.hpp"
#include "support/data.hpp"

namespace svg_parts_test {

using gt::report::raster_path, gt::report::StackedBars, gt::report::to_svg;
using gt::test::error_of, gt::test::has, gt::test::Xml;

namespace {

std::vector<double> widths_of(Xml const& xml) {
  std::vector<double> widths;
  for (auto const& r : xml.all("rect"))
    if (r.attributes.count("y") && r.number("height") > 20) widths.push_back(r.number("width"));
  return widths;
}

using Colour = std::array<double, 3>;
// Linear RGB of "#rrggbb".
Colour linear(char const* hex) {
  unsigned r = 0, g = 0, b = 0;
  REQUIRE(std::sscanf(hex, "#%2x%2x%2x", &r, &g, &b) == 3);
  auto const decode = [](unsigned v) {
    double const c = v / 255.0;
    return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
  };
  return {decode(r), decode(g), decode(b)};
}
double contrast(char const* a, char const* b) {
  auto const luminance = [](Colour c) { return 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2] + 0.05; };
  double const x = luminance(linear(a)), y = luminance(linear(b));
  return std::max(x, y) / std::min(x, y);
}
using Eyes = std::array<Colour, 3>;  // a matrix on linear RGB: full dichromacy, Machado et al. 2009, table 1
constexpr std::array<Eyes, 4> eyes{
    {{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}},
     {{{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}}},
     {{{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}}},
     {{{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}}}}};
// CIELAB, D65.
Colour seen(char const* hex, Eyes const& by) {
  Colour const c = linear(hex);
  Colour v{};
  for (std::size_t i = 0; i < 3; ++i) v[i] = std::clamp(by[i][0] * c[0] + by[i][1] * c[1] + by[i][2] * c[2], 0.0, 1.0);
  auto const f = [](double t) { return t > 0.008856 ? std::cbrt(t) : 7.787 * t + 16.0 / 116; };
  double const x = f((0.4124 * v[0] + 0.3576 * v[1] + 0.1805 * v[2]) / 0.9505),
               y = f(0.2126 * v[0] + 0.7152 * v[1] + 0.0722 * v[2]),
               z = f((0.0193 * v[0] + 0.1192 * v[1] + 0.9505 * v[2]) / 1.089);
  return {116 * y - 16, 500 * (x - y), 200 * (y - z)};
}

// The pixels that a path of rectangles "Mx yhwvhh-wz" fills; fails where two overlap.
std::vector<unsigned char> filled(std::string const& d, int side) {
  std::vector<unsigned char> bits(static_cast<std::size_t>(side * side / 8));
  int x = 0, y = 0, w = 0, h = 0, back = 0, n = 0;
  for (std::size_t at = 0; at < d.size(); at += static_cast<std::size_t>(n)) {
    REQUIRE(std::sscanf(d.c_str() + at, "M%d %dh%dv%dh%dz%n", &x, &y, &w, &h, &back, &n) == 5);
    REQUIRE(back == -w);
    for (int i = y; i < y + h; ++i) {
      for (int j = x; j < x + w; ++j) {
        auto& byte = bits.at(static_cast<std::size_t>((i * side + j) / 8));
        int const bit = 0x80 >> (j % 8);
        CHECK((byte & bit) == 0);
        byte = static_cast<unsigned char>(byte | bit);
      }
    }
  }
  return bits;
}

}  // namespace

TEST_CASE("stacked bars: lengths in proportion, all bars to one scale, totals and names beside them") {
  StackedBars const chart{
      .title = "t", .unit = "ms", .parts = {"a & b", "<c>"}, .bars = {{"one", {100, 300}}, {"two", {50, 0}}}};
  for (bool const standalone : {true, false}) {
    Xml const xml(to_svg(chart, {.standalone = standalone}));
    REQUIRE(xml.error() == "");
    auto const w = widths_of(xml);
    REQUIRE(w.size() == 3);  // nothing for a part of 0
    CHECK((w[1] + 1) / (w[0] + 1) == doctest::Approx(3).epsilon(0.01));
    CHECK((w[2] + 1) / (w[0] + 1) == doctest::Approx(0.5).epsilon(0.01));
    CHECK(w[0] + w[1] + 2 == doctest::Approx(standalone ? 760 - 24 : 760).epsilon(0.001));
    std::string words;
    for (auto const& t : xml.all("text")) words += t.text + "|";
    CHECK(has(words, "a & b|<c>|one|400 ms|two|50.0 ms|"));
    CHECK(has(xml.all("desc")[0].text, "one: a & b 100, <c> 300 ms."));
  }
}

TEST_CASE("stacked bars: parts that are no lengths are left out; a wrong number of parts is an error") {
  constexpr double nan_ = std::numeric_limits<double>::quiet_NaN(), inf_ = std::numeric_limits<double>::infinity();
  std::string const svg =
      to_svg({.title = "t", .parts = {"a", "b", "c"}, .bars = {{"x", {-1, nan_, inf_}}, {"y", {0, 0, 0}}}});
  CHECK(Xml(svg).error() == "");
  CHECK(widths_of(Xml(svg)).empty());
  CHECK(!has(svg, "nan"));
  CHECK(!has(svg, "inf"));
  auto const w =
      widths_of(Xml(to_svg({.title = "t", .parts = {"a", "b"}, .bars = {{"x", {-50, 100}}, {"y", {0, 80}}}})));
  REQUIRE(w.size() == 2);
  CHECK(w[0] == 736 - 1);  // what is left out does not count
  CHECK(Xml(to_svg(StackedBars{.title = "nothing"})).error() == "");
  CHECK(error_of([] {
          to_svg({.title = "t", .parts = {"a", "b"}, .bars = {{"x", {1}}}});
        }) == "gt: to_svg: bar 'x' must have 2 parts (got 1)");
  CHECK(has(error_of([] { to_svg(StackedBars{.title = "t"}, {.width = 10}); }), "at least 200 pixels (got 10)"));
}

TEST_CASE("raster_path: fills exactly the black pixels, each once") {
  for (int const side : {8, 16, 32}) {
    for (unsigned pattern = 0; pattern < 6; ++pattern) {
      CAPTURE(side);
      CAPTURE(pattern);
      std::vector<unsigned char> bits(static_cast<std::size_t>(side * side / 8));
      auto const noise = gt::test::ids_below(256, static_cast<std::int64_t>(bits.size()), pattern + 1);
      for (std::size_t i = 0; i < bits.size(); ++i) {
        auto const random = static_cast<unsigned char>(noise[i]);
        bits[i] = pattern == 0 ? 0 : pattern == 1 ? 255 : pattern == 2 ? random & 0x7E : pattern == 3 ? 0x3C : random;
      }
      CHECK(filled(raster_path(bits, side), side) == bits);
    }
  }
  std::vector<unsigned char> const box(32, 255);
  CHECK(raster_path(box, 16) == "M0 0h16v16h-16z");  // equal lines are one rectangle
  CHECK(raster_path(std::vector<unsigned char>(32), 16).empty());
}

TEST_CASE("raster_path: too few bits, or no side, is an error") {
  std::vector<unsigned char> const bits(31);
  CHECK(error_of([&] { raster_path(bits, 16); }) ==
        "gt: raster_path: a picture needs a side of 1 to 4096, and a bit a pixel (got 31 bytes for a side of 16)");
  CHECK(has(error_of([&] { raster_path(bits, 0); }), "for a side of 0"));
  CHECK(has(error_of([&] { raster_path(bits, -16); }), "for a side of -16"));
}

TEST_CASE("palette: seen on its background, and told apart by eyes of every kind") {
  for (bool const dark : {false, true}) {
    auto const& palette = dark ? gt::report::dark_colours : gt::report::light_colours;
    char const* const paper = dark ? "#15181c" : "#ffffff";
    for (std::size_t i = 0; i < palette.size(); ++i) {
      CAPTURE(palette[i]);
      CHECK(contrast(palette[i], paper) >= 3);
      for (std::size_t j = 0; j < i; ++j) {
        CAPTURE(palette[j]);
        for (auto const& eye : eyes) {
          Colour const a = seen(palette[i], eye), b = seen(palette[j], eye);
          CHECK(std::hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]) >= 20);
        }
      }
    }
  }
  CHECK(contrast("#1b1f24", "#ffffff") > 12);
}

}  // namespace svg_parts_test
