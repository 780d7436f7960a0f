// SPDX-License-Identifier: MIT
// What the tests of model folders share: small models with a tokenizer, and folders that are spoiled.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gt/formats/hugging_face/model_folder.hpp"
#include "gt/io/json.hpp"
#include "gt/io/safetensors.hpp"
#include "gt/io/text_file.hpp"
#include "gt/nn/transformer.hpp"
#include "gt/substrate/binary_embedding.hpp"
#include "gt/substrate/random_embedding.hpp"
#include "gt/text/tokenizer.hpp"
#include "gt/text/tokenizer_json.hpp"
#include "io/support.hpp"
#include "support/close.hpp"
#include "support/model.hpp"
#include "text/support.hpp"

namespace gt::test {

inline constexpr BlockConfig small{.d_model = 32, .heads = 4};

inline Tokenizer const& tokenizer_of_prose() {
  static auto const tokenizer = Tokenizer::build(Corpus::from_text(prose(600)), {.vocab_size = 420});
  return tokenizer;
}

/// A model on the bits of its tokens' ids, which are fewer than its width; every number of it counts.
inline Transformer<> model_on_bits(BlockConfig shape, int depth = 2, std::uint64_t s = 3,
                                   TransformerOptions options = {.context = 24}) {
  auto const bits = BinaryEmbedding::of_ids(tokenizer_of_prose().tokens(), {.d_model = shape.d_model});
  Transformer<> model(bits, shape, seed(s), options);
  model.append(depth);
  scramble(model, static_cast<std::uint32_t>(100 * s));
  return model;
}
/// The same of the shape `small`.
inline Transformer<> model_on_bits(int depth = 2, std::uint64_t s = 3, TransformerOptions options = {.context = 24}) {
  return model_on_bits(small, depth, s, options);
}
/// A model on rows as wide as itself.
inline Transformer<> model_on_rows(BlockConfig shape, int depth = 1) {
  auto const rows = RandomEmbedding::draw(tokenizer_of_prose().tokens(), {.width = shape.d_model});
  Transformer<> model(rows, shape, seed(3), {.context = 24});
  model.append(depth);
  scramble(model);
  return model;
}

/// The same of the shape `small`.
inline Transformer<> model_on_rows(int depth = 1) { return model_on_rows(small, depth); }

/// The names of all tensors in which two models differ in name, shape or any bit.
template <class A, class B>
std::vector<std::string> differences(A const& a, B const& b) {
  auto const x = a.parameters();
  auto const y = b.parameters();
  std::vector<std::string> names;
  if (x.size() != y.size()) names.push_back("their number");
  for (std::size_t i = 0; i < std::min(x.size(), y.size()); ++i) {
    bool const same = x[i].name == y[i].name && x[i].shape == y[i].shape &&
                      std::memcmp(x[i].data, y[i].data, sizeof(float) * static_cast<std::size_t>(x[i].size())) == 0;
    if (!same) names.push_back(x[i].name);
  }
  return names;
}

/// A tensor with bytes of its own.
struct OwnTensor {
  std::string name, dtype;
  std::vector<std::int64_t> shape;
  std::vector<std::byte> bytes;
};
/// Writes the weights of a folder again as another program would: changed by `edit`, and without a word on config.json.
inline void rewrite_weights(std::string const& folder, std::function<void(std::vector<OwnTensor>&)> const& edit,
                            std::string const& name = "model.safetensors") {
  std::vector<OwnTensor> tensors;
  {
    auto const file = io::Safetensors::open(folder + "/" + name);
    for (auto const& t : file.tensors())
      tensors.push_back({t.name, t.dtype, t.shape, {t.bytes.begin(), t.bytes.end()}});
  }
  edit(tensors);
  std::vector<io::TensorView> views;
  for (auto const& t : tensors) views.push_back({t.name, t.dtype, t.shape, t.bytes});
  io::write_safetensors(folder + "/" + name, std::span<io::TensorView const>(views), {{"format", "pt"}});
}
inline Json config_of(std::string const& folder) {
  return parse_json(read_text_file(folder + "/config.json"), "config.json");
}
inline void put_config(std::string const& folder, Json const& config) { put(folder + "/config.json", config.dump(2)); }

}  // namespace gt::test
