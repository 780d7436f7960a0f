// SPDX-License-Identifier: MIT
// What gt/formats/hugging_face/tensor_files.hpp declares.
#pragma once

#include <unistd.h>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/formats/hugging_face/tensor_files.hpp"
#include "gt/io/json.hpp"
#include "gt/io/safetensors.hpp"
#include "gt/io/text_file.hpp"

namespace gt::inline GT_ABI::formats {

namespace detail {

/// Throws unless a name from a file is that of a file beside it: nothing outside of a folder is opened on its word.
GT_FN void check_plain_name(std::string const& name, std::string_view where) {
  bool const plain =
      !name.empty() && name != "." && name != ".." && name.find('/') == name.npos && name.find('\0') == name.npos;
  check(plain, where, "files must be named without a folder (got ", gt::detail::in_quotes(name), ")");
}

}  // namespace detail

GT_FN TensorFiles TensorFiles::open(std::string const& folder, std::string const& name,
                                    io::SafetensorsOptions options) {
  std::string const whole = text(folder, "/", name, ".safetensors"), index = whole + ".index.json";
  if (::access(whole.c_str(), F_OK) != 0 && ::access(index.c_str(), F_OK) == 0) return of_index(folder, index, options);
  bool const pickled = ::access((folder + "/pytorch_model.bin").c_str(), F_OK) == 0;
  check(!pickled || ::access(whole.c_str(), F_OK) == 0, text("load '", folder, "'"),
        "weights must be in model.safetensors; pytorch_model.bin is a program, and is not run");
  return of(io::Safetensors::open(whole, options));
}

GT_FN TensorFiles TensorFiles::of(io::Safetensors file) {
  TensorFiles all;
  all.files_.push_back(std::move(file));
  return all;
}

GT_FN io::TensorView const* TensorFiles::find(std::string_view name) const {
  if (files_.size() == 1) return files_[0].find(name);
  auto const place = file_of_.find(name);
  return place == file_of_.end() ? nullptr : files_[place->second].find(name);
}

GT_FN TensorFiles TensorFiles::of_index(std::string const& folder, std::string const& index,
                                        io::SafetensorsOptions options) {
  std::string const where = text("load '", index, "'");
  Json const json = parse_json(read_text_file(index), where);
  auto const file_of = json_get<std::map<std::string, std::string>>(json, "weight_map", where);
  check(!file_of.empty(), where, "weight_map must name at least one tensor");
  TensorFiles all;
  std::map<std::string, std::size_t> opened;
  std::size_t count = 0;
  for (auto const& [tensor, file] : file_of) {
    detail::check_plain_name(file, where);
    if (opened.try_emplace(file, all.files_.size()).second) {
      all.files_.push_back(io::Safetensors::open(folder + "/" + file, options));
      count += all.files_.back().tensors().size();
    }
    std::size_t const at = opened.at(file);
    check(all.files_[at].find(tensor) != nullptr, where, "'", file, "' must hold the tensor ",
          gt::detail::in_quotes(tensor));
    all.file_of_.emplace(tensor, at);
  }
  check(count == file_of.size(), where, "it must list every tensor of its files once (got ", file_of.size(), " of ",
        count, ")");
  return all;
}

}  // namespace gt::formats
