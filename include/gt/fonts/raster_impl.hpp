// SPDX-License-Identifier: MIT
// What gt/fonts/raster.hpp declares.
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/fonts/raster.hpp"

namespace gt::inline GT_ABI::fonts {

GT_FN std::vector<int> polar_snake_order(int side) {
  check(side >= 1 && side <= 1024, "polar_snake_order", "side must be 1 to 1024 (got ", side, ")");
  auto const place = [side](int pixel) {
    int const x = pixel % side, y = pixel / side, dx = x - side / 2, dy = y - side / 2;
    return std::tuple(dx * dx + dy * dy, std::atan2(dy, dx), x, y);
  };
  std::vector<int> order(static_cast<std::size_t>(side * side));
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int a, int b) { return place(a) < place(b); });
  return order;
}

}  // namespace gt::fonts
