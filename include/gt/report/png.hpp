// SPDX-License-Identifier: MIT
// Writes a picture in shades of grey as PNG.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/io/atomic_file.hpp"
#include "gt/report/stb_image_write.hpp"

namespace gt::inline GT_ABI::report {

/// A picture, line by line from the top: 0 black, 255 white.
struct GrayImage {
  int width = 0, height = 0;          ///< pixels
  std::vector<unsigned char> pixels;  ///< [height, width]

  GrayImage() = default;
  /// All of one shade. Errors: no pixel, or 2^28 and more.
  GrayImage(int w, int h, unsigned char shade = 255);
  unsigned char& at(int x, int y) { return pixels[index(x, y)]; }       ///< column x, line y; not checked
  unsigned char at(int x, int y) const { return pixels[index(x, y)]; }  ///< its shade

  static constexpr std::int64_t most_pixels = std::int64_t{1} << 28;  ///< the first number that is too large

 private:
  std::size_t index(int x, int y) const;
};

/// The bytes of a PNG file. `Bytes` is what collects them.
template <class Bytes = std::string>
Bytes encode_png(GrayImage const& image) {
  bool const whole = image.width >= 1 && image.height >= 1 &&
                     std::int64_t{image.width} * image.height < GrayImage::most_pixels &&
                     static_cast<std::int64_t>(image.pixels.size()) == std::int64_t{image.width} * image.height;
  check(whole, "encode_png", "a picture must have width x height pixels, one to 2^28 (got ", image.pixels.size(),
        " for ", image.width, " x ", image.height, ")");
  Bytes bytes;
  auto const collect = [](void* to, void* data, int size) {
    static_cast<Bytes*>(to)->append(static_cast<char const*>(data), static_cast<std::size_t>(size));
  };
  int const done = detail::stb::stbi_write_png_to_func(collect, &bytes, image.width, image.height, 1,
                                                       image.pixels.data(), image.width);
  check(done != 0, "encode_png", "there must be memory to pack ", image.width, " x ", image.height, " pixels");
  return bytes;
}

/// Writes `image` to `path`, completely or not at all. Errors: those of io::AtomicFile.
template <class Bytes = std::string>
void write_png(std::string const& path, GrayImage const& image) {
  io::write_file_atomically(path, encode_png<Bytes>(image));
}

}  // namespace gt::report

#if !defined(GT_PREBUILT)
  #include "gt/report/png_impl.hpp"
#endif
