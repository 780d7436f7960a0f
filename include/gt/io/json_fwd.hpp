// SPDX-License-Identifier: MIT
// Names the JSON type without the cost of nlohmann/json.hpp, for headers that only mention it.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "gt/base/macros.hpp"

namespace gt::inline GT_ABI {

/// A JSON value; objects keep the order of their keys, so that files are the same bytes each time.
using Json = nlohmann::ordered_json;

}  // namespace gt
