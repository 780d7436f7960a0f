// SPDX-License-Identifier: MIT
// The constant transform of the author's pictures of tokens: rotation, shift, noise and decimation, pixel by pixel.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <random>
#include <string_view>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/fonts/raster.hpp"
#include "gt/text/utf8.hpp"

namespace gt::inline GT_ABI {

/// What happens to the canvas of a token. The author draws these numbers anew for every token, and seeds the generator
/// with 42 each time: so they are one constant for each class of tokens.
struct Bvv241Augmentation {
  double degrees = 0;       ///< counter-clockwise, about the middle of the canvas
  int right = 0, down = 0;  ///< pixels, after the rotation
  double noise = 0.001;     ///< share of the pixels that turn black
};

/// Tokens of bvv241-2-3 that are `bvv241_is_easy`: at most 4 degrees, 2 pixels, 0.01.
inline constexpr Bvv241Augmentation bvv241_2_3_augmentation{1.11541438766307, -2, 0, 0.01};
/// Those of bvv241-max and bvv241-abs: at most 7 degrees, 3 pixels, 0.03.
inline constexpr Bvv241Augmentation bvv241_max_augmentation{1.9519751784103718, -3, 2, 0.03};
/// All other tokens of both.
inline constexpr Bvv241Augmentation bvv241_complex_augmentation{};

/// Are all characters Latin (U+0000 to 024F), Greek (0370 to 03FF), Cyrillic or Armenian (0400 to 058F)?
constexpr bool bvv241_is_easy(std::string_view token) {
  for (utf8::Unit const unit : utf8::Units{token}) {
    char32_t const c = unit.value;
    if (!unit.valid || !(c <= 0x024F || (c >= 0x0370 && c <= 0x03FF) || (c >= 0x0400 && c <= 0x058F))) return false;
  }
  return true;
}

namespace detail {

/// `numpy.random.seed(42); numpy.random.rand(count) < share`: MT19937, 53 bits a number.
/// Source: Matsumoto & Nishimura 1998, genrand_res53.
inline std::vector<bool> noise_mask(std::size_t count, double share) {
  std::mt19937 random(42);
  std::vector<bool> mask(count);
  for (std::size_t i = 0; i < count; ++i) {
    auto const high = static_cast<double>(random() >> 5), low = static_cast<double>(random() >> 6);
    mask[i] = (high * 67108864 + low) / 9007199254740992 < share;
  }
  return mask;
}

/// Where the bits of a raster come from, for tokens of `length` characters: entry k is the pixel y * (S * length) + x
/// of the canvas [S, S * length] that becomes bit k, in polar order, or one of the two below. [S * S]
///
/// The canvas is rotated about its middle, the nearest pixel taken, white where there is none; then it is shifted; then
/// noise turns pixels black; then column x of the raster is column floor((x + 1/2) * length). Coordinates of the
/// rotation are rounded to 16.16 fixed point and stepped along lines, as Pillow does, whose pixels these are; the
/// sine and cosine are rounded to 15 decimals first. A blur of sigma 0.5 before the threshold moves no pixel: it is
/// left out.
inline std::vector<std::int32_t> bvv241_sources(int side, int length, Bvv241Augmentation const& a) {
  std::int64_t const width = std::int64_t{side} * length;
  auto const mask = noise_mask(static_cast<std::size_t>(width * side), a.noise);
  auto const rounded = [](double x) { return std::nearbyint(x * 1e15) / 1e15; };
  auto const fixed = [](double x) { return static_cast<std::int64_t>(std::floor(x * 65536 + 0.5)); };
  double const angle = -a.degrees * std::numbers::pi / 180;
  double const c = rounded(std::cos(angle)), s = rounded(std::sin(angle));
  double const mid_x = static_cast<double>(width) / 2, mid_y = side / 2.0;
  double const from_x = mid_x - c * mid_x - s * mid_y, from_y = mid_y + s * mid_x - c * mid_y;
  // The middle of pixel (x, y) is (begin_x + c x + s y, begin_y - s x + c y) in the picture before the rotation.
  std::int64_t const step_c = fixed(c), step_s = fixed(s), step_minus_s = fixed(-s);
  std::int64_t const begin_x = fixed(from_x + 0.5 * c + 0.5 * s), begin_y = fixed(from_y - 0.5 * s + 0.5 * c);

  std::vector<std::int32_t> sources;
  for (int const pixel : fonts::polar_snake_order(side)) {
    std::int64_t const x = (2 * (pixel % side) + 1) * std::int64_t{length} / 2, y = pixel / side;
    std::int64_t const rx = x - a.right, ry = y - a.down;
    std::int64_t const ux = (begin_x + rx * step_c + ry * step_s) >> 16;
    std::int64_t const uy = (begin_y + rx * step_minus_s + ry * step_c) >> 16;
    bool const inside = rx >= 0 && rx < width && ry >= 0 && ry < side && ux >= 0 && ux < width && uy >= 0 && uy < side;
    bool const noisy = mask[static_cast<std::size_t>(y * width + x)];
    sources.push_back(noisy ? -2 : inside ? static_cast<std::int32_t>(uy * width + ux) : -1);
  }
  return sources;
}
inline constexpr std::int32_t source_white = -1;  ///< no pixel of the canvas: white
inline constexpr std::int32_t source_black = -2;  ///< noise

}  // namespace detail
}  // namespace gt
