// SPDX-License-Identifier: MIT
// Any text as the state in a checkpoint, under checksums that are right: it is refused and the model left as it was, or
// taken, and written again it is the same.
#include "gt/runs/checkpoint.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "fuzz.hpp"
#include "json_mutator.hpp"
#include "models.hpp"

using namespace gt;

namespace {

// Weights of one block, with adapters of rank 2 and without.
std::vector<Transformer<>> const& saved_models() {
  static std::vector<Transformer<>> const both = [] {
    std::vector<Transformer<>> models{fuzz::model_of(1), fuzz::model_of(1)};
    models[1].attach_adapters({.rank = 2, .alpha = 4}, 1);
    return models;
  }();
  return both;
}

void write(Transformer<> const& model, std::string_view growth, std::string const& path) {
  auto tensors = detail::trained_tensors(model);
  std::vector<std::byte> const moments(24);
  tensors.push_back({"gt.moments", "U8", {24}, moments});
  io::write_safetensors(path, std::span<io::TensorView const>(tensors),
                        {{"gt.growth", std::string(growth)}, {"gt.substrate", model.substrate_origin()}});
}

std::string growth_of(std::string const& path) { return io::Safetensors::open(path).metadata().at("gt.growth"); }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  auto const input = fuzz::text_of(data, size);
  std::string const path = fuzz::folder() / "checkpoint", second = fuzz::folder() / "second";
  try {
    write(saved_models()[input.find("lora") == input.npos ? 0 : 1], input, path);
  } catch (Error const&) {
    return 0;  // no UTF-8
  }
  auto model = fuzz::model_of(0);
  GrowthState state;
  bool const taken =
      fuzz::accepts(size, {.constant = 4 << 20, .factor = 128}, [&] { state = load_checkpoint(model, path); });
  fuzz::require(taken ? model.depth() == 1 : model.depth() == 0 && !model.has_adapters(), "nothing may be half-loaded");
  if (!taken) return 0;
  fuzz::require(detail::is_sound(state) && state.moments.size() == 24, "a state must be sound");
  save_checkpoint(model, state, second);
  auto once_more = fuzz::model_of(0);
  auto const again = load_checkpoint(once_more, second);
  save_checkpoint(once_more, again, path);
  fuzz::require(growth_of(path) == growth_of(second), "what is written must read the same");
  return 0;
}
