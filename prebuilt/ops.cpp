// SPDX-License-Identifier: MIT
// The ops in fp32 on the CPU backend that gt/cpu.hpp declares.
#include "gt/cpu.hpp"

namespace gt::inline GT_ABI {

#define GT_INSTANCE template
#define GT_BACKEND Cpu<>
#define GT_SCALAR float
#include "gt/prebuilt/ops.inc"

}  // namespace gt
