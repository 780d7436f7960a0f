// SPDX-License-Identifier: MIT
// Experts from their folders, and an ensemble as a folder of its own that names them and holds what trained after
// merging.
#pragma once

#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/base/sha256.hpp"
#include "gt/base/version.hpp"
#include "gt/compose/ensemble.hpp"
#include "gt/compose/fusion_adapter.hpp"
#include "gt/core/backend.hpp"
#include "gt/core/buffer.hpp"
#include "gt/core/parameter.hpp"
#include "gt/formats/hugging_face/any_model_folder.hpp"
#include "gt/formats/hugging_face/model_folder.hpp"
#include "gt/formats/hugging_face/tensor_files.hpp"
#include "gt/formats/hugging_face/tensor_reader.hpp"
#include "gt/formats/name_map.hpp"
#include "gt/io/atomic_file.hpp"
#include "gt/io/folder.hpp"
#include "gt/io/json.hpp"
#include "gt/io/json_path.hpp"
#include "gt/io/safetensors.hpp"
#include "gt/io/text_file.hpp"

namespace gt::inline GT_ABI {

inline constexpr int ensemble_folder_version = 1;  ///< of ensemble.json; others are refused by number

/// How the folder of an ensemble is read.
struct EnsembleFolderOptions {
  /// Lets experts lie beside the ensemble, as save_ensemble names them wherever they are: `../a`. False for a folder
  /// from somebody else, which should hold all of itself. Symbolic links are followed either way.
  bool outside = true;
};

/// The model in a folder as an expert that is called by its folder.   Errors: those of `load_model`.
template <class Model = Transformer<>>
Expert<Model> load_expert(ModelFolder const& folder) {
  return {load_model<Model>(folder), folder.path, folder.config.tokenizer_fingerprint, folder.path};
}
/// The same of a path.
template <class Model = Transformer<>>
Expert<Model> load_expert(std::string const& folder) {
  return load_expert<Model>(ModelFolder::open(folder));
}
/// The same of any kind of block; see `load_any_model`.
template <Backend B>
Expert<BasicAnyModel<B>> load_any_expert(B const& on, ModelFolder const& folder) {
  return {load_any_model(on, folder), folder.path, folder.config.tokenizer_fingerprint, folder.path};
}
/// The same of a path.
template <Backend B>
Expert<BasicAnyModel<B>> load_any_expert(B const& on, std::string const& folder) {
  return load_any_expert(on, ModelFolder::open(folder));
}

namespace detail {

inline io::TensorView view_of(Parameter<float> const& p) {
  return {p.name, "F32", p.shape, bytes_of(p.data, p.size())};
}

/// The adapter in a file that holds `others` more tensors.
FusionAdapter<float> adapter_of(io::Safetensors const& file, std::size_t others, std::string const& where);

/// The head of a model and its bias, as they are saved beside other experts'.
template <class Model>
std::vector<Parameter<float>> head_tensors(Model const& model, std::size_t expert) {
  std::vector<Parameter<float>> tensors;
  for (auto p : model.parameters()) {
    if (!p.name.starts_with("lm_head.")) continue;
    p.name = text("experts.", expert, ".", p.name);
    tensors.push_back(std::move(p));
  }
  return tensors;
}

/// Throws unless the folder that an expert came from still holds its tensors; heads that were tuned are not compared.
template <class Model>
void check_on_disk(Expert<Model> const& expert, ModelFolder const& folder, bool heads) {
  formats::NameMap const names;
  TensorReader const on_disk(folder.weights, names, folder.config, "save_ensemble");
  for (auto const& p : expert.model.parameters()) {
    if (p.name == table_name || (!heads && p.name.starts_with("lm_head."))) continue;
    check(on_disk.holds(p.name, p.shape, p.data), "save_ensemble", "'", expert.folder,
          "' must hold the expert as it is in memory (got another ", p.name, ")");
  }
}
/// SHA-256 of a folder's weights, in one file or in several.
std::string weights_hash(formats::TensorFiles const& weights);

/// Throws if a folder is among those before it, by whatever path; else adds it. In a file, where a line is as good as a
/// model's memory, no expert counts twice: it may have a greater weight.
void check_once(std::set<std::string>& folders, std::string const& folder, std::string_view where);
/// `to`, as it is written from inside of the folder `from`.
std::string relative_path(std::string const& to, std::string const& from);

/// Throws unless `place` is written as relative_path writes: down from a folder, after `..` as often as it takes to get
/// there, if that is allowed. An absolute path in a file would be read on whatever machine the file comes to.
void check_place(std::string_view place, bool outside, std::string const& where);

template <class Load>
auto load_ensemble(std::string const& folder, EnsembleFolderOptions options, Load const& load_one) {
  using Model = decltype(load_one(std::declval<ModelFolder>()).model);
  std::string const where = text("load '", folder, "/ensemble.json'");
  std::string const json_text = read_text_file(folder + "/ensemble.json");
  Json const json = parse_json(json_text, where);
  auto const format = json_get<std::int64_t>(json, "format", where);
  check(format == ensemble_folder_version, where, "this version of gt reads format ", ensemble_folder_version, " (got ",
        format, ")");
  std::vector<Expert<Model>> experts;
  std::set<std::string> folders;
  for (auto const& each : json_get<std::vector<Json>>(json, "experts", where)) {
    auto const path = path_of_json(json_get<Json>(each, "folder", where), where);
    check_place(path, options.outside, where);
    std::string const at = folder + "/" + path;
    // One look at all bytes is enough: the hash of the files says more than the checksums of their tensors.
    auto weights = formats::TensorFiles::open(at, "model", {.verify = false});
    if (weights_hash(weights) != json_get<std::string>(each, "weights", where)) {
      formats::TensorFiles::open(at);  // which says so if they are damaged
      fail(where, "the expert in '", at, "' must be the one that was merged (its weights are others)");
    }
    check_once(folders, at, where);
    experts.push_back(load_one(ModelFolder::open(at, std::move(weights))));
    experts.back().name = path_of_json(json_get<Json>(each, "name", where), where);
  }
  Json const mixing = json_get<Json>(json, "mixing", where);
  Ensemble<Model> ensemble(std::move(experts),
                           Mixing{.weights = json_get<std::vector<double>>(mixing, "weights", where),
                                  .posterior = json_get<bool>(mixing, "posterior", where),
                                  .decay = json_get<double>(mixing, "decay", where)},
                           {.any_substrate = json_get<bool>(json, "any_substrate", where)});
  auto const same = [&](char const* key, std::string const& is) {
    auto const was = json_get<std::string>(json, key, where);
    check(was == is, where, "the experts' ", key, " must be what it was (got ", is, " where ", was, " was)");
  };
  same("substrate", ensemble.substrate_fingerprint()), same("tokenizer", ensemble.tokenizer_fingerprint());
  bool const heads = json_get<bool>(json, "heads", where), adapter = json_get<bool>(json, "adapter", where);
  if (!heads && !adapter) return ensemble;

  auto const file = io::Safetensors::open(folder + "/ensemble.safetensors");
  auto const named = file.metadata().find("gt.ensemble");
  check(named != file.metadata().end() && named->second == sha256_hex(json_text), where,
        "ensemble.safetensors and ensemble.json must come from one save");
  std::size_t head_count = 0;
  for (std::size_t i = 0; heads && i < ensemble.size(); ++i) {
    auto const buffer = ensemble.expert(i).head_buffer().clone();
    for (auto const& p : head_tensors(ensemble.expert(i), i)) {
      io::TensorView const* const t = file.find(p.name);
      check(t && t->dtype == "F32" && t->shape == p.shape, where, p.name, " must be of the shape of the expert's head");
      std::memcpy(buffer.data() + (p.data - ensemble.expert(i).head_buffer().data()), t->bytes.data(), t->bytes.size());
      ++head_count;
    }
    ensemble.set_head(i, buffer);
  }
  if (adapter) ensemble.set_adapter(adapter_of(file, head_count, where));
  return ensemble;
}

}  // namespace detail

/// Writes the adapter's tensors to `path`, completely or not at all.
void save_adapter(FusionAdapter<float> const& adapter, std::string const& path);
/// Reads what save_adapter wrote.   Errors: missing, surplus or misshapen tensors; damage.
FusionAdapter<float> load_adapter(std::string const& path);

/// Writes an ensemble into `folder`, making it where it is missing: ensemble.json, which names the experts by their
/// folders, seen from this one, and by the SHA-256 of their weights; and, where heads were tuned or there is an
/// adapter, ensemble.safetensors with these. The files appear together, each whole. Errors: an expert that came from no
/// folder, from another one's, or whose folder holds other weights by now; a folder that cannot be written.
template <class Model>
void save_ensemble(Ensemble<Model> const& ensemble, std::string const& folder) {
  static_assert(std::is_same_v<typename Model::scalar, float>, "models are saved in fp32");
  std::vector<std::string> weights;
  std::set<std::string> folders;
  for (auto const& e : ensemble.experts()) {
    check(!e.folder.empty(), "save_ensemble", "'", e.name,
          "' must come from a folder; save it, and load it with load_expert");
    detail::check_once(folders, e.folder, "save_ensemble");
    auto const opened = ModelFolder::open(e.folder);
    detail::check_on_disk(e, opened, !ensemble.owns_heads());
    weights.push_back(detail::weights_hash(opened.weights));
  }
  io::make_folder(folder);
  Json experts = Json::array();
  for (std::size_t i = 0; i < ensemble.size(); ++i) {
    auto const& e = ensemble.experts()[i];
    experts.push_back({{"name", json_of_path(e.name)},  // of its folder, where nobody gave another
                       {"folder", json_of_path(detail::relative_path(e.folder, folder))},
                       {"weights", weights[i]}});
  }
  auto const* const adapter = ensemble.adapter();
  Json const json{{"format", ensemble_folder_version},
                  {"version", version},
                  {"substrate", ensemble.substrate_fingerprint()},
                  {"any_substrate", ensemble.options().any_substrate},
                  {"tokenizer", ensemble.tokenizer_fingerprint()},
                  {"experts", std::move(experts)},
                  {"mixing",
                   {{"weights", ensemble.mixing().weights},
                    {"posterior", ensemble.mixing().posterior},
                    {"decay", ensemble.mixing().decay}}},
                  {"heads", ensemble.owns_heads()},
                  {"adapter", adapter != nullptr}};
  std::string const json_text = dump_json(json, "save_ensemble", 2) + "\n";
  std::vector<Parameter<float>> parameters;
  auto const add = [&](std::vector<Parameter<float>> more) {
    parameters.insert(parameters.end(), more.begin(), more.end());
  };
  if (adapter) add(adapter->parameters());
  for (std::size_t i = 0; ensemble.owns_heads() && i < ensemble.size(); ++i)
    add(detail::head_tensors(ensemble.expert(i), i));
  std::vector<io::TensorView> tensors;
  for (auto const& p : parameters) tensors.push_back(detail::view_of(p));

  io::Staging staging(folder);
  if (!tensors.empty()) {
    io::write_safetensors(staging.file("ensemble.safetensors"), std::span<io::TensorView const>(tensors),
                          {{"format", "pt"}, {"gt.ensemble", sha256_hex(json_text)}});
  }
  io::write_file_atomically(staging.file("ensemble.json"), json_text);
  staging.commit();
}

/// The ensemble that save_ensemble wrote, its experts of type Model.   Errors, each naming the file: those of
/// load_model for each expert; an expert whose weights are not those that were merged; a place of one that is no
/// relative path, that of another, or outside where that is not allowed; files that do not belong together.
template <class Model = Transformer<>>
Ensemble<Model> load_ensemble(std::string const& folder, EnsembleFolderOptions options = {}) {
  return detail::load_ensemble(folder, options, [](ModelFolder const& at) { return load_expert<Model>(at); });
}
/// The same of any kind of block; see `load_any_model`.
template <Backend B>
Ensemble<BasicAnyModel<B>> load_any_ensemble(B const& on, std::string const& folder,
                                             EnsembleFolderOptions options = {}) {
  return detail::load_ensemble(folder, options, [&](ModelFolder const& at) { return load_any_expert(on, at); });
}

}  // namespace gt

#if !defined(GT_PREBUILT)
  #include "gt/formats/ensemble_folder_impl.hpp"
#endif
