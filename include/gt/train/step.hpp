// SPDX-License-Identifier: MIT
// What a training step is told beside the batch, and what it tells.
#pragma once

#include "gt/base/macros.hpp"

namespace gt::inline GT_ABI {

/// AdamW's constants, the same for all tensors.
struct AdamWOptions {
  double beta1 = 0.9;         ///< share of the first moment that a step keeps
  double beta2 = 0.95;        ///< share of the second
  double eps = 1e-8;          ///< added to the root of the second moment
  double weight_decay = 0.1;  ///< decoupled; on every trainable tensor
  double clip_norm = 1.0;     ///< the global norm that gradients are scaled down to; 0: no clipping
};

/// What one update did.
struct StepResult {
  double loss = 0;           ///< mean -log p(target), nats a token, over all batches since the last update
  double gradient_norm = 0;  ///< global, before clipping
};

/// Where the time of training steps goes, in seconds, summed over steps.
struct StepProfile {
  double prefix = 0;    ///< forward through the frozen blocks below all that trains
  double forward = 0;   ///< forward through the blocks from the lowest trainable one upward, and the final norm
  double head = 0;      ///< head and loss, forward and backward
  double backward = 0;  ///< backward through the final norm and the blocks
  double update = 0;    ///< clipping and AdamW
  double sum() const { return prefix + forward + head + backward + update; }  ///< all of it
  /// Part by part.
  friend StepProfile operator+(StepProfile const& a, StepProfile const& b) {
    return {a.prefix + b.prefix, a.forward + b.forward, a.head + b.head, a.backward + b.backward, a.update + b.update};
  }
};

}  // namespace gt
