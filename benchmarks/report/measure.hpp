// SPDX-License-Identifier: MIT
// Runs the benchmark programs that lie beside this one, each into a file of its own.
#pragma once

#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "gt/base/error.hpp"

extern char** environ;

namespace gt::bench {

/// What `./run bench` was asked for.
struct Asked {
  std::string filter;  ///< of names of rows; empty: all
  bool quick = false;  ///< a row of each kind, timed for a moment
  bool peers = false;  ///< PyTorch as well, by the Python that GT_PEERS_PYTHON names
  bool profile = false;
  std::vector<std::string> options;  ///< of Google Benchmark
};
/// A row of each kind, for --quick.
inline constexpr char quick_rows[] =
    R"(^gemm_../cpu:[0-9]+/M2048,N1024,K256$|^gemm_y/cpu:[0-9]+/M(2048,N256,K1024|1000)|^(layer_norm|gelu)/|^adamw/)"
    R"(|^attention.*/B8,H8,T256,D32$|^head_cross.*/M2048,V8192|^step/.*/C256|^tiny/.*/C32|^stage/.*/C256,L[36],)"
    R"(|^generate/.*/C256|^prompt/.*/C256)";

inline Asked asked_of(std::vector<std::string> const& arguments) {
  Asked asked;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    auto const& word = arguments[i];
    if (i == 0 && !word.empty() && word[0] != '-') {
      asked.filter = word;
    } else if (word.starts_with("--benchmark_")) {
      asked.options.push_back(word);
    } else {
      bool* const flag = word == "--quick"     ? &asked.quick
                         : word == "--peers"   ? &asked.peers
                         : word == "--profile" ? &asked.profile
                                               : nullptr;
      gt::check(flag, "bench",
                "the arguments must be [FILTER] [--quick] [--peers] [--profile] [--benchmark_...=...] (got '", word,
                "')");
      *flag = true;
    }
  }
  if (asked.quick) asked.options.push_back("--benchmark_min_time=0.1");
  return asked;
}

/// Runs a program to its end; true if it returned 0. Ctrl-C ends both.
inline bool ran(std::vector<std::string> words) {
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t process = -1;
  int status = -1;
  if (::posix_spawn(&process, argv[0], nullptr, nullptr, argv.data(), environ) != 0) return false;
  return ::waitpid(process, &status, 0) == process && status == 0;
}
/// Whether a benchmark program has a row of that name.
inline bool has_rows(std::string const& program, std::string const& filter) {
  auto const command = program + " --benchmark_list_tests --benchmark_filter='" + filter + "' 2>/dev/null";
  std::FILE* const names = ::popen(command.c_str(), "r");
  bool const some = names && std::fgetc(names) != EOF;
  if (names) ::pclose(names);
  return some;
}

/// Runs what was asked for, into raw/ of `folder`; `programs` is the folder with the programs bench_NAME. True if all
/// of them ran to their end.
inline bool measure(Asked const& asked, std::string const& folder, std::filesystem::path const& programs) {
  std::string const filter = !asked.filter.empty() ? asked.filter : asked.quick ? quick_rows : ".";
  std::fprintf(stderr, "gt: measuring (%s%s) ...\n",
               asked.quick             ? "about a minute"
               : !asked.filter.empty() ? "only what matches"
                                       : "about ten minutes; --quick: one",
               asked.peers ? "; and PyTorch, half an hour, a good part of which it compiles" : "");
  std::filesystem::remove_all(folder + "/raw");
  std::filesystem::create_directories(folder + "/raw");
  std::vector<std::string> names;
  for (auto const& entry : std::filesystem::directory_iterator(programs)) {
    auto const name = entry.path().filename().string();
    if (name.starts_with("bench_") && name != "bench_report" && entry.is_regular_file())
      names.push_back(name.substr(6));
  }
  std::sort(names.begin(), names.end());
  bool all = true, first = true;
  for (auto const& name : names) {
    std::string const program = programs / ("bench_" + name);
    if (!has_rows(program, filter)) continue;
    std::vector<std::string> words{program, "--progress",
                                   "--benchmark_filter=" + (first ? "^peak/|" + filter : filter),  // the limits once
                                   "--benchmark_out=" + folder + "/raw/" + name + ".json",
                                   "--benchmark_out_format=json"};
    words.insert(words.end(), asked.options.begin(), asked.options.end());
    all = ran(std::move(words)) && all;
    first = false;
  }
  gt::check(!first, "bench", "the filter must match a benchmark (got '", filter, "')");
  if (asked.peers) {
    char const* const python = std::getenv("GT_PEERS_PYTHON");
    gt::check(python, "bench", "GT_PEERS_PYTHON must name a Python with PyTorch; ./run bench --peers sets one up");
    all = ran({python, GT_BENCH_SOURCE "/peers/torch_peer.py", "--programs", programs, "--rows", folder + "/raw",
               "--out", folder + "/raw/torch.json"}) &&
          all;
  }
  return all;
}

}  // namespace gt::bench
