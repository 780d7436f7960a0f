// SPDX-License-Identifier: MIT
// Axes: round ticks, few of them, inside the range.
#include "gt/report/plot_scale.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

namespace plot_scale_test {

using gt::report::PlotScale, gt::report::Scale;
using Labels = std::vector<std::string>;

namespace {

Labels labels(PlotScale const& scale) {
  Labels all;
  for (auto const& t : scale.ticks()) all.push_back(t.label);
  return all;
}

}  // namespace

TEST_CASE("PlotScale: linear ticks are round, and their labels have the decimals and the suffix of the axis") {
  CHECK(labels({Scale::linear, 0, 1'200'000, 4, false}) == Labels{"0", "0.5M", "1.0M"});
  CHECK(labels({Scale::linear, 2.13, 3.19, 6, true}) == Labels{"2.0", "2.2", "2.4", "2.6", "2.8", "3.0", "3.2"});
  CHECK(labels({Scale::linear, 0, 100, 5, false}) == Labels{"0", "20", "40", "60", "80", "100"});
  CHECK(labels({Scale::linear, 0, 9999, 2, false}) == Labels{"0", "5000"});
  CHECK(labels({Scale::linear, 0, 20'000, 2, false}) == Labels{"0", "10k", "20k"});
  CHECK(labels({Scale::linear, -0.2, 0.2, 4, false}) == Labels{"-0.2", "-0.1", "0", "0.1", "0.2"});
  CHECK(labels({Scale::linear, 3e9, 4e9, 2, false}) == Labels{"3.0G", "3.5G", "4.0G"});
}

TEST_CASE("PlotScale: logarithmic ticks are powers of ten, with doubles and fivefolds where there are few") {
  CHECK(labels({Scale::log, 1, 1e4, 8, false}) == Labels{"1", "10", "100", "1000", "10k"});
  CHECK(labels({Scale::log, 1, 10, 6, false}) == Labels{"1", "2", "5", "10"});
  CHECK(labels({Scale::log, 1, 1e12, 4, false}).size() <= 5);
  CHECK(labels({Scale::log, 2.1, 2.4, 4, false}).size() >= 2);  // between two powers: as on a linear axis
}

TEST_CASE("PlotScale: whatever the range, two ticks or more, not many, rising, inside; a widened range holds the old") {
  for (double const low : {-1e6, -3.7, 0.0, 1e-5, 0.12, 2.1, 17.0, 1e9}) {
    for (double const span : {1e-4, 0.033, 1.0, 7.7, 1234.5, 1e7}) {
      for (int const most : {2, 3, 4, 8}) {
        for (bool const widened : {false, true}) {
          CAPTURE(low);
          CAPTURE(span);
          CAPTURE(most);
          CAPTURE(widened);
          PlotScale const scale(Scale::linear, low, low + span, most, widened);
          auto const& ticks = scale.ticks();
          CHECK(ticks.size() >= (widened ? 2 : 1));
          CHECK(ticks.size() <= static_cast<std::size_t>(most) + 2);
          double const slack = 1e-6 * (scale.high() - scale.low());
          CHECK(scale.low() <= low + slack);
          CHECK(scale.high() >= low + span - slack);
          for (std::size_t i = 0; i < ticks.size(); ++i) {
            CHECK(ticks[i].value >= scale.low() - slack);
            CHECK(ticks[i].value <= scale.high() + slack);
            if (i > 0) CHECK(ticks[i].value > ticks[i - 1].value);
          }
        }
      }
    }
  }
}

TEST_CASE("PlotScale: a single number gets room, nothing gets a range") {
  PlotScale const one(Scale::linear, 5, 5, 4, true), none(Scale::linear, 1, -1, 4, true),
      log(Scale::log, 1, -1, 4, true);
  CHECK(one.low() < 5);
  CHECK(one.high() > 5);
  CHECK(none.low() == 0);
  CHECK(none.high() == 1);
  CHECK(log.low() == 1);
  CHECK(log.high() == 10);
}

TEST_CASE("numbers in a drawing: no minus at zero, no more digits than asked") {
  using gt::report::place, gt::report::detail::value_text;
  CHECK(place(12.04) == "12");
  CHECK(place(12.06) == "12.1");
  CHECK(place(-0.01) == "0");
  CHECK(value_text(2.1434) == "2.143");
  CHECK(value_text(9999) == "9999");
  CHECK(value_text(12'345) == "12.35k");
  CHECK(value_text(1.5e6) == "1.5M");
  CHECK(value_text(0) == "0");
  CHECK(value_text(1.25e-7) == "1.25e-07");
}

}  // namespace plot_scale_test
