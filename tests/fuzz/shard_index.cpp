// SPDX-License-Identifier: MIT
// Any text as the index of weights in several files, of which two are there: it is refused, or lists each tensor once.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "fuzz.hpp"
#include "gt/formats/hugging_face/tensor_files.hpp"

using namespace gt;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  static bool const written = [] {
    std::vector<std::byte> const four(4);
    std::vector<io::TensorView> const a{{"x", "F32", {1}, four}, {"y", "F32", {1}, four}}, b{{"z", "F32", {}, four}};
    io::write_safetensors(fuzz::folder() / "a", std::span<io::TensorView const>(a));
    io::write_safetensors(fuzz::folder() / "b", std::span<io::TensorView const>(b));
    return true;
  }();
  fuzz::folder().put("model.safetensors.index.json", fuzz::text_of(data, size));
  std::optional<formats::TensorFiles> files;
  if (!fuzz::accepts(size, {.factor = 128}, [&] { files = formats::TensorFiles::open(fuzz::folder().path()); }))
    return !written;
  std::size_t count = 0;
  files->for_each([&](io::TensorView const& t) { count += files->find(t.name) == &t; });
  fuzz::require(count >= 1 && count <= 3, "each tensor must be found where it is");
  return 0;
}
