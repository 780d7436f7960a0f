// SPDX-License-Identifier: MIT
// Where the tensors of gt stand in another program's file: a small JSON text.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/io/json.hpp"

namespace gt::inline GT_ABI::formats {

/// Where one tensor of gt is found.
struct TensorPlace {
  std::string name;         ///< in the file
  bool transposed = false;  ///< a matrix [K, N] there, [N, K] here
  int part = 0;             ///< of a tensor that holds several, stacked along N: which one
  int parts = 1;            ///< and how many
};

/// Names of gt to names of a file. `{l}` stands for the number of a block on both sides; what is not named keeps its
/// name, and what `ignore` names (a trailing `*`: all that begins so) may be in the file and is not read.
///
///     {"tensors": {"model.layers.{l}.mlp.c_fc.weight": "blocks.{l}.up.weight",
///                  "model.layers.{l}.self_attn.k_proj.weight": {"name": "blocks.{l}.qkv", "transposed": true,
///                                                               "part": 1, "parts": 3}},
///      "ignore": ["blocks.{l}.mask", "rotary.*"]}
class NameMap {
 public:
  NameMap() = default;  ///< every tensor under gt's own name
  /// Every tensor under gt's own name behind a prefix.
  static NameMap with_prefix(std::string prefix);

  /// Reads the parts `tensors` and `ignore` of a JSON object; `where` says whose.   Errors: a malformed text; another
  /// key; a part that there is not.
  static NameMap of(Json const& json, std::string const& where);
  /// The map in a file.   Errors: those of `of`, naming the file.
  static NameMap read(std::string const& path);

  /// Where the tensor of this name of gt is found.
  TensorPlace place(std::string const& ours) const;
  /// Whether a name of the file need not be one of the model's.
  bool ignores(std::string const& theirs) const;
  /// The names that are mapped and that no tensor in `ours` has: mistakes in writing.
  std::vector<std::string> unknown(std::vector<std::string> const& ours) const;

 private:
  // "model.layers.{l}.x" and the number, of a tensor of a block.
  static std::optional<std::pair<std::string, std::string>> block_number(std::string const& name);
  static std::string with_number(std::string pattern, std::string const& number);
  // `{l}` is any run of digits, a trailing '*' anything.
  static bool matches(std::string_view pattern, std::string_view name);

  std::string prefix_;
  std::map<std::string, TensorPlace> places_;
  std::vector<std::string> ignored_;
};

}  // namespace gt::formats

#if !defined(GT_PREBUILT)
  #include "gt/formats/name_map_impl.hpp"
#endif
