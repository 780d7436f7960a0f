// SPDX-License-Identifier: MIT
// The weights of a folder as one set of tensors, in one safetensors file or in several that an index lists.
#pragma once

#include <unistd.h>

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/io/json.hpp"
#include "gt/io/safetensors.hpp"
#include "gt/io/text_file.hpp"

namespace gt::inline GT_ABI {

namespace detail {

/// Throws unless a name from a file is that of a file beside it: nothing outside of a folder is opened on its word.
inline void check_plain_name(std::string const& name, std::string_view where) {
  bool const plain =
      !name.empty() && name != "." && name != ".." && name.find('/') == name.npos && name.find('\0') == name.npos;
  check(plain, where, "files must be named without a folder (got ", in_quotes(name), ")");
}

}  // namespace detail

/// Tensors of one or more files, which are mapped into memory and read where they are used. Copies share the mappings.
class TensorFiles {
 public:
  /// `folder`/`name`.safetensors; without it the files that `folder`/`name`.safetensors.index.json lists, as
  /// Transformers writes them above a size.   Errors: those of Safetensors::open; an index that names a file elsewhere,
  /// or that is at odds with what the files hold.
  template <class J = Json>
  static TensorFiles open(std::string const& folder, std::string const& name = "model",
                          SafetensorsOptions options = {}) {
    std::string const whole = text(folder, "/", name, ".safetensors"), index = whole + ".index.json";
    if (::access(whole.c_str(), F_OK) != 0 && ::access(index.c_str(), F_OK) == 0)
      return of_index<J>(folder, index, options);
    bool const pickled = ::access((folder + "/pytorch_model.bin").c_str(), F_OK) == 0;
    check(!pickled || ::access(whole.c_str(), F_OK) == 0, text("load '", folder, "'"),
          "weights must be in model.safetensors; pytorch_model.bin is a program, and is not run");
    return of(Safetensors::open<J>(whole, options));
  }
  /// The tensors of one file.
  static TensorFiles of(Safetensors file) {
    TensorFiles all;
    all.files_.push_back(std::move(file));
    return all;
  }

  /// The tensor of this name, or nullptr. Logarithmic, in however many files.
  TensorView const* find(std::string_view name) const {
    if (files_.size() == 1) return files_[0].find(name);
    auto const place = file_of_.find(name);
    return place == file_of_.end() ? nullptr : files_[place->second].find(name);
  }
  std::vector<Safetensors> const& files() const { return files_; }  ///< one or more
  /// Calls f(tensor) for each tensor of each file.
  template <class F>
  void for_each(F const& f) const {
    for (auto const& file : files_)
      for (auto const& tensor : file.tensors()) f(tensor);
  }

 private:
  template <class J>
  static TensorFiles of_index(std::string const& folder, std::string const& index, SafetensorsOptions options) {
    std::string const where = text("load '", index, "'");
    J const json = parse_json<J>(read_text_file(index), where);
    auto const file_of = json_get<std::map<std::string, std::string>>(json, "weight_map", where);
    check(!file_of.empty(), where, "weight_map must name at least one tensor");
    TensorFiles all;
    std::map<std::string, std::size_t> opened;
    std::size_t count = 0;
    for (auto const& [tensor, file] : file_of) {
      detail::check_plain_name(file, where);
      if (opened.try_emplace(file, all.files_.size()).second) {
        all.files_.push_back(Safetensors::open<J>(folder + "/" + file, options));
        count += all.files_.back().tensors().size();
      }
      std::size_t const at = opened.at(file);
      check(all.files_[at].find(tensor) != nullptr, where, "'", file, "' must hold the tensor ",
            detail::in_quotes(tensor));
      all.file_of_.emplace(tensor, at);
    }
    check(count == file_of.size(), where, "it must list every tensor of its files once (got ", file_of.size(), " of ",
          count, ")");
    return all;
  }

  std::vector<Safetensors> files_;
  std::map<std::string, std::size_t, std::less<>> file_of_;  // of a tensor, where an index says it
};

}  // namespace gt
