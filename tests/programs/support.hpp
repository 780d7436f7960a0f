// SPDX-License-Identifier: MIT
// The built program gt, run as a user runs it: arguments in, exit status and text out, Ctrl-C in between. CMake passes
// where it was built: GT_PROGRAM.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "gt/io/text_file.hpp"
#include "io/support.hpp"

extern char** environ;

namespace gt::test {

using Lines = std::vector<std::string>;
inline Lines lines_of(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    auto const end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

/// Waits until `holds()`; false after a minute.
template <class F>
bool eventually(F const& holds) {
  auto const end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

/// How a program ended.
struct Ended {
  int status = -1;  ///< what it returned; -1 when a signal ended it
  int signal = 0;   ///< that ended it
  std::string out, err;
};

/// A running program: a command of gt by its name, another program by its path. It is killed with this object.
class Program {
 public:
  Program(std::string const& name, std::vector<std::string> arguments) {
    bool const is_command = name.find('/') == name.npos;
    std::string const path = is_command ? GT_PROGRAM : name;
    arguments.insert(arguments.begin(), name);
    if (is_command) arguments.insert(arguments.begin(), path);
    std::vector<char*> argv;
    for (auto& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);

    std::vector<std::string> variables{"OMP_WAIT_POLICY=passive", "GT_UNIFONT_HEX=" + (folder_ / "no-font.hex")};
    for (char** v = environ; *v != nullptr; ++v) {
      std::string_view const variable = *v, name_of = variable.substr(0, variable.find('='));
      bool const ours = name_of == "GT_UNIFONT_HEX" || name_of == "GT_AUSTEN" || name_of == "GT_LANGUAGES" ||
                        name_of == "GT_RUN_AS" || name_of == "OMP_WAIT_POLICY";
      if (!ours) variables.emplace_back(variable);
    }
    std::vector<char*> envp;
    for (auto& variable : variables) envp.push_back(variable.data());
    envp.push_back(nullptr);

    posix_spawn_file_actions_t files;
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&files, 1, out().c_str(), O_WRONLY | O_CREAT, 0666);
    ::posix_spawn_file_actions_addopen(&files, 2, err().c_str(), O_WRONLY | O_CREAT, 0666);
    int const error = ::posix_spawn(&process_, path.c_str(), &files, nullptr, argv.data(), envp.data());
    ::posix_spawn_file_actions_destroy(&files);
    if (error != 0) process_ = -1;
    REQUIRE(error == 0);
  }
  Program(Program const&) = delete;
  Program& operator=(Program const&) = delete;
  ~Program() {
    if (process_ < 0 || wait_status_) return;
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }

  std::string out() const { return folder_ / "out"; }  ///< file with what it has written so far
  std::string err() const { return folder_ / "err"; }
  bool running() {
    int status = 0;
    if (!wait_status_ && ::waitpid(process_, &status, WNOHANG) == process_) wait_status_ = status;
    return !wait_status_;
  }
  void signal(int number) {
    if (running()) ::kill(process_, number);
  }
  void interrupt() { signal(SIGINT); }
  Ended wait() {
    REQUIRE(eventually([&] { return !running(); }));
    Ended ended{.out = read_text_file(out()), .err = read_text_file(err())};
    if (WIFEXITED(*wait_status_)) ended.status = WEXITSTATUS(*wait_status_);
    if (WIFSIGNALED(*wait_status_)) ended.signal = WTERMSIG(*wait_status_);
    return ended;
  }

 private:
  TemporaryFolder folder_;
  pid_t process_ = -1;
  std::optional<int> wait_status_;
};

/// Options by name, so that a test may change some; an empty value stands for a flag without one.
using Options = std::map<std::string, std::string>;
inline std::vector<std::string> arguments(Options const& options) {
  std::vector<std::string> all;
  for (auto const& [name, value] : options) {
    all.push_back(name);
    if (!value.empty()) all.push_back(value);
  }
  return all;
}
inline Options with(Options options, Options const& changes) {
  for (auto const& [name, value] : changes) options[name] = value;
  return options;
}
inline Options without(Options options, std::string const& name) {
  options.erase(name);
  return options;
}

inline Ended run(std::string const& name, Options const& options) { return Program(name, arguments(options)).wait(); }

/// Files below a folder whose names tell that a write was not finished.
inline Lines unfinished_files(std::string const& folder) {
  Lines found;
  for (auto const& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (has(entry.path().filename().string(), ".tmp")) found.push_back(entry.path().string());
  }
  return found;
}

}  // namespace gt::test
