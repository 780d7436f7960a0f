// SPDX-License-Identifier: MIT
// What gt/formats/ensemble_folder.hpp declares.
#pragma once

#include <stdlib.h>
#include <algorithm>
#include <climits>
#include <cstddef>
#include <cstring>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/base/sha256.hpp"
#include "gt/compose/fusion_adapter.hpp"
#include "gt/core/parameter.hpp"
#include "gt/formats/ensemble_folder.hpp"
#include "gt/formats/hugging_face/tensor_files.hpp"
#include "gt/io/json.hpp"
#include "gt/io/safetensors.hpp"

namespace gt::inline GT_ABI {

namespace detail {

GT_FN FusionAdapter<float> adapter_of(io::Safetensors const& file, std::size_t others, std::string const& where) {
  auto const matrix = [&](std::string const& name) {
    io::TensorView const* const t = file.find(name);
    check(t && t->dtype == "F32" && t->shape.size() == 2 && t->shape[0] > 0 && t->shape[1] > 0, where, name,
          " must be a matrix in F32");
    return t;
  };
  io::TensorView const *const up = matrix("fusion.up.weight"), *const down = matrix("fusion.down.0.weight");
  int experts = 1;
  while (file.find(text("fusion.down.", experts, ".weight"))) ++experts;
  check(up->shape[1] == down->shape[0] && up->shape[1] <= 65536 &&
            file.tensors().size() == others + static_cast<std::size_t>(experts) + 1,
        where, "the tensors must be those of one adapter: fusion.down.{i}.weight [r, C] and fusion.up.weight [V, r]");
  // Before memory is taken for all of them by the shape of one.
  for (int i = 1; i < experts; ++i) {
    std::string const name = text("fusion.down.", i, ".weight");
    check(matrix(name)->shape == down->shape, where, name, " is misshapen");
  }
  FusionAdapter<float> adapter(experts, down->shape[1], up->shape[0], {.rank = static_cast<int>(up->shape[1])});
  for (auto const& p : adapter.parameters()) {
    io::TensorView const* const t = matrix(p.name);
    std::memcpy(p.data, t->bytes.data(), t->bytes.size());
  }
  return adapter;
}

GT_FN std::string weights_hash(formats::TensorFiles const& weights) {
  Sha256 sum;
  for (auto const& file : weights.files()) sum.update(file.file()->bytes());
  return sum.hex();
}

GT_FN std::string real_path(std::string const& path, std::string_view where = "save_ensemble") {
  char whole[PATH_MAX];
  check(::realpath(path.c_str(), whole) != nullptr, where, "'", path, "' must be a folder that is there");
  return whole;
}

GT_FN void check_once(std::set<std::string>& folders, std::string const& folder, std::string_view where) {
  check(folders.insert(real_path(folder, where)).second, where, "an ensemble's file must name every expert once (got '",
        folder, "' twice); give it a greater weight instead");
}

GT_FN std::string relative_path(std::string const& to, std::string const& from) {
  std::string const target = real_path(to) + "/", base = real_path(from) + "/";
  auto const differs = std::mismatch(base.begin(), base.end(), target.begin(), target.end()).first;
  auto const same = base.rfind('/', static_cast<std::size_t>(differs - base.begin()) - 1) + 1;
  std::string path;
  for (std::size_t at = same; (at = base.find('/', at)) != std::string::npos; ++at) path += "../";
  path += target.substr(same);
  if (path.empty()) return ".";
  path.pop_back();
  return path;
}

GT_FN void check_place(std::string_view place, bool outside, std::string const& where) {
  check(!place.empty() && !place.starts_with('/') && place.find('\0') == place.npos, where,
        "an expert's folder must be "
        "a path relative to the ensemble's (got ",
        in_quotes(place), ")");
  bool down = false;
  for (std::size_t begin = 0; begin <= place.size();) {
    std::size_t const end = std::min(place.find('/', begin), place.size());
    bool const up = place.substr(begin, end - begin) == "..";
    check(!up || !down, where, "an expert's folder must have .. at its beginning only (got ", in_quotes(place), ")");
    check(!up || outside, where, "every expert must lie in the ensemble's folder, as was asked for (got ",
          in_quotes(place), ")");
    down = down || !up;
    begin = end + 1;
  }
}

}  // namespace detail

GT_FN void save_adapter(FusionAdapter<float> const& adapter, std::string const& path) {
  std::vector<io::TensorView> tensors;
  auto const parameters = adapter.parameters();
  for (auto const& p : parameters) tensors.push_back(detail::view_of(p));
  io::write_safetensors(path, std::span<io::TensorView const>(tensors), {{"format", "pt"}});
}

GT_FN FusionAdapter<float> load_adapter(std::string const& path) {
  return detail::adapter_of(io::Safetensors::open(path), 0, text("load_adapter '", path, "'"));
}

}  // namespace gt
