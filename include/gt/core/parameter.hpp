// SPDX-License-Identifier: MIT
// A named tensor of a model: what is listed, saved, frozen and trained.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gt/base/macros.hpp"

namespace gt::inline GT_ABI {

/// How a tensor starts.
/// `residual`, of a projection onto the residual stream: normal, scaled down with the depth of the model;
/// `residual_bias`, the bias of one: zero.
enum class Fill { zero, one, normal, residual, residual_bias };

/// A tensor inside a block's or head's buffer.
struct TensorSpec {
  char const* name;      ///< as in Hugging Face's Starcoder2, below the block's prefix
  std::int64_t rows;     ///< of a matrix; the size of a vector
  std::int64_t columns;  ///< 0 for a vector
  Fill fill;             ///< of a new tensor
  constexpr std::int64_t size() const { return rows * (columns > 0 ? columns : 1); }  ///< numbers
};

/// A tensor of a model, by name. `data` points into the model's buffer.
template <class T>
struct Parameter {
  std::string name;                 ///< full, e.g. "model.layers.3.mlp.c_fc.weight"
  std::vector<std::int64_t> shape;  ///< outermost first
  T* data = nullptr;                ///< row-major
  bool trainable = false;           ///< false: frozen
  /// Numbers: the product of the shape.
  std::int64_t size() const {
    std::int64_t n = 1;
    for (auto s : shape) n *= s;
    return n;
  }
};

}  // namespace gt
