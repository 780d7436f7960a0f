// SPDX-License-Identifier: MIT
// Pictures of tokens, codes, and their principal components, of what gt/prebuilt/models.hpp declares.
#include "gt/prebuilt/models.hpp"

namespace gt::inline GT_ABI {

#define GT_INSTANCE template
#define GT_PART 3
#include "gt/prebuilt/models.inc"

}  // namespace gt
