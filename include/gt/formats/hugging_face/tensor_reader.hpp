// SPDX-License-Identifier: MIT
// Tensors of a file, of any float type and under any name, as the fp32 tensors of a model: all faults in one error.
#pragma once

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
#include "gt/formats/hugging_face/model_config.hpp"
#include "gt/formats/hugging_face/tensor_faults.hpp"
#include "gt/formats/hugging_face/tensor_files.hpp"
#include "gt/formats/name_map.hpp"
#include "gt/io/safetensors.hpp"

namespace gt::inline GT_ABI::detail {

/// Names and shapes are checked by `expect`, one after the other, then all faults are one Error of `finish`; only then
/// memory is taken for the model, and `read` fills it.
class TensorReader {
 public:
  using Shape = std::vector<std::int64_t>;

  TensorReader(formats::TensorFiles const& files, formats::NameMap const& names,
               formats::ModelFolderConfig const& config, std::string where)
      : files_{files}, names_{names}, config_{config}, where_{std::move(where)} {}

  /// A tensor of the model, by gt's name, [N] or [N, K].
  void expect(std::string const& name, Shape const& shape);
  /// Throws if anything is missing, misshapen or of no use.
  void finish();
  /// Whether what `read` would give is there, and is `data` to the bit.
  bool holds(std::string const& name, Shape const& shape, float const* data) const;
  /// Fills `out` [N] or [N, K] with the tensor that was expected; zeros, or the table, where it may miss.
  void read(std::string const& name, Shape const& shape, float* out) const;

 private:
  static constexpr auto head_name = "lm_head.weight";

  static bool is_float(io::TensorView const& t);
  // f(element's type, how one becomes a float), by the type of a float tensor.
  template <class F>
  static void as_floats(io::TensorView const& t, F const& f) {
    if (t.dtype == "F32") f(float{}, [](float x) { return x; });
    if (t.dtype == "F64") f(double{}, [](double x) { return static_cast<float>(x); });
    if (t.dtype == "F16") f(std::uint16_t{}, [](std::uint16_t x) { return float{F16::from_bits(x)}; });
    if (t.dtype == "BF16") f(std::uint16_t{}, [](std::uint16_t x) { return float{Bf16::from_bits(x)}; });
  }
  bool is_projection_bias(std::string const& name) const;
  bool may_miss(std::string const& name) const;
  // Heads of keys and values that the file has once for several.
  std::int64_t repeats(std::string const& name) const;
  Shape shape_in_file(std::string const& name, Shape shape, formats::TensorPlace const& place) const;
  template <class E, class F>
  void copy(io::TensorView const& t, formats::TensorPlace const& place, std::string const& name, std::int64_t rows,
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

  formats::TensorFiles const& files_;
  formats::NameMap const& names_;
  formats::ModelFolderConfig const& config_;
  std::string where_;
  TensorFaults faults_;
  std::vector<std::string> expected_;
  std::set<std::string> used_;
};

}  // namespace gt::detail

#if !defined(GT_PREBUILT)
  #include "gt/formats/hugging_face/tensor_reader_impl.hpp"
#endif
