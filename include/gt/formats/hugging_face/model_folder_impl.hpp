// SPDX-License-Identifier: MIT
// What gt/formats/hugging_face/model_folder.hpp declares.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gt/base/macros.hpp"
#include "gt/base/sha256.hpp"
#include "gt/formats/hugging_face/model_config.hpp"
#include "gt/formats/hugging_face/model_folder.hpp"
#include "gt/formats/hugging_face/tensor_files.hpp"
#include "gt/io/atomic_file.hpp"
#include "gt/io/json.hpp"
#include "gt/io/safetensors.hpp"
#include "gt/io/staging.hpp"
#include "gt/text/vocabulary.hpp"

namespace gt::inline GT_ABI {

namespace detail {

GT_FN std::span<std::byte const> bytes_of(float const* data, std::int64_t count) {
  return std::as_bytes(std::span(data, static_cast<std::size_t>(count)));
}

/// Tensors in order, cut into groups of at most so many bytes; a tensor is never cut.
GT_FN std::vector<std::vector<io::TensorView>> shards_of(std::vector<io::TensorView> tensors, std::int64_t most) {
  std::vector<std::vector<io::TensorView>> shards(1);
  std::int64_t bytes = 0;
  for (auto& t : tensors) {
    auto const size = static_cast<std::int64_t>(t.bytes.size());
    if (bytes > 0 && bytes + size > most) shards.emplace_back(), bytes = 0;
    bytes += size;
    shards.back().push_back(std::move(t));
  }
  return shards;
}

GT_FN std::string shard_name(std::size_t i, std::size_t count) {
  if (count == 1) return "model.safetensors";
  char name[64];
  std::snprintf(name, sizeof name, "model-%05zu-of-%05zu.safetensors", i + 1, count);
  return name;
}

GT_FN bool is_weights_name(std::string_view name) {
  constexpr std::string_view shard = "model-#####-of-#####.safetensors";
  return name == "model.safetensors" || name == "model.safetensors.index.json" ||
         (name.size() == shard.size() && std::equal(name.begin(), name.end(), shard.begin(), [](char c, char of) {
            return of == '#' ? c >= '0' && c <= '9' : c == of;
          }));
}

GT_FN void write_shards(io::Staging& staging, std::vector<io::TensorView> tensors, std::int64_t most,
                        std::string const& config) {
  auto const shards = shards_of(std::move(tensors), most);
  Json::Object file_of;  // whose [] would look through all that is there
  std::size_t total = 0;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    auto const name = shard_name(i, shards.size());
    io::write_safetensors(staging.file(name), std::span<io::TensorView const>(shards[i]),
                          {{"format", "pt"}, {"gt.config", sha256_hex(config)}});
    for (auto const& t : shards[i]) file_of.emplace_back(t.name, name), total += t.bytes.size();
  }
  if (shards.size() == 1) return;
  Json const index{{"metadata", {{"total_size", total}}}, {"weight_map", std::move(file_of)}};
  io::write_file_atomically(staging.file("model.safetensors.index.json"), dump_json(index, "save", 2) + "\n");
}

GT_FN Buffer<float> saved_rows(formats::ModelFolderConfig const& c, Buffer<float> const& rows) {
  std::int64_t const C = c.block.d_model, n = c.table_width, V = c.vocab;
  if (!c.rows_sha256.empty() && Sha256{}.update(bytes_of(rows.data(), rows.size())).hex() != c.rows_sha256) return {};
  if (n == C) return rows;
  Buffer<float> table(V * n);
  for (std::int64_t i = 0; i < V * n; ++i) table[i] = rows[i / n * C + i % n * (C / n)];
  for (std::int64_t i = 0; i < V * C; ++i)
    if (rows[i] != table[i / C * n + i % C / (C / n)]) return {};
  return table;
}

}  // namespace detail

GT_FN ModelFolder ModelFolder::open(std::string const& folder) {
  return open_with(folder, [&] { return formats::TensorFiles::open(folder); });
}

GT_FN ModelFolder ModelFolder::open(std::string const& folder, formats::TensorFiles weights) {
  return open_with(folder, [&] { return std::move(weights); });
}

}  // namespace gt
