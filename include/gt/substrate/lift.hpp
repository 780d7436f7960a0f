// SPDX-License-Identifier: MIT
// The other way to widen a row: as a whole, again and again.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "gt/substrate/fingerprint.hpp"
#include "gt/substrate/frozen_table.hpp"

namespace gt::inline GT_ABI::substrate {

/// How rows of n numbers become rows of C, a multiple of n:
///   repeat_interleave  y_j = x_{floor(j n / C)}   [a, a, b, b]   as the paper's models, and every Transformer here
///   tile               y_j = x_{j mod n}          [a, b, a, b]
/// They differ by a fixed permutation of the columns: to each model on one there is a model on the other, its weights
/// permuted, of the same logits.
enum class Lift { repeat_interleave, tile };

/// A substrate of width C whose rows are those of `substrate` one behind the other:  y[i, j] = x[i, j mod n]  [V, C].
/// Equal to torch.Tensor.tile(x, (1, C / n)). A model of width C takes it as it is. Its rank is that of x.
/// Errors: a width that does not divide `d_model`.
template <Substrate S>
FrozenTable tiled(S const& substrate, int d_model) {
  int const n = substrate.width();
  check_lift(n, d_model);
  Buffer<float> wide(substrate.vocab() * d_model);
  float* y = wide.data();
  for (float const* x = substrate.table().begin(); x != substrate.table().end(); x += n)
    for (int copy = 0; copy < d_model / n; ++copy) y = std::copy_n(x, n, y);
  Fingerprint print("tile", substrate.vocab(), d_model);
  print.text(std::string(substrate.fingerprint()));
  return FrozenTable(std::string(substrate.method()) + "+tile", substrate.vocab(), d_model, std::move(wide),
                     print.hex());
}

}  // namespace gt::substrate
