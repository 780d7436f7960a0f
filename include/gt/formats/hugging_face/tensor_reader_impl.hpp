// SPDX-License-Identifier: MIT
// What gt/formats/hugging_face/tensor_reader.hpp declares.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/core/buffer.hpp"
#include "gt/formats/hugging_face/tensor_reader.hpp"
#include "gt/formats/hugging_face/weights.hpp"
#include "gt/formats/name_map.hpp"
#include "gt/io/safetensors.hpp"

namespace gt::inline GT_ABI {

namespace detail {

GT_FN void TensorReader::expect(std::string const& name, Shape const& shape) {
  expected_.push_back(name);
  formats::TensorPlace const place = names_.place(name);
  io::TensorView const* const t = files_.find(place.name);
  if (!t) {
    if (!may_miss(name)) faults_.add(place.name, " is missing");
    return;
  }
  bool const first = used_.insert(t->name).second;  // of several that are joined in it
  if (!is_float(*t)) return faults_.add(t->name, text(" is of type ", t->dtype));
  if (t->shape != shape_in_file(name, shape, place)) return faults_.add(t->name, " is misshapen");
  bool finite = true;
  if (first) as_floats(*t, [&]<class E>(E, auto const& to_float) { finite = all_finite<E>(t->bytes, to_float); });
  if (!finite) faults_.add(t->name, " holds numbers that are not finite");
}

GT_FN void TensorReader::finish() {
  for (auto const& name : names_.unknown(expected_)) faults_.add(name, " of the name map is no tensor of the model");
  files_.for_each([&](io::TensorView const& t) {
    if (!used_.contains(t.name) && !names_.ignores(t.name)) faults_.add(in_quotes(t.name), " is of no use");
  });
  check(faults_.none(), where_, "the tensors must be those of the model (got: ", faults_.list(), ")");
}

GT_FN bool TensorReader::holds(std::string const& name, Shape const& shape, float const* data) const {
  formats::TensorPlace const place = names_.place(name);
  io::TensorView const* const t = files_.find(place.name);
  if (t && !(is_float(*t) && t->shape == shape_in_file(name, shape, place))) return false;
  if (!t && (!may_miss(name) || (name == head_name && !holds(table_name, shape, data)))) return false;
  std::int64_t size = 1;
  for (auto const extent : shape) size *= extent;
  Buffer<float> there(size);
  read(name, shape, there.data());
  return std::memcmp(there.data(), data, static_cast<std::size_t>(size) * sizeof(float)) == 0;
}

GT_FN void TensorReader::read(std::string const& name, Shape const& shape, float* out) const {
  formats::TensorPlace place = names_.place(name);
  io::TensorView const* t = files_.find(place.name);
  if (!t && name == head_name) place = names_.place(table_name), t = files_.find(place.name);
  std::int64_t const rows = shape[0], columns = shape.size() > 1 ? shape[1] : 1;
  if (!t) {
    std::fill_n(out, rows * columns, 0.0F);
    return;
  }
  as_floats(*t, [&]<class E>(E, auto const& to_float) { copy<E>(*t, place, name, rows, columns, out, to_float); });
}

GT_FN bool TensorReader::is_float(io::TensorView const& t) {
  return t.dtype == "F32" || t.dtype == "F16" || t.dtype == "BF16" || t.dtype == "F64";
}

GT_FN bool TensorReader::is_projection_bias(std::string const& name) const {
  return name.ends_with("_proj.bias") || name.ends_with(".c_fc.bias");
}

GT_FN bool TensorReader::may_miss(std::string const& name) const {
  return (!config_.biases && is_projection_bias(name)) || (config_.tied_head && name == head_name);
}

GT_FN std::int64_t TensorReader::repeats(std::string const& name) const {
  bool const shared = name.find(".k_proj.") != name.npos || name.find(".v_proj.") != name.npos;
  return shared ? config_.block.heads / config_.kv_heads : 1;
}

GT_FN TensorReader::Shape TensorReader::shape_in_file(std::string const& name, Shape shape,
                                                      formats::TensorPlace const& place) const {
  shape[0] = shape[0] / repeats(name) * place.parts;
  if (place.transposed && shape.size() > 1) std::swap(shape[0], shape[1]);
  return shape;
}

}  // namespace detail

}  // namespace gt
