// SPDX-License-Identifier: MIT
// Tensors of a file, of any float type and under any name, as the fp32 tensors of a model: all faults in one error.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "gt/base/bf16.hpp"
#include "gt/base/error.hpp"
#include "gt/base/f16.hpp"
#include "gt/core/buffer.hpp"
#include "gt/formats/hugging_face/model_config.hpp"
#include "gt/formats/hugging_face/tensor_faults.hpp"
#include "gt/formats/hugging_face/tensor_files.hpp"
#include "gt/formats/hugging_face/weights.hpp"
#include "gt/formats/name_map.hpp"
#include "gt/io/safetensors.hpp"

namespace gt::inline GT_ABI::detail {

/// Names and shapes are checked by `expect`, one after the other, then all faults are one Error of `finish`; only then
/// memory is taken for the model, and `read` fills it.
class TensorReader {
 public:
  using Shape = std::vector<std::int64_t>;

  TensorReader(TensorFiles const& files, NameMap const& names, ModelFolderConfig const& config, std::string where)
      : files_{files}, names_{names}, config_{config}, where_{std::move(where)} {}

  /// A tensor of the model, by gt's name, [N] or [N, K].
  void expect(std::string const& name, Shape const& shape) {
    expected_.push_back(name);
    TensorPlace const place = names_.place(name);
    TensorView const* const t = files_.find(place.name);
    if (!t) {
      if (!may_miss(name)) faults_.add(place.name, " is missing");
      return;
    }
    used_.insert(t->name);
    if (!is_float(*t)) return faults_.add(t->name, text(" is of type ", t->dtype));
    if (t->shape != shape_in_file(name, shape, place)) faults_.add(t->name, " is misshapen");
  }
  /// Throws if anything is missing, misshapen or of no use.
  void finish() {
    for (auto const& name : names_.unknown(expected_)) faults_.add(name, " of the name map is no tensor of the model");
    files_.for_each([&](TensorView const& t) {
      if (!used_.contains(t.name) && !names_.ignores(t.name)) faults_.add(in_quotes(t.name), " is of no use");
    });
    check(faults_.none(), where_, "the tensors must be those of the model (got: ", faults_.list(), ")");
  }
  /// Whether what `read` would give is there, and is `data` to the bit.
  bool holds(std::string const& name, Shape const& shape, float const* data) const {
    TensorPlace const place = names_.place(name);
    TensorView const* const t = files_.find(place.name);
    if (t && !(is_float(*t) && t->shape == shape_in_file(name, shape, place))) return false;
    if (!t && (!may_miss(name) || (name == head_name && !holds(table_name, shape, data)))) return false;
    std::int64_t size = 1;
    for (auto const extent : shape) size *= extent;
    Buffer<float> there(size);
    read(name, shape, there.data());
    return std::memcmp(there.data(), data, static_cast<std::size_t>(size) * sizeof(float)) == 0;
  }
  /// Fills `out` [N] or [N, K] with the tensor that was expected; zeros, or the table, where it may miss.
  void read(std::string const& name, Shape const& shape, float* out) const {
    TensorPlace place = names_.place(name);
    TensorView const* t = files_.find(place.name);
    if (!t && name == head_name) place = names_.place(table_name), t = files_.find(place.name);
    std::int64_t const rows = shape[0], columns = shape.size() > 1 ? shape[1] : 1;
    if (!t) {
      std::fill_n(out, rows * columns, 0.0F);
      return;
    }
    if (t->dtype == "F32") copy<float>(*t, place, name, rows, columns, out, [](float x) { return x; });
    if (t->dtype == "F64")
      copy<double>(*t, place, name, rows, columns, out, [](double x) { return static_cast<float>(x); });
    if (t->dtype == "F16")
      copy<std::uint16_t>(*t, place, name, rows, columns, out,
                          [](std::uint16_t x) { return float{F16::from_bits(x)}; });
    if (t->dtype == "BF16")
      copy<std::uint16_t>(*t, place, name, rows, columns, out,
                          [](std::uint16_t x) { return float{Bf16::from_bits(x)}; });
  }

 private:
  static constexpr auto head_name = "lm_head.weight";

  static bool is_float(TensorView const& t) {
    return t.dtype == "F32" || t.dtype == "F16" || t.dtype == "BF16" || t.dtype == "F64";
  }
  bool is_projection_bias(std::string const& name) const {
    return name.ends_with("_proj.bias") || name.ends_with(".c_fc.bias");
  }
  bool may_miss(std::string const& name) const {
    return (!config_.biases && is_projection_bias(name)) || (config_.tied_head && name == head_name);
  }
  // Heads of keys and values that the file has once for several.
  std::int64_t repeats(std::string const& name) const {
    bool const shared = name.find(".k_proj.") != name.npos || name.find(".v_proj.") != name.npos;
    return shared ? config_.block.heads / config_.kv_heads : 1;
  }
  Shape shape_in_file(std::string const& name, Shape shape, TensorPlace const& place) const {
    shape[0] = shape[0] / repeats(name) * place.parts;
    if (place.transposed && shape.size() > 1) std::swap(shape[0], shape[1]);
    return shape;
  }
  template <class E, class F>
  void copy(TensorView const& t, TensorPlace const& place, std::string const& name, std::int64_t rows,
            std::int64_t columns, float* out, F const& to_float) const {
    std::int64_t const group = repeats(name), in_part = rows / group, D = config_.block.d_head();
    std::int64_t const all = in_part * place.parts;
    if (std::is_same_v<E, float> && !place.transposed && group == 1) {
      std::memcpy(out, t.bytes.data() + place.part * rows * columns * 4, static_cast<std::size_t>(rows * columns * 4));
      return;
    }
    for (std::int64_t r = 0; r < rows; ++r) {
      std::int64_t const own = group == 1 ? r : r / (D * group) * D + r % D, row = own + place.part * in_part;
      for (std::int64_t k = 0; k < columns; ++k) {
        std::int64_t const at = place.transposed ? k * all + row : row * columns + k;
        E element;
        std::memcpy(&element, t.bytes.data() + at * static_cast<std::int64_t>(sizeof(E)), sizeof(E));
        out[r * columns + k] = to_float(element);
      }
    }
  }

  TensorFiles const& files_;
  NameMap const& names_;
  ModelFolderConfig const& config_;
  std::string where_;
  TensorFaults faults_;
  std::vector<std::string> expected_;
  std::set<std::string> used_;
};

}  // namespace gt::detail
