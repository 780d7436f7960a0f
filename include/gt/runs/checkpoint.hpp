// SPDX-License-Identifier: MIT
// A growth run between two steps as one file, from which it goes on to the same bits.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/formats/hugging_face/weights.hpp"
#include "gt/grow/observer.hpp"
#include "gt/io/json.hpp"
#include "gt/io/safetensors.hpp"
#include "gt/runs/record.hpp"

namespace gt::inline GT_ABI {

inline constexpr int checkpoint_version = 1;  ///< others are refused by number

namespace detail {

/// No number of a state may be one that no run can reach: what reads them counts on it.
bool is_sound(GrowthState const& state);

}  // namespace detail

/// Writes the weights of `model` (all but the substrate's table) and the state it is in, completely or not at all: an
/// older checkpoint in its place stays until the new one is whole.   Errors: a file that cannot be written.
template <class Model>
void save_checkpoint(Model const& model, GrowthState const& state, std::string const& path) {
  Json json{{"version", checkpoint_version},
            {"stage", state.stage},
            {"step", state.step},
            {"depth", model.depth()},
            {"samples", state.samples},
            {"tokens", state.tokens},
            {"bits_per_byte", state.bits_per_byte},
            {"tail_loss", state.tail_loss},
            {"tail_steps", state.tail_steps},
            {"look_due", state.look_due},
            {"last_step", {state.loss, state.gradient_norm}},
            {"stages", Json::array()},
            {"current", detail::to_json(state.current)}};
  if (LoraConfig const l = model.lora(); model.has_adapters()) {
    json["lora"] = {{"rank", l.rank},
                    {"alpha", l.alpha},
                    {"rank_stabilised", l.rank_stabilised},
                    {"targets", to_text(l.targets)},
                    {"blocks", model.adapted()}};
  }
  for (auto const& stage : state.stages) json["stages"].push_back(detail::to_json(stage));
  auto tensors = detail::trained_tensors(model);
  tensors.push_back({"gt.moments", "U8", {state.moments.size()}, state.moments.span()});
  io::write_safetensors(
      path, std::span<io::TensorView const>(tensors),
      {{"gt.growth", dump_json(json, "save_checkpoint")}, {"gt.substrate", model.substrate_origin()}});
}

/// Reads a checkpoint into a model that was made as the run's was, with none of its blocks yet: they are appended and
/// filled. Returns the state to go on from (GrowOptions::resume).   Errors, each naming the file: one that is missing,
/// damaged, or no checkpoint; another substrate or shape. The model is then as it was.
template <class Model>
GrowthState load_checkpoint(Model& model, std::string const& path) {
  std::string const where = text("load_checkpoint '", path, "'");
  auto const file = io::Safetensors::open(path);
  auto const growth = file.metadata().find("gt.growth");
  io::TensorView const* const moments = file.find("gt.moments");
  check(growth != file.metadata().end() && moments && moments->dtype == "U8", where,
        "this must be a checkpoint of a growth run");
  Json const json = parse_json(growth->second, where);
  auto const number = [&](char const* key) { return json_get<std::int64_t>(json, key, where); };
  check(number("version") == checkpoint_version, where, "this version of gt reads checkpoints of version ",
        checkpoint_version, " (got ", number("version"), ")");
  GrowthState state;
  state.stage = json_get<std::size_t>(json, "stage", where);
  state.step = number("step"), state.samples = number("samples"), state.tokens = number("tokens");
  state.bits_per_byte = json_get<double>(json, "bits_per_byte", where);
  state.tail_loss = json_get<double>(json, "tail_loss", where), state.tail_steps = number("tail_steps");
  if (json.contains("look_due")) {  // younger than the rest
    state.look_due = json_get<bool>(json, "look_due", where);
    auto const last = json_get<std::vector<double>>(json, "last_step", where);
    check(last.size() == 2, where, "last_step must be a loss and a gradient norm (got ", last.size(), " numbers)");
    state.loss = last[0], state.gradient_norm = last[1];
  }
  for (auto const& stage : json_get<std::vector<Json>>(json, "stages", where))
    state.stages.push_back(detail::from_json<StageDone>(stage, where));
  state.current = detail::from_json<StageDone>(json_get<Json>(json, "current", where), where);
  std::int64_t const depth = number("depth");
  check(depth >= model.depth() && depth <= 4096 && detail::is_sound(state), where, "its numbers must make sense (got ",
        depth, " blocks, step ", state.step, ")");

  LoraConfig lora;
  int adapted = 0;
  if (json.contains("lora")) {
    Json const part = json_get<Json>(json, "lora", where);
    lora = {json_get<int>(part, "rank", where), json_get<double>(part, "alpha", where),
            json_get<bool>(part, "rank_stabilised", where),
            nn::lora_targets(json_get<std::string>(part, "targets", where))};
    adapted = json_get<int>(part, "blocks", where);
    check(adapted > 0 && adapted <= depth, where, "adapters must belong to its blocks (got ", adapted, " of ", depth,
          ")");
    nn::check_lora(lora, model.config());
  }

  // Against the shapes that such a model will have, before memory is taken for it.
  auto const shapes = Model::tensor_shapes(model.config(), model.vocab(), model.table_width(), static_cast<int>(depth),
                                           model.has_head_bias(), lora, adapted);
  detail::check_trained_tensors(file, 1, model, shapes, static_cast<int>(depth), where);
  model.append(static_cast<int>(depth) - model.depth());
  if (adapted > 0) model.attach_adapters(lora, adapted);
  detail::copy_trained_tensors(file, model);
  state.moments = Buffer<std::byte>(static_cast<std::int64_t>(moments->bytes.size()));
  std::copy(moments->bytes.begin(), moments->bytes.end(), state.moments.begin());
  return state;
}

}  // namespace gt

#if !defined(GT_PREBUILT)
  #include "gt/runs/checkpoint_impl.hpp"
#endif
