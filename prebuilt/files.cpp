// SPDX-License-Identifier: MIT
// Reading and writing models, tokenizers and checkpoints, of what gt/prebuilt/models.hpp declares.
#include "gt/prebuilt/models.hpp"

namespace gt::inline GT_ABI {

#define GT_INSTANCE template
#define GT_PART 2
#include "gt/prebuilt/models.inc"

}  // namespace gt
