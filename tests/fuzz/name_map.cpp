// SPDX-License-Identifier: MIT
// Any text as the map of weights that are there: it is refused, or the model is made and speaks.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "fuzz.hpp"
#include "gt/backend/ref/ref.hpp"
#include "gt/formats/import.hpp"
#include "gt/nn/passes.hpp"
#include "models.hpp"

using namespace gt;

namespace {

// Under names of their own, queries, keys and values in one, the MLP's first matrix transposed: seeds/name_map/renamed.
void write_weights(std::string const& path) {
  auto const model = fuzz::model_of(1);
  std::vector<io::TensorView> tensors;
  Buffer<float> const wide(fuzz::vocab * 8), joined(24 * 8);
  for (auto const& p : model.parameters()) {
    if (p.name == "model.embed_tokens.weight") {
      tensors.push_back({"table", "F32", {fuzz::vocab, 8}, detail::bytes_of(wide.data(), wide.size())});
    } else if (p.name.ends_with("q_proj.weight")) {
      tensors.push_back({"h.0.qkv", "F32", {24, 8}, detail::bytes_of(joined.data(), joined.size())});
    } else if (p.name.ends_with("c_fc.weight")) {
      tensors.push_back({"h.0.up", "F32", {8, 32}, detail::bytes_of(p.data, p.size())});
    } else if (!p.name.ends_with("k_proj.weight") && !p.name.ends_with("v_proj.weight")) {
      tensors.push_back({p.name, "F32", p.shape, detail::bytes_of(p.data, p.size())});
    }
  }
  io::write_safetensors(path, std::span<io::TensorView const>(tensors));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  static bool const written = (write_weights(fuzz::folder() / "weights.safetensors"), true);
  auto const map = fuzz::folder().put("map.json", fuzz::text_of(data, size));
  std::optional<Transformer<>> model;
  fuzz::HeapBudget const budget{.constant = 192 << 20, .factor = 128};  // as of config.json
  if (!fuzz::accepts(size, budget, [&] { model = import_model(fuzz::folder() / "weights.safetensors", map); }))
    return !written;
  std::vector<std::int32_t> const ids{1};
  fuzz::require(logits(Ref{}, *model, ids).x.columns() == fuzz::vocab, "a model must speak of its vocabulary");
  return 0;
}
