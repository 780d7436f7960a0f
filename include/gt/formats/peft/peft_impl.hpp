// SPDX-License-Identifier: MIT
// What gt/formats/peft/peft.hpp declares.
#pragma once

#include <cstdint>
#include <string>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/formats/hugging_face/tensor_files.hpp"
#include "gt/formats/peft/peft.hpp"
#include "gt/io/json.hpp"
#include "gt/io/safetensors.hpp"

namespace gt::inline GT_ABI {

namespace detail {

GT_FN void check_own_heads(formats::TensorFiles const& files, std::int64_t width, std::string const& where) {
  files.for_each([&](io::TensorView const& t) {
    bool const shared = t.name.ends_with(".k_proj.lora_B.weight") || t.name.ends_with(".v_proj.lora_B.weight");
    bool const fewer = shared && t.shape.size() == 2 && t.shape[0] > 0 && t.shape[0] < width && width % t.shape[0] == 0;
    check(!fewer, where, "the adapter must be of a model with as many KV heads as heads, as the base has them once gt ",
          "has read it (got ", in_quotes(t.name), " of ", t.shape[0], " rows where the base has ", width,
          "); merge it with PEFT, and import the result");
  });
}

}  // namespace detail

}  // namespace gt
