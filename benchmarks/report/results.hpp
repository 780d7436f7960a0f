// SPDX-License-Identifier: MIT
// The rows of the table, from the JSON that the benchmark programs and the PyTorch peer write.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/io/json.hpp"
#include "gt/io/text_file.hpp"

namespace gt::bench {

/// One measured case. A number that is not there is 0.
struct Row {
  std::string name, program;       ///< op/backend/shape; bench_NAME
  std::string op, backend, shape;  ///< the name's three parts
  int threads = 1;                 ///< that it ran on
  double seconds = 0,
         spread = 0;                 ///< of the median run; the middle half's width in percent
  double rate = 0;                   ///< 10^9 operations or bytes a second
  bool bytes = false;                ///< of which the rate is
  double share = 0, best = 0;        ///< of this machine's limit, in percent: of the median run, and of the fastest
  double tokens = 0;                 ///< a second
  double extra_mb = 0;               ///< memory beside inputs and outputs
  std::map<std::string, double> vs;  ///< a peer's time over ours: above 1 we are the faster
  std::map<std::string, double> peer_seconds;
  std::vector<std::pair<std::string, double>> others;  ///< counters that this table knows nothing of
  std::string error;                                   ///< why it was not measured

  /// The number that stands behind a letter of the shape: 256 of C in "C256,L6". 0 where there is none.
  long size(std::string_view letter) const {
    std::string const parts = "," + shape + ",", key = "," + std::string(letter);
    for (std::size_t at = parts.find(key); at != std::string::npos; at = parts.find(key, at + 1)) {
      char const next = parts[at + key.size()];
      if (next >= '0' && next <= '9') return std::stol(parts.substr(at + key.size()));
    }
    return 0;
  }
};

/// All of a run.
struct Results {
  std::vector<std::pair<std::string, std::string>> facts;  ///< of machine, compilers and peers
  std::vector<Row> limits, rows;
};

namespace parts {

inline Row row_of(Json const& j, std::string const& program) {
  Row r;
  r.name = j.value("run_name", j.value("name", std::string()));
  r.program = program;
  // op/backend/shape; what stands between an op and its backend belongs to the op.
  std::size_t const first = std::min(r.name.find("/cpu:"), r.name.find("/ref/"));
  std::size_t const end = std::min(first == std::string::npos ? r.name.find('/') : first, r.name.size());
  std::size_t const second = r.name.find('/', end + 1);
  r.op = r.name.substr(0, end);
  if (end < r.name.size()) r.backend = r.name.substr(end + 1, second - end - 1);
  if (second != std::string::npos) r.shape = r.name.substr(second + 1);
  if (j.value("error_occurred", false)) r.error = j.value("error_message", std::string("failed"));
  double const unit = std::map<std::string, double>{
      {"ns", 1e-9}, {"us", 1e-6}, {"ms", 1e-3}, {"s", 1}}[j.value("time_unit", std::string("ns"))];
  r.seconds = j.value("real_time", 0.0) * unit;
  if (auto const colon = r.backend.find(':'); colon != std::string::npos)
    r.threads = std::atoi(r.backend.c_str() + colon + 1);
  static std::vector<std::string> const known{"family_index", "per_family_instance_index",
                                              "repetitions",  "repetition_index",
                                              "threads",      "iterations",
                                              "real_time",    "cpu_time"};
  for (auto const& [key, value] : j.items()) {
    if (!value.is_number() || std::find(known.begin(), known.end(), key) != known.end()) continue;
    double const x = value.get<double>();
    if (key == "seconds")
      r.seconds = x;
    else if (key == "threads_used")
      r.threads = static_cast<int>(x);
    else if (key == "spread_%")
      r.spread = x;
    else if (key == "GFLOP/s" || key == "GB/s")
      r.rate = x, r.bytes = key == "GB/s";
    else if (key == "peak_%")
      r.share = x;
    else if (key == "best_%")
      r.best = x;
    else if (key == "tokens/s")
      r.tokens = x;
    else if (key == "extra_MB")
      r.extra_mb = x;
    else if (key.starts_with("vs_"))
      r.vs[key.substr(3)] = x, r.peer_seconds[key.substr(3)] = x * r.seconds;
    else if (key != "s/step")
      r.others.push_back({key, x});
  }
  return r;
}

}  // namespace parts

/// Adds what a benchmark program wrote. A limit that was measured before keeps its best value; of repeated rows the
/// fastest stays.
inline void read_program(Results& results, std::string const& path, std::string const& program) {
  Json const json = parse_json(read_text_file(path), text("read '", path, "'"));
  auto const fact = [&](std::string const& label, std::string const& value) {
    auto const same = [&](auto const& f) { return f.first == label; };
    if (!value.empty() && std::none_of(results.facts.begin(), results.facts.end(), same))
      results.facts.push_back({label, value});
  };
  for (auto const& [key, value] : json["context"].items()) {
    if (key == "gt_compiler") fact("compiler", value.get<std::string>());
    if (key == "gt_flags") fact("flags", value.get<std::string>());
    if (key == "gt_isa") fact("instruction set", value.get<std::string>());
    if (key.starts_with("peer ")) fact(key.substr(5), value.get<std::string>());
  }
  for (auto const& j : json["benchmarks"]) {
    if (j.value("run_type", std::string()) == "aggregate") continue;
    Row const row = parts::row_of(j, program);
    bool const is_limit = row.op == "peak";
    auto& list = is_limit ? results.limits : results.rows;
    auto const old = std::find_if(list.begin(), list.end(), [&](Row const& r) { return r.name == row.name; });
    if (old == list.end())
      list.push_back(row);
    else if (is_limit ? row.rate > old->rate : row.seconds < old->seconds && row.error.empty())
      *old = row;
  }
}

/// Each program measures the peak for itself, and what else runs on the machine makes it too low: the best of all holds
/// for every row of operations, and for the limits above the table.
inline void share_the_best_peak(Results& results) {
  std::map<std::pair<int, bool>, double> best;  // by threads, and whether of bf16
  auto const peak_of = [&](Row const& r, bool bf16) -> double& { return best[{r.threads, bf16}]; };
  auto const has_peak = [](Row const& r) { return !r.bytes && r.rate > 0 && r.share > 0; };
  auto const is_bf16 = [](Row const& r) { return r.op.ends_with("_bf16"); };
  auto const raise = [](double& peak, double measured) { peak = std::max(peak, measured); };
  for (auto const& r : results.limits)
    if (!r.bytes) raise(peak_of(r, r.backend == "bf16"), r.rate);
  for (auto const& r : results.rows)
    if (has_peak(r)) raise(peak_of(r, is_bf16(r)), 100 * r.rate / r.share);
  for (auto& r : results.limits)
    if (!r.bytes) r.rate = peak_of(r, r.backend == "bf16");
  for (auto& r : results.rows) {
    if (!has_peak(r)) continue;
    double const lower = 100 * r.rate / r.share / peak_of(r, is_bf16(r));
    r.share *= lower, r.best *= lower;
  }
}

/// Adds what the PyTorch peer wrote: its times, and ours of the same turns.
inline void read_turns(Results& results, std::string const& path) {
  Json const json = parse_json(read_text_file(path), text("read '", path, "'"));
  for (auto const& [label, value] : json["versions"].items())
    results.facts.push_back({label, value.get<std::string>()});
  for (auto const& j : json["rows"]) {
    std::string const name = j["name"].get<std::string>();
    for (auto& row : results.rows) {
      if (row.name != name) continue;
      for (auto const& [peer, seconds] : j["seconds"].items()) {
        if (peer == "gt") continue;
        row.vs[peer] = seconds.get<double>() / j["seconds"]["gt"].get<double>();
        row.peer_seconds[peer] = seconds.get<double>();
      }
    }
  }
}

/// The plain loops as a peer of the kernels that are measured at the same shape on one thread; they have no rows then.
inline void take_plain_loops(Results& results) {
  std::vector<std::string> taken;
  for (auto const& plain : results.rows) {
    if (plain.backend != "ref") continue;
    for (auto& row : results.rows) {
      if (row.backend == "ref" || row.op != plain.op || row.shape != plain.shape) continue;
      taken.push_back(plain.name);
      if (row.threads == 1 && row.seconds > 0) row.vs["plain loop"] = plain.seconds / row.seconds;
    }
  }
  std::erase_if(results.rows,
                [&](Row const& row) { return std::find(taken.begin(), taken.end(), row.name) != taken.end(); });
}

}  // namespace gt::bench
