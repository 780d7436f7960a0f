// SPDX-License-Identifier: MIT
// Runs the benchmarks and makes one table of what they write: bench_report FOLDER [ARGUMENTS OF ./run bench] fills
// FOLDER/raw, prints the table, and writes FOLDER/results.json and FOLDER/report.html.
#include <algorithm>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "gt/base/version.hpp"
#include "gt/io/atomic_file.hpp"
#include "measure.hpp"
#include "page.hpp"
#include "results.hpp"
#include "table.hpp"

namespace {

using namespace gt::bench;
using gt::Json, gt::text;

std::string cpu_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

Json json_of(Results const& results) {
  Json json{{"facts", Json::object()}, {"limits", Json::array()}, {"rows", Json::array()}};
  for (auto const& [label, value] : results.facts) json["facts"][label] = value;
  for (auto const& r : results.limits)
    json["limits"].push_back(
        {{"name", r.op + "/" + r.backend}, {"threads", r.threads}, {r.bytes ? "GB/s" : "GFLOP/s", r.rate}});
  for (auto const& r : results.rows) {
    Json row{{"name", r.name}, {"threads", r.threads}};
    if (!r.error.empty()) {
      row["error"] = r.error;
    } else {
      row["seconds"] = r.seconds, row["spread_percent"] = r.spread;
      if (r.rate > 0) row[r.bytes ? "GB/s" : "GFLOP/s"] = r.rate;
      if (r.share > 0) row["share_percent"] = r.share, row["best_percent"] = r.best;
      if (r.tokens > 0) row["tokens_per_second"] = r.tokens;
      if (r.extra_mb > 0) row["extra_MB"] = r.extra_mb;
      for (auto const& [name, x] : r.others) row[name] = x;
      for (auto const& [peer, x] : r.vs) row["vs"][peer] = x;
      for (auto const& [peer, x] : r.peer_seconds) row["peer_seconds"][peer] = x;
      for (auto const& aim : aims_of(r, results.rows))
        row["aims"].push_back({{"aim", aim.text}, {"reached", aim.reached}});
    }
    json["rows"].push_back(row);
  }
  return json;
}

/// What a program is measured by, as one line a number of threads.
void add_limit_facts(Results& results) {
  std::vector<int> counts;
  for (auto const& r : results.limits) {
    if (std::find(counts.begin(), counts.end(), r.threads) == counts.end()) counts.push_back(r.threads);
  }
  for (int const threads : counts) {
    std::string words;
    for (auto const& r : results.limits) {
      if (r.threads != threads) continue;
      std::string name = r.backend;
      for (auto const& [from, to] : {std::pair{"fma", "fp32"}, std::pair{"stream_l2", "L2"},
                                     std::pair{"stream_l3", "L3"}, std::pair{"stream_memory", "memory"}})
        name = name == from ? to : name;
      words += text(words.empty() ? "" : ", ", name, " ", parts::number(r.rate, 0), r.bytes ? " GB/s" : " GFLOP/s");
    }
    results.facts.push_back({text("limits, ", threads, threads == 1 ? " thread" : " threads"), words});
  }
}

int run(std::vector<std::string> arguments) {
  gt::check(!arguments.empty(), "bench_report", "the folder must be named: bench_report FOLDER [ARGUMENTS]");
  std::string const folder = arguments[0];
  arguments.erase(arguments.begin());
  auto const asked = asked_of(arguments);
  auto const programs = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  if (asked.profile) return ran({programs / "bench_step", "--profile"}) ? 0 : 1;
  char const* const load = std::getenv("GT_BENCH_LOAD");  // before this was built
  char const* const policy = std::getenv("OMP_WAIT_POLICY");
  char const* const spins = std::getenv("GOMP_SPINCOUNT");
  if (load && std::atof(load) > 0.5)
    std::cerr << "gt: note: other programs are running (load average " << load << "); the numbers suffer from them.\n";
  bool const complete = measure(asked, folder, programs);

  Results results;
  results.facts = {{"gt", gt::version},
                   {"processor", cpu_name()},
                   {"cores", std::to_string(std::thread::hardware_concurrency())},
                   {"load average before", load ? load : "unknown"},
                   {"threads wait", policy  ? policy
                                    : spins ? text("asleep after ", spins, " spins")
                                            : "as they do"}};
  std::vector<std::filesystem::path> files;
  for (auto const& entry : std::filesystem::directory_iterator(folder + "/raw")) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  // From the smallest part to the whole.
  std::vector<std::string> const order{"gemm", "ops", "attention", "heads", "step", "prefix_cache", "generate"};
  auto const rank = [&](auto const& path) {
    return std::find(order.begin(), order.end(), path.stem().string()) - order.begin();
  };
  std::sort(files.begin(), files.end(),
            [&](auto const& a, auto const& b) { return std::pair(rank(a), a) < std::pair(rank(b), b); });
  for (auto const& file : files) {
    if (file.stem() != "torch") read_program(results, file.string(), file.stem().string());
  }
  for (auto const& file : files) {
    if (file.stem() == "torch") read_turns(results, file.string());
  }
  share_the_best_peak(results);
  take_plain_loops(results);
  add_limit_facts(results);

  std::size_t width = 0;
  for (auto const& [label, value] : results.facts) width = std::max(width, label.size());
  for (auto const& [label, value] : results.facts)
    std::cout << label << std::string(width - label.size() + 2, ' ') << value << '\n';
  std::cout << "\nMedians; best: of the fastest run; spread: the middle half of all. vs: another's "
               "time over ours, above 1x gt is the faster.\n\n";
  for (auto const& section : sections_of(results)) std::cout << to_text(section);
  std::cout << summary_of(results) << '\n';
  gt::io::write_file_atomically(folder + "/results.json", json_of(results).dump(2) + "\n");
  gt::io::write_file_atomically(folder + "/report.html", page_of(results));
  std::cerr << "gt: the same as a page, and as JSON: " << folder << "/report.html, " << folder << "/results.json\n";
  return complete ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(std::vector<std::string>(argv + 1, argv + argc));
  } catch (std::exception const& e) {
    std::cerr << e.what() << '\n';
    return 1;
  }
}
