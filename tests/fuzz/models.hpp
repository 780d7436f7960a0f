// SPDX-License-Identifier: MIT
// Small models for targets that load weights: equal on every machine, saved in memory.
#pragma once

#include <cstdint>
#include <string>

#include "fuzz.hpp"
#include "gt/base/philox.hpp"
#include "gt/core/buffer.hpp"
#include "gt/nn/transformer.hpp"
#include "gt/substrate/frozen_table.hpp"

namespace gt::fuzz {

inline constexpr std::int64_t vocab = 5;

/// A model of `depth` blocks, 8 wide with 2 heads, on a table 4 wide.
inline Transformer<> model_of(int depth, std::uint64_t seed = 1) {
  Buffer<float> rows(vocab * 4);
  for (std::int64_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<float>(i % 7) - 3;
  Transformer<> model(FrozenTable("test", vocab, 4, rows, "fuzz"), BlockConfig{.d_model = 8, .heads = 2}, Seed{seed},
                      {.context = 8});
  model.append(depth);
  return model;
}

}  // namespace gt::fuzz
