// SPDX-License-Identifier: MIT
// Any text as a model's config.json: its numbers are in their ranges, and beside weights of a fixed model it is
// refused, or the model is made within memory that the weights account for.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "fuzz.hpp"
#include "gt/backend/ref/ref.hpp"
#include "gt/formats/hugging_face/model_folder.hpp"
#include "gt/nn/passes.hpp"
#include "json_mutator.hpp"
#include "models.hpp"

using namespace gt;

namespace {

// As another program writes them: without a word on config.json, and the table lifted to 8.
void write_weights(std::string const& path) {
  auto const model = fuzz::model_of(1);
  std::vector<io::TensorView> tensors;
  Buffer<float> const wide(fuzz::vocab * 8);
  for (auto const& p : model.parameters()) {
    if (p.name == "model.embed_tokens.weight") {
      for (std::int64_t i = 0; i < wide.size(); ++i) wide[i] = p.data[i / 2];
      tensors.push_back({p.name, "F32", {fuzz::vocab, 8}, detail::bytes_of(wide.data(), wide.size())});
    } else {
      tensors.push_back({p.name, "F32", p.shape, detail::bytes_of(p.data, p.size())});
    }
  }
  io::write_safetensors(path, std::span<io::TensorView const>(tensors));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  static bool const written = (write_weights(fuzz::folder() / "model.safetensors"), true);
  fuzz::folder().put("config.json", fuzz::text_of(data, size));
  formats::ModelFolderConfig c;
  if (!fuzz::accepts(size, {.factor = 128}, [&] { c = formats::read_model_config(fuzz::folder().path()); }))
    return !written;
  fuzz::require(c.block.d_model > 0 && c.block.heads > 0 && c.block.d_model % c.block.heads == 0 &&
                    c.block.d_head() % 2 == 0 && c.block.ff() > 0 && c.depth >= 0 && c.vocab > 0 &&
                    c.options.context > 0 && c.table_width > 0 && c.block.d_model % c.table_width == 0,
                "a configuration must be one of a model");

  // Names of tensors take memory by the depth, which may be 4,096; sines and cosines by the context.
  fuzz::HeapBudget const budget{.constant = 96 << 20, .factor = 128};
  std::optional<Transformer<>> model;
  if (!fuzz::accepts(size, budget, [&] { model = load_model(fuzz::folder().path()); })) return 0;
  std::vector<std::int32_t> const ids{1};
  auto const z = logits(Ref{}, *model, ids);
  fuzz::require(z.x.columns() == fuzz::vocab, "a model must speak of its vocabulary");
  return 0;
}
