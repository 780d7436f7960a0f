// SPDX-License-Identifier: MIT
// The folder of a growth run: what it is called, what it holds, and how a run finds it again.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <gt/gt.hpp>
#include <gt/io/json.hpp>
#include <gt/io/staging.hpp>
#include <gt/report/run_report.hpp>
#include <gt/runs/checkpoint_history.hpp>
#include <gt/runs/unfinished_save.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "grow_arguments.hpp"

namespace program {

/// runs/grow-1/: model/, best/, run.json, metrics.jsonl, samples.jsonl, checkpoint.safetensors and older ones,
/// report.html and plots.
class RunFolder {
 public:
  explicit RunFolder(std::string path) : path_{std::move(path)} {}
  /// The folder asked for, or the first of runs/grow-1, runs/grow-2, ... that holds no run.
  static RunFolder for_new_run(std::string const& out, bool overwrite) {
    if (!out.empty()) {
      gt::check(overwrite || !RunFolder(out).has_run(), "grow", "--out must not hold a run already (got '", out,
                "'); choose another folder, or add --overwrite");
      RunFolder(out).check_writable();
      return RunFolder(out);
    }
    RunFolder folder("runs/grow-1");
    while (folder.has_run()) folder = folder.next();
    folder.check_writable();
    return folder;
  }
  /// Whether a run can write all that it will: found before anything is read, made or removed.
  /// Errors: what is in the way, and a folder that cannot be written or made.
  void check_writable() const {
    auto const check_folder = [](std::string const& folder, std::string const& wanted) {
      struct stat info {};
      if (::stat(folder.c_str(), &info) != 0) return false;
      gt::check(S_ISDIR(info.st_mode) || folder != wanted, "grow", "'", folder, "' must be a folder, or not be there");
      int const error = !S_ISDIR(info.st_mode) ? ENOTDIR : ::access(folder.c_str(), W_OK | X_OK) == 0 ? 0 : errno;
      gt::check(error == 0, "grow", "the folder '", wanted, "' must be writable (got: ", std::strerror(error), ")");
      return true;
    };
    for (std::string above = path_; !check_folder(above.empty() ? "." : above, path_);) {  // the first that is there
      auto const end = above.find_last_not_of('/');
      auto const slash = end == above.npos ? end : above.rfind('/', end);
      above = slash == above.npos ? "" : slash == 0 ? "/" : above.substr(0, slash);
    }
    check_folder(model(), model()), check_folder(best(), best());
    for (auto const& file : files()) {
      struct stat info {};
      gt::check(::stat(file.c_str(), &info) != 0 || S_ISREG(info.st_mode), "grow", "'", file,
                "' must be a regular file, or not be there");
    }
  }
  /// The folder with the next number.
  RunFolder next() const {
    auto const digits = path_.find_last_not_of("0123456789") + 1;
    return RunFolder(path_.substr(0, digits) + std::to_string(std::stoi(path_.substr(digits)) + 1));
  }

  std::string const& path() const { return path_; }
  std::string model() const { return path_ + "/model"; }
  std::string best() const { return path_ + "/best"; }
  std::string metrics() const { return path_ + "/metrics.jsonl"; }
  gt::CheckpointHistory checkpoints(int keep) const { return gt::CheckpointHistory(path_, keep); }
  std::string samples() const { return path_ + "/samples.jsonl"; }
  std::string description() const { return path_ + "/run.json"; }
  std::string report() const { return path_ + "/report.html"; }
  bool has_run() const {
    bool found = exists(model() + "/config.json") || exists(best() + "/config.json");
    for (auto const& file : files()) found = found || exists(file);
    return found;
  }
  bool has_checkpoint() const { return exists(checkpoints(1).newest()) || !checkpoints(1).older().empty(); }
  /// Whether it can be read; nothing is opened, as opening a pipe again would wait for another writer.
  static bool exists(std::string const& file) { return ::access(file.c_str(), R_OK) == 0; }

  /// Removes what an earlier run left that would pass for that of the one whose first checkpoint is there.
  void clear() const {
    auto all = files();
    for (auto const& folder : {model(), best()})
      all.push_back(folder + "/config.json");  // without it the rest of a model does not load
    std::erase(all, description()), std::erase(all, checkpoints(1).newest());
    for (auto const& file : all) {
      gt::check(std::remove(file.c_str()) == 0 || errno == ENOENT, "grow", "'", file,
                "' of an earlier run must be removable (got: ", std::strerror(errno), ")");
    }
  }

  /// Removes what a run left that was killed while it wrote. For who holds the folder's lock.
  void remove_unfinished() const {
    auto const all = files();
    auto const is_ours = [&](std::string_view name) {
      return gt::CheckpointHistory::is_name(name) ||
             std::find(all.begin(), all.end(), gt::text(path_, "/", name)) != all.end();
    };
    gt::io::remove_unfinished(path_, is_ours);
    for (auto const& folder : {path_, model(), best()}) gt::remove_unfinished_save(folder);
    gt::io::remove_unfinished(best(), [](std::string_view name) { return name == "look.json"; });
  }

