// SPDX-License-Identifier: MIT
// Any text as the adapter_config.json of adapters that are there: it is refused and the model is as it was, or they are
// the model's, and written again they are the same.
#include <cstddef>
#include <cstdint>

#include "fuzz.hpp"
#include "gt/formats/peft/peft.hpp"
#include "models.hpp"

using namespace gt;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  static bool const written = [] {
    auto model = fuzz::model_of(2);
    model.attach_adapters({.rank = 2, .targets = {.k = false}});
    save_adapter(model, fuzz::folder() / "adapter");
    return true;
  }();
  fuzz::folder().put("adapter/adapter_config.json", fuzz::text_of(data, size));
  auto model = fuzz::model_of(2);
  if (!fuzz::accepts(size, {.factor = 128}, [&] { load_adapter(model, fuzz::folder() / "adapter"); })) {
    fuzz::require(!model.has_adapters(), "a model must be as it was");
    return !written;
  }
  fuzz::require(model.adapted() >= 1 && model.lora().rank == 2, "the adapters must be those that were saved");
  save_adapter(model, fuzz::folder() / "copy");
  auto again = fuzz::model_of(2);
  load_adapter(again, fuzz::folder() / "copy");
  fuzz::require(again.lora() == model.lora() && again.adapted() == model.adapted(), "they must read the same");
  return 0;
}
