// SPDX-License-Identifier: MIT
// What gt/formats/peft/peft_config.hpp declares.
#pragma once

#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/formats/peft/name_pattern.hpp"
#include "gt/formats/peft/peft_config.hpp"
#include "gt/io/json.hpp"
#include "gt/nn/lora_config.hpp"

namespace gt::inline GT_ABI {

namespace detail {

GT_FN bool says_nothing(std::string_view key, Json const& value) {
  if (value.is_null() || value == false || value == "" || value.empty()) return true;
  for (auto const& [name, neutral] : peft_neutral_defaults)
    if (key == name && value.dump() == neutral) return true;
  return std::find(std::begin(peft_fields_without_effect), std::end(peft_fields_without_effect), key) !=
         std::end(peft_fields_without_effect);
}

GT_FN void check_peft_start(Json const& start, std::string const& where) {
  if (start.is_null() || start.is_boolean()) return;
  auto const name = json_as<std::string>(start, "init_lora_weights", where);
  check(name == "gaussian" || name == "eva" || name == "orthogonal", where,
        "init_lora_weights must be true, false, gaussian, eva or orthogonal, which leave the base as it is (got ",
        in_quotes(name), "): PEFT may change the base's weights when it loads another; merge it there, or convert it");
}

GT_FN PeftModules peft_modules_of(Json const& value, std::string const& key, std::string const& where) {
  PeftModules modules;
  if (value.is_string()) {
    modules.pattern = value.get<std::string>();
    NamePattern(modules.pattern, text(where, ": ", key));  // for its errors
  } else {
    modules.names = json_as<std::vector<std::string>>(value, key, where);
  }
  return modules;
}

GT_FN bool is_all_linear(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text == "all-linear";
}

GT_FN ModuleMatch::ModuleMatch(PeftModules const& modules, std::string_view where)
    : names_{modules.names.begin(), modules.names.end()} {
  if (!modules.pattern.empty()) pattern_.emplace(modules.pattern, where);
}

GT_FN bool ModuleMatch::end(std::string const& path) const {
  for (std::size_t dot = path.find('.'); dot != path.npos; dot = path.find('.', dot + 1))
    if (names_.contains(std::string_view(path).substr(dot + 1))) return true;
  return false;
}

}  // namespace detail

GT_FN PeftConfig peft_config_of(Json json, std::string const& where, std::vector<std::string> const& ignore) {
  auto const kind = json_get<std::string>(json, "peft_type", where);
  check(kind == "LORA", where, "peft_type must be LORA (got ", detail::in_quotes(kind), ")");
  for (auto const& name : ignore)
    check(json.erase(name), where, "a field to ignore must be there (got ", detail::in_quotes(name), ")");
  auto const take = [&](char const* key) {  // null where it is missing; what is left in the end, nobody knows
    Json value = json.contains(key) ? json[key] : Json(nullptr);
    json.erase(key);
    return value;
  };
  auto const flag = [&](char const* key) {
    Json const value = take(key);
    return !value.is_null() && detail::json_as<bool>(value, text("key '", key, "'"), where);
  };
  for (auto const* key : {"use_dora", "fan_in_fan_out", "lora_bias", "use_qalora"})
    check(!flag(key), where, key, " must be false: gt's adapters are W + s B A");
  for (auto const* key : {"rank_pattern", "alpha_pattern"})
    check(detail::says_nothing(key, take(key)), where, key,
          " must be empty: gt has one rank and scale for all of a model");
  for (auto const* key : {"modules_to_save", "target_parameters"})
    check(detail::says_nothing(key, take(key)), where, key,
          " must be empty: gt adapts the matrices of blocks, and trains no others beside them");
  check(detail::says_nothing("", take("alora_invocation_tokens")), where,
        "alora_invocation_tokens must be empty: an adapter that works behind some tokens alone cannot be merged");
  Json const bias = take("bias"), task = take("task_type");
  check(bias.is_null() || bias == "none", where, "bias must be none");
  check(task.is_null() || task == "CAUSAL_LM" || task == "FEATURE_EXTRACTION", where,
        "task_type must be CAUSAL_LM: gt has language models");
  detail::check_peft_start(take("init_lora_weights"), where);

  PeftConfig c;
  Json const rank = take("r"), alpha = take("lora_alpha");
  c.lora.rank = rank.is_null() ? 8 : detail::json_as<int>(rank, "key 'r'", where);
  c.lora.alpha = alpha.is_null() ? 8 : detail::json_as<double>(alpha, "key 'lora_alpha'", where);
  check(c.lora.alpha != 0, where, "lora_alpha must not be 0: such an adapter changes nothing");
  c.lora.rank_stabilised = flag("use_rslora");
  Json const targets = take("target_modules"), exclude = take("exclude_modules");
  check(targets.is_string() || targets.is_array(), where,
        "target_modules must list the names of matrices, or be a pattern or all-linear");
  check(!targets.empty() && targets != "", where, "target_modules must name a matrix");
  c.all_linear = targets.is_string() && detail::is_all_linear(targets.string());
  if (!c.all_linear) c.targets = detail::peft_modules_of(targets, "target_modules", where);
  if (!exclude.is_null()) c.exclude = detail::peft_modules_of(exclude, "exclude_modules", where);
  Json const layers = take("layers_to_transform"), pattern = take("layers_pattern");
  if (!layers.is_null()) {
    check(targets.is_array(), where, "layers_to_transform belongs to a list of target_modules");
    c.layers = layers.is_array() ? detail::json_as<std::vector<int>>(layers, "layers_to_transform", where)
                                 : std::vector<int>{detail::json_as<int>(layers, "layers_to_transform", where)};
    for (int const layer : c.layers)
      check(layer >= 0, where, "layers_to_transform must be numbers of blocks (got ", layer, ")");
  }
  auto const names_blocks = [](Json const& name) { return name == "layers" || name == "model.layers"; };
  check(pattern.empty() || pattern == "" || names_blocks(pattern) ||
            (pattern.is_array() && std::any_of(pattern.begin(), pattern.end(), names_blocks)),
        where, "layers_pattern must be layers, as Starcoder2 names its blocks");
  Json const base = take("base_model_name_or_path");
  if (!base.is_null()) c.base = detail::json_as<std::string>(base, "key 'base_model_name_or_path'", where);
  take("peft_type");
  for (auto const& [key, value] : json.items())
    check(detail::says_nothing(key, value), where, detail::in_quotes(key),
          " must be null, false or empty: what gt does not know may change what the adapter computes (got ",
          detail::in_quotes(value.dump()), "); it can be named as a field to ignore");
  return c;
}

GT_FN std::vector<LoraTargets> peft_targets(PeftConfig const& c, int depth, std::string const& where) {
  for (int const layer : c.layers)
    check(layer < depth, where, "the adapted blocks must be the model's (got ", layer + 1, " of ", depth, ")");
  std::set<int> const layers(c.layers.begin(), c.layers.end());
  detail::ModuleMatch const targets(c.targets, where), excluded(c.exclude, where);
  auto const matched = [&](std::string const& module, int block) {
    if (excluded.whole(module) || excluded.end(module)) return false;
    if (c.all_linear) return block >= 0;
    bool const here = layers.empty() || layers.contains(block);
    return targets.whole(module) || (here && targets.end(module));
  };
  for (auto const* module : {"model.embed_tokens", "lm_head"})
    check(!matched(module, -1), where,
          "target_modules: matrices must be named q_proj, k_proj, v_proj, o_proj, c_fc or c_proj (got '", module, "')");
  std::vector<LoraTargets> all;
  int count = 0;
  for (int block = 0; block < depth; ++block) {
    auto const in = [&](char const* name) { return matched(text("model.layers.", block, ".", name), block); };
    all.push_back({in("self_attn.q_proj"), in("self_attn.k_proj"), in("self_attn.v_proj"), in("self_attn.o_proj"),
                   in("mlp.c_fc"), in("mlp.c_proj")});
    count += all.back().count();
  }
  check(count > 0, where,
        "target_modules: matrices must be named q_proj, k_proj, v_proj, o_proj, c_fc or c_proj (got none of them)");
  return all;
}

}  // namespace gt