  void add_sample(gt::ReportSample const& sample) const {
    gt::Json const line{{"stage", sample.stage + 1}, {"prompt", sample.prompt}, {"text", sample.text}};
    std::string all = exists(samples()) ? gt::read_text_file(samples(), gt::any_bytes) : "";
    gt::io::write_file_atomically(samples(), all + gt::dump_json(line, "samples") + "\n");
  }
  /// The samples of the first `stages` stages.
  std::vector<gt::ReportSample> read_samples(std::size_t stages) const {
    std::vector<gt::ReportSample> read;
    std::string const all = exists(samples()) ? gt::read_text_file(samples(), gt::any_bytes) : "",
                      where = "'" + samples() + "'";
    std::string kept;
    for (std::size_t begin = 0, end; (end = all.find('\n', begin)) != std::string::npos; begin = end + 1) {
      std::string const line = all.substr(begin, end - begin);
      gt::Json const json = gt::parse_json(line, where);
      gt::ReportSample const sample{gt::json_get<std::size_t>(json, "stage", where) - 1,
                                    gt::json_get<std::string>(json, "prompt", where),
                                    gt::json_get<std::string>(json, "text", where)};
      if (sample.stage < stages) read.push_back(sample), kept += line + "\n";
    }
    if (kept != all) gt::io::write_file_atomically(samples(), kept);
    return read;
  }

 private:
  std::vector<std::string> files() const {
    auto const checkpoints = this->checkpoints(1);
    std::vector<std::string> all = checkpoints.older();
    all.insert(all.end(), {description(), checkpoints.newest(), metrics(), samples(), report(), best() + "/look.json"});
    for (char const* plot :
         {"bits_per_byte_by_tokens", "bits_per_byte_by_time", "training_loss", "gradient_norm", "step_profile"})
      all.push_back(gt::text(path_, "/", plot, ".svg"));
    return all;
  }
  std::string path_;
};

/// What a run's data were, so that it does not go on with others.
struct RunIdentity {
  std::string corpus, tokenizer, substrate;
};
/// run.json.
inline std::string description_of(GrowArguments a, RunIdentity const& id) {
  auto const absolute = [](std::vector<std::string>& paths) {  // going on may begin in another folder
    for (auto& path : paths) {
      auto const face = RunFolder::exists(path) ? path.npos : path.rfind(':');  // of a collection of fonts
      char whole[PATH_MAX];
      if (::realpath(path.substr(0, face).c_str(), whole)) path = whole + (face == path.npos ? "" : path.substr(face));
    }
  };
  std::vector<std::string> tokenizer{a.tokenizer};
  absolute(a.corpus), absolute(a.font), absolute(tokenizer);
  a.tokenizer = tokenizer[0];
  gt::Json const json{{"version", gt::version},
                      {"arguments", to_json(a)},
                      {"corpus", id.corpus},
                      {"tokenizer", id.tokenizer},
                      {"substrate", id.substrate}};
  return gt::dump_json(json, "grow", 2) + "\n";
}
/// Begins a run: what it needs to go on from its first moment, its description and a checkpoint of `model`, is there,
/// whole, before anything of an earlier run is removed.   Errors: what cannot be written; all is then as it was.
template <class Model>
void begin(RunFolder const& folder, Model const& model, std::string const& description) {
  folder.check_writable();
  gt::io::Staging staging(folder.path());
  gt::io::write_file_atomically(staging.file("run.json"), description);
  gt::save_checkpoint(model, {}, staging.file("checkpoint.safetensors"));
  staging.commit();
  folder.clear();
}
/// The arguments of the run in `folder`, and what its data must be.
inline std::pair<GrowArguments, RunIdentity> read_description(RunFolder const& folder) {
  std::string const where = gt::text("--resume '", folder.path(), "'");
  gt::check(RunFolder::exists(folder.description()) && folder.has_checkpoint(), where,
            "the folder must hold a run that saved a checkpoint (run.json and checkpoint.safetensors)");
  gt::Json const json = gt::parse_json(gt::read_text_file(folder.description()), where);
  auto const word = [&](char const* key) { return gt::json_get<std::string>(json, key, where); };
  return {grow_arguments_of(gt::json_get<gt::Json>(json, "arguments", where), where),
          {word("corpus"), word("tokenizer"), word("substrate")}};
}
/// Throws, naming the files of `a`, unless the data of a run are those it began with.
inline void check_identity(RunIdentity const& was, RunIdentity const& is, GrowArguments const& a) {
  auto const same = [](std::string const& before, std::string const& now, char const* what,
                       std::vector<std::string> const& files) {
    std::string got;
    for (auto const& file : files) got += gt::text(got.empty() ? " (got '" : ", '", file, "'");
    gt::check(before == now, "--resume", what, " must be what it was when the run began", got, got.empty() ? "" : ")");
  };
  same(was.corpus, is.corpus, "the text of --corpus", a.corpus);
  if (a.tokenizer.empty()) {
    same(was.tokenizer, is.tokenizer, "the tokenizer built from it", {});
  } else {
    same(was.tokenizer, is.tokenizer, "the tokenizer", {a.tokenizer});
  }
  same(was.substrate, is.substrate, "the substrate (font, or gt itself)",
       a.substrate == "glyph" ? a.font : std::vector<std::string>{});
}
/// Throws unless all files that a run remembers are there.
inline void check_there(GrowArguments const& a) {
  auto const check_file = [](std::string const& path, char const* option) {
    auto const face = RunFolder::exists(path) ? path.npos : path.rfind(':');  // of a collection of fonts
    gt::check(RunFolder::exists(path.substr(0, face)), "--resume", "'", path,
              "' must be where it was when the run began; if it has moved, name it: ", option);
  };
  for (auto const& file : a.corpus) check_file(file, "--corpus");
  if (!a.tokenizer.empty()) check_file(a.tokenizer, "--tokenizer");
  for (auto const& file : a.font) {
    if (a.substrate == "glyph") check_file(file, "--font");
  }
}

}  // namespace program
