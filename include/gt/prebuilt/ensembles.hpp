// SPDX-License-Identifier: MIT
// Folders of ensembles of the default model, declared: gt::prebuilt has them.
#pragma once

#include "gt/cpu.hpp"
#include "gt/formats/ensemble_folder.hpp"
#include "gt/infer/any_model.hpp"
#include "gt/nn/transformer.hpp"

namespace gt::inline GT_ABI {

#define GT_INSTANCE extern template
#include "gt/prebuilt/ensembles.inc"
#undef GT_INSTANCE

}  // namespace gt
