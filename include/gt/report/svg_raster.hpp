// SPDX-License-Identifier: MIT
// A black and white picture as an SVG path.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace gt::inline GT_ABI::report {

/// The black pixels of a `side` x `side` picture as the `d` of a path, one unit a pixel: runs of a line as rectangles,
/// equal runs of successive lines as one. `bits` holds the lines one after the other, the leftmost pixel in the top bit
/// of its byte, 1 = black.   Errors: fewer bits than pixels.
///
///     "<svg viewBox=\"0 0 16 16\"><path shape-rendering=\"crispEdges\" d=\"" + gt::report::raster_path(bits, 16) +
///     "\"/></svg>"
std::string raster_path(std::span<unsigned char const> bits, int side);

}  // namespace gt::report

#if !defined(GT_PREBUILT)
  #include "gt/report/svg_raster_impl.hpp"
#endif
