// SPDX-License-Identifier: MIT
// The ops in fp32 on this unit's CPU backend, declared: gt::prebuilt has them, so that no unit compiles them again.
#pragma once

#include <cstdint>

#include "gt/backend/cpu/isa.hpp"
#include "gt/base/macros.hpp"
#include "gt/core/matrix_ref.hpp"
#include "gt/core/view.hpp"
#include "gt/cpu.hpp"
#include "gt/ops/adamw.hpp"
#include "gt/ops/attention/attention.hpp"
#include "gt/ops/attention/shape.hpp"
#include "gt/ops/cross_entropy.hpp"
#include "gt/ops/embedding.hpp"
#include "gt/ops/gelu.hpp"
#include "gt/ops/layer_norm.hpp"
#include "gt/ops/linear.hpp"
#include "gt/ops/linear_gelu.hpp"
#include "gt/ops/lora.hpp"
#include "gt/ops/rms_norm.hpp"
#include "gt/ops/rope.hpp"

namespace gt::inline GT_ABI {

#define GT_INSTANCE extern template
#define GT_BACKEND Cpu<>
#define GT_SCALAR float
#include "gt/prebuilt/ops.inc"
#undef GT_INSTANCE
#undef GT_BACKEND
#undef GT_SCALAR

}  // namespace gt::inline GT_ABI
