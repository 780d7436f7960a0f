// SPDX-License-Identifier: MIT
// Names the JSON type without the cost of nlohmann/json.hpp, for headers that only mention it.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace gt {

/// A JSON value; objects keep the order of their keys, so that files are the same bytes each time.
using Json = nlohmann::ordered_json;

}  // namespace gt
