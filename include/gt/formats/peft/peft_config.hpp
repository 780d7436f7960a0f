// SPDX-License-Identifier: MIT
// What an adapter_config.json of PEFT asks for: every field is honoured, or refused by its name.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/formats/peft/name_pattern.hpp"
#include "gt/io/json.hpp"
#include "gt/nn/lora_config.hpp"

namespace gt::inline GT_ABI {

/// Names of modules, as PEFT's target_modules and exclude_modules have them.
struct PeftModules {
  std::vector<std::string> names;  ///< each stands for a module of that name, and for all whose path ends in `.name`
  std::string pattern;             ///< or a regular expression of whole paths; empty: none
};

/// What an adapter_config.json says.
struct PeftConfig {
  LoraConfig lora{};             ///< rank and scale; its matrices are those that the modules below match
  PeftModules targets, exclude;  ///< what has an adapter, and what has none nevertheless
  bool all_linear = false;       ///< all matrices but the head's, instead of `targets`
  std::vector<int> layers;  ///< the blocks to which names in `targets` that are no whole paths are held; empty: all
  std::string base;         ///< what the adapter was trained on, as its writer named it; may be empty
};

namespace detail {

/// Fields that say nothing about what a trained adapter computes.
inline constexpr std::string_view peft_fields_without_effect[] = {
    "auto_mapping", "inference_mode", "lora_dropout", "peft_version", "revision",
    "eva_config",  // of where training began: what it found are A, B and the rank
};
/// Fields whose default is neither null nor false nor empty, and that default: it says nothing.
inline constexpr std::pair<std::string_view, std::string_view> peft_neutral_defaults[] = {
    {"megatron_core", "\"megatron.core\""},  // since PEFT 0.6; read where megatron_config is not null
    {"qalora_group_size", "16"},             // since PEFT 0.17; read where use_qalora is true
};

bool says_nothing(std::string_view key, Json const& value);

/// Throws unless a starting point left the weights of the base as they were.
void check_peft_start(Json const& start, std::string const& where);

PeftModules peft_modules_of(Json const& value, std::string const& key, std::string const& where);

/// Asks PeftModules for one module after the other.
class ModuleMatch {
 public:
  ModuleMatch(PeftModules const& modules, std::string_view where);
  /// Whether the whole path is meant.
  bool whole(std::string const& path) const { return pattern_ ? pattern_->matches(path) : names_.contains(path); }
  /// Whether a name is the path's last part, or its last parts.
  bool end(std::string const& path) const;

 private:
  std::set<std::string, std::less<>> names_;
  std::optional<NamePattern> pattern_;
};

}  // namespace detail

/// Reads and checks an adapter_config.json. What is missing is LoraConfig's default, which no version of PEFT changed.
/// Fields of which nothing is known pass if they are null, false or empty; `ignore` names fields that are read as if
/// they were not there.   Errors: a malformed text; a kind of adapter that gt has not, or a field that may change what
/// the adapter computes, each by its name; a field in `ignore` that is not there.
PeftConfig peft_config_of(Json json, std::string const& where, std::vector<std::string> const& ignore = {});

/// The matrices that have an adapter in each of `depth` blocks, matched as PEFT matches.   Errors: none; one elsewhere,
/// by its name; `layers_to_transform` above the model.
std::vector<LoraTargets> peft_targets(PeftConfig const& c, int depth, std::string const& where);

}  // namespace gt

#if !defined(GT_PREBUILT)
  #include "gt/formats/peft/peft_config_impl.hpp"
#endif
