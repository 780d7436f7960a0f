// SPDX-License-Identifier: MIT
// What gt/report/png.hpp declares.
#pragma once

#include <cstddef>
#include <cstdint>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/report/png.hpp"
#include "gt/report/stb_image_write.hpp"

namespace gt::inline GT_ABI::report {

GT_FN GrayImage::GrayImage(int w, int h, unsigned char shade) : width{w}, height{h} {
  check(w >= 1 && h >= 1 && std::int64_t{w} * h < most_pixels, "GrayImage",
        "a picture must have at least one pixel and fewer than 2^28 (got ", w, " x ", h, ")");
  pixels.assign(static_cast<std::size_t>(w) * static_cast<std::size_t>(h), shade);
}

GT_FN std::size_t GrayImage::index(int x, int y) const {
  return static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x);
}

}  // namespace gt::report
