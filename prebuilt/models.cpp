// SPDX-License-Identifier: MIT
// Growing and running the default model, of what gt/prebuilt/models.hpp declares.
#include "gt/prebuilt/models.hpp"

namespace gt::inline GT_ABI {

#define GT_INSTANCE template
#define GT_PART 1
#include "gt/prebuilt/models.inc"

}  // namespace gt
