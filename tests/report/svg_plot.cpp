// SPDX-License-Identifier: MIT
// Line plots: well-formed whatever they are given, true to their numbers, readable by all.
#include "gt/report/svg_plot.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <clocale>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "io/support.hpp"
#include "report/xml.hpp"

namespace svg_plot_test {

using gt::report::LinePlot, gt::report::PlotSeries, gt::report::PlotStyle, gt::report::Scale, gt::report::to_svg;
using gt::test::error_of, gt::test::has, gt::test::Xml, gt::test::XmlElement;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN(),
                 infinite = std::numeric_limits<double>::infinity();

LinePlot plot_of(std::vector<double> x, std::vector<double> y, PlotStyle style = PlotStyle::line) {
  return {.title = "t", .series = {{.name = "s", .x = std::move(x), .y = std::move(y), .style = style}}};
}
/// The drawing of a plot, after a look at what holds for all of them.
Xml drawn(LinePlot const& plot, gt::report::SvgOptions const& options = {}) {
  std::string const svg = to_svg(plot, options);
  Xml xml(svg);
  REQUIRE(xml.error() == "");
  CHECK(!has(svg, "nan"));
  CHECK(!has(svg, "inf"));
  REQUIRE(xml.elements().size() > 2);
  CHECK(xml.elements()[0].name == "svg");
  CHECK(xml.elements()[0].attributes.at("role") == "img");
  CHECK(xml.elements()[1].name == "title");
  CHECK(xml.elements()[2].name == "desc");
  for (auto const& c : xml.all("circle")) {
    CHECK(c.number("cx") >= 0);
    CHECK(c.number("cx") <= options.width);
    CHECK(c.number("cy") >= 0);
    CHECK(c.number("cy") <= options.height);
  }
  return xml;
}
bool shows(Xml const& xml, std::string_view words) {
  auto const texts = xml.all("text");
  return std::any_of(texts.begin(), texts.end(), [&](auto const& t) { return t.text == words; });
}
std::string path_of(Xml const& xml) { return xml.all("path").at(0).attributes.at("d"); }

}  // namespace

TEST_CASE("to_svg: a file has its own style, background and title; an element of a page has the page's") {
  auto plot = plot_of({1, 2, 3}, {3, 2, 1});
  plot.title = "Loss";
  std::string const file = to_svg(plot), element = to_svg(plot, {.standalone = false});
  CHECK(file.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" "));
  CHECK(has(file, "prefers-color-scheme:dark"));
  CHECK(shows(drawn(plot), "Loss"));
  CHECK(!has(element, "http"));
  CHECK(!has(element, "<style"));
  CHECK(!shows(drawn(plot, {.standalone = false}), "Loss"));
  CHECK(drawn(plot, {.standalone = false}).all("title")[0].text == "Loss");
  CHECK(has(element, "currentColor"));
  CHECK(has(gt::report::plot_css(), "@media (prefers-color-scheme:dark)"));
  CHECK(to_svg(plot) == file);  // the same each time
}

TEST_CASE("to_svg: every text is escaped") {
  std::string const evil = "</svg><script>alert('&\"')\x01\xFF";
  LinePlot const plot{.title = evil,
                      .description = evil,
                      .x_label = evil,
                      .y_label = evil,
                      .series = {{.name = evil, .x = {1, 2}, .y = {1, 2}}, {.name = "b", .x = {1, 2}, .y = {2, 1}}},
                      .marks = {{0, evil}}};
  auto const xml = drawn(plot, {.width = 1200});
  CHECK(xml.all("script").empty());
  std::string const shown = "</svg><script>alert('&\"')\uFFFD\uFFFD";
  CHECK(xml.all("title")[0].text == shown);
  auto const texts = xml.all("text");
  CHECK(std::count_if(texts.begin(), texts.end(), [&](auto const& t) { return t.text == shown; }) == 5);
}

TEST_CASE("to_svg: greater numbers lie further right and higher; equal steps are equal lengths") {
  auto const c = drawn(plot_of({0, 10, 20, 40}, {5, 4, 3, 1}, PlotStyle::points)).all("circle");
  REQUIRE(c.size() == 4);
  double const step = c[1].number("cx") - c[0].number("cx"), fall = c[1].number("cy") - c[0].number("cy");
  CHECK(step > 10);
  CHECK(fall > 10);
  CHECK(c[2].number("cx") - c[1].number("cx") == doctest::Approx(step).epsilon(0.01));
  CHECK(c[3].number("cx") - c[2].number("cx") == doctest::Approx(2 * step).epsilon(0.01));
  CHECK(c[3].number("cy") - c[2].number("cy") == doctest::Approx(2 * fall).epsilon(0.01));

  auto log = plot_of({1, 10, 100, 1000}, {1, 2, 4, 8}, PlotStyle::points);
  log.x_scale = log.y_scale = Scale::log;
  auto const l = drawn(log).all("circle");
  REQUIRE(l.size() == 4);
  for (std::size_t i = 1; i + 1 < 4; ++i) {
    CHECK(l[i + 1].number("cx") - l[i].number("cx") ==
          doctest::Approx(l[i].number("cx") - l[i - 1].number("cx")).epsilon(0.01));
    CHECK(l[i].number("cy") - l[i + 1].number("cy") ==
          doctest::Approx(l[i - 1].number("cy") - l[i].number("cy")).epsilon(0.01));
  }
}

