// SPDX-License-Identifier: MIT
// The weights of a folder as one set of tensors, in one safetensors file or in several that an index lists.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "gt/io/json.hpp"
#include "gt/io/safetensors.hpp"

namespace gt::inline GT_ABI::formats {

/// Tensors of one or more files, which are mapped into memory and read where they are used. Copies share the mappings.
class TensorFiles {
 public:
  /// `folder`/`name`.safetensors; without it the files that `folder`/`name`.safetensors.index.json lists, as
  /// Transformers writes them above a size.   Errors: those of io::Safetensors::open; an index that names a file
  /// elsewhere, or that is at odds with what the files hold.
  static TensorFiles open(std::string const& folder, std::string const& name = "model",
                          io::SafetensorsOptions options = {});
  /// The tensors of one file.
  static TensorFiles of(io::Safetensors file);

  /// The tensor of this name, or nullptr. Logarithmic, in however many files.
  io::TensorView const* find(std::string_view name) const;
  std::vector<io::Safetensors> const& files() const { return files_; }  ///< one or more
  /// Calls f(tensor) for each tensor of each file.
  template <class F>
  void for_each(F const& f) const {
    for (auto const& file : files_)
      for (auto const& tensor : file.tensors()) f(tensor);
  }

 private:
  static TensorFiles of_index(std::string const& folder, std::string const& index, io::SafetensorsOptions options);

  std::vector<io::Safetensors> files_;
  std::map<std::string, std::size_t, std::less<>> file_of_;  // of a tensor, where an index says it
};

}  // namespace gt::formats

#if !defined(GT_PREBUILT)
  #include "gt/formats/hugging_face/tensor_files_impl.hpp"
#endif
