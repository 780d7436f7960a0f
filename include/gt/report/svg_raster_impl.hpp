// SPDX-License-Identifier: MIT
// What gt/report/svg_raster.hpp declares.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/report/svg_raster.hpp"

namespace gt::inline GT_ABI::report {

GT_FN std::string raster_path(std::span<unsigned char const> bits, int side) {
  check(side >= 1 && side <= 4096 && bits.size() * 8 >= static_cast<std::size_t>(side) * static_cast<std::size_t>(side),
        "raster_path", "a picture needs a side of 1 to 4096, and a bit a pixel (got ", bits.size(),
        " bytes for a side of ", side, ")");
  auto const black = [&](int x, int y) {
    auto const i = static_cast<std::size_t>(y) * static_cast<std::size_t>(side) + static_cast<std::size_t>(x);
    return (bits[i / 8] >> (7 - i % 8) & 1) != 0;
  };
  // The end of the run that starts at (x, y), or x where none does.
  auto const run_end = [&](int x, int y) {
    if (x > 0 && black(x - 1, y)) return x;
    int end = x;
    while (end < side && black(end, y)) ++end;
    return end;
  };
  std::string d;
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      int const end = run_end(x, y);
      if (end == x || (y > 0 && run_end(x, y - 1) == end)) continue;  // none, or drawn with the line above
      int below = y + 1;
      while (below < side && run_end(x, below) == end) ++below;
      d += text("M", x, " ", y, "h", end - x, "v", below - y, "h", x - end, "z");
    }
  }
  return d;
}

}  // namespace gt::report
