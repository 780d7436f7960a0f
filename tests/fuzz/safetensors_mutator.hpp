// SPDX-License-Identifier: MIT
// Changes a safetensors file so that most of what comes out still has a header to read. For one source file a program.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

// Where the JSON object at byte 8 ends; 0 where it does not.
static std::size_t end_of_header(std::span<std::uint8_t const> bytes) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 8; i < bytes.size(); ++i) {
    auto const c = bytes[i];
    if (quoted) {
      if (c == '\\') ++i;
      quoted = c != '"';
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{') {
      ++depth;
    } else if (c == '}' && --depth == 0) {
      return i + 1;
    }
  }
  return 0;
}

// Three times in four the length of the header is made right again.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
  size = LLVMFuzzerMutate(data, size, max_size);
  std::size_t const end = seed % 4 == 0 ? 0 : end_of_header({data, size});
  for (std::size_t i = 0; i < 8 && end > 0; ++i) data[i] = static_cast<std::uint8_t>((end - 8) >> 8 * i);
  return size;
}