TEST_CASE("to_svg: numbers that are none leave a gap; without any there is no data") {
  CHECK(path_of(drawn(plot_of({1, 2, 3}, {1, 2, 3}))).find('M', 1) == std::string::npos);
  auto const broken = path_of(drawn(plot_of({1, 2, 3, 4, 5}, {1, 2, not_a_number, 3, 4})));
  CHECK(std::count(broken.begin(), broken.end(), 'M') == 2);
  CHECK(std::count(broken.begin(), broken.end(), 'L') == 2);
  CHECK(drawn(plot_of({1, not_a_number, 3, infinite}, {1, 2, -infinite, 4}, PlotStyle::points)).all("circle").size() ==
        1);

  CHECK(shows(drawn({.title = "empty"}), "no data"));
  CHECK(shows(drawn(plot_of({}, {})), "no data"));
  CHECK(shows(drawn(plot_of({not_a_number, 1}, {1, infinite})), "no data"));
  auto log = plot_of({-1, 0, 1}, {1, 2, 3}, PlotStyle::points);
  log.x_scale = Scale::log;
  CHECK(drawn(log).all("circle").size() == 1);
  log.series[0].x = {-1, -2, 0};
  log.marks = {{-1, "x"}, {not_a_number, "y"}};
  CHECK(shows(drawn(log), "no data"));
}

TEST_CASE("to_svg: one point is seen; constant, huge and tiny numbers have axes") {
  CHECK(drawn(plot_of({7}, {2.5})).all("circle").size() == 1);
  CHECK(drawn(plot_of({1, 2}, {2.5, 2.5}, PlotStyle::points)).all("circle").size() == 2);
  for (double const scale : {1e-307, 1e-300, 1e-12, 1e12, 1e18, 9e299}) {
    CAPTURE(scale);
    for (Scale const axis : {Scale::linear, Scale::log}) {
      auto plot = plot_of({scale, scale * 0.5}, {scale, scale * 0.25}, PlotStyle::line_and_points);
      plot.x_scale = plot.y_scale = axis;
      plot.series[0].label_last = true;
      CHECK(to_svg(plot).size() < 20'000);
      drawn(plot);
    }
  }
  drawn(plot_of({-9e299, 9e299}, {-9e299, 9e299}, PlotStyle::points));
  drawn(plot_of({0, 0}, {0, 0}, PlotStyle::points));
}

TEST_CASE("to_svg: a long series is drawn in bounded size, and keeps its extremes") {
  std::vector<double> x, y;
  for (int i = 0; i < 200'000; ++i) x.push_back(i), y.push_back(std::sin(i * 0.7));
  y[123'456] = 50;
  auto const plot = plot_of(x, y, PlotStyle::line_and_points);
  std::string const svg = to_svg(plot);
  CHECK(svg.size() < 60'000);
  auto only = plot_of({x.front(), x[123'456], x.back()}, {-1, 50, -1}, PlotStyle::points);
  auto const peak = drawn(only).all("circle")[1];
  CHECK(has(path_of(drawn(plot)), peak.attributes.at("cx") + " " + peak.attributes.at("cy")));
}

TEST_CASE("to_svg: a legend from two series on, last values that do not lie on each other") {
  auto plot = plot_of({1, 2}, {5, 3});
  CHECK(!shows(drawn(plot), "s"));
  plot.series[0].label_last = true;
  plot.series.push_back({.name = "other", .x = {1, 2}, .y = {4, 3.001}, .label_last = true});
  auto const xml = drawn(plot);
  CHECK(shows(xml, "s"));
  CHECK(shows(xml, "other"));
  std::vector<double> places;
  for (auto const& t : xml.all("text"))
    if (t.text == "3.000" || t.text == "3.001") places.push_back(t.number("y"));
  REQUIRE(places.size() == 2);
  CHECK(std::fabs(places[0] - places[1]) >= 14);
  CHECK(has(xml.all("desc")[0].text, "other: 4 at 1 to 3.001 at 2."));
}

TEST_CASE("to_svg: marks are dashed lines; their labels are cut, or left out, where the next mark is near") {
  auto plot = plot_of({0, 100}, {1, 2});
  plot.marks = {{0, "first stage"}, {50, "second stage"}, {60, "third stage"}, {61, "4th stage"}};
  auto const xml = drawn(plot);
  std::size_t dashed = 0;
  for (auto const& l : xml.all("line")) dashed += l.attributes.count("stroke-dasharray");
  CHECK(dashed == 4);
  CHECK(shows(xml, "first stage"));
  CHECK(shows(xml, "second"));
  CHECK(!shows(xml, "third"));
  CHECK(!shows(xml, "third stage"));
  CHECK(shows(xml, "4th stage"));
}

TEST_CASE("to_svg: what cannot be drawn is an error") {
  CHECK(error_of([] {
          to_svg(plot_of({1, 2}, {1}));
        }) == "gt: to_svg: series 's' must have as many x as y (got 2 and 1)");
  CHECK(error_of([] { to_svg(plot_of({1}, {1}), {.width = 199}); }) ==
        "gt: to_svg: a drawing must have at least 200 x 150 pixels (got 199 x 400)");
  CHECK(error_of([] { to_svg(plot_of({1}, {1}), {.width = 200, .height = 150}); }) == "no error");
}

TEST_CASE("to_svg: the locale changes nothing") {
  auto const plot = plot_of({0.5, 1.25}, {1.5, 2.75});
  std::string const before = to_svg(plot);
  std::string const old = std::setlocale(LC_ALL, nullptr);
  bool comma = false;
  for (char const* name : {"de_DE.UTF-8", "fr_FR.UTF-8", "ru_RU.UTF-8"}) comma = comma || std::setlocale(LC_ALL, name);
  if (!comma) MESSAGE("skipped: needs a locale with a decimal comma");
  CHECK(to_svg(plot) == before);
  std::setlocale(LC_ALL, old.c_str());
}

}  // namespace svg_plot_test
