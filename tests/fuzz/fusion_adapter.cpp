// SPDX-License-Identifier: MIT
// Any bytes as the file of an ensemble's adapter: it takes no more memory than its tensors account for, and written
// again it is the same.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

#include "fuzz.hpp"
#include "gt/formats/ensemble_folder.hpp"
#include "safetensors_mutator.hpp"

using namespace gt;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string const path = fuzz::folder().put("adapter", fuzz::text_of(data, size)), copy = fuzz::folder() / "copy";
  std::optional<FusionAdapter<float>> adapter;
  if (!fuzz::accepts(size, {.factor = 192}, [&] { adapter = load_adapter(path); })) return 0;
  fuzz::require(adapter->experts() >= 1 && adapter->rank() >= 1, "an adapter must be one of experts");
  save_adapter(*adapter, copy);
  auto const again = load_adapter(copy);
  auto const a = std::as_bytes(adapter->buffer().span()), b = std::as_bytes(again.buffer().span());
  fuzz::require(again.experts() == adapter->experts() && again.rank() == adapter->rank() &&
                    std::equal(a.begin(), a.end(), b.begin(), b.end()),
                "what is written must read the same");
  return 0;
}
