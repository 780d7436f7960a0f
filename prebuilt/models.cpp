// SPDX-License-Identifier: MIT
// Plans, growing and running the default model.
#include "gt/prebuilt/models.hpp"
#include "gt/grow/plan_text_impl.hpp"
#include "gt/io/json.hpp"

namespace gt::inline GT_ABI {

#define GT_INSTANCE template
#define GT_PART 1
#include "gt/prebuilt/models.inc"

}  // namespace gt
