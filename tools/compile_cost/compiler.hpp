// SPDX-License-Identifier: MIT
// Runs a compiler on a text and measures what that takes.
#pragma once

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "budgets.hpp"
#include "gt/base/error.hpp"

extern char** environ;  // POSIX leaves its declaration to the program

namespace gt::compile_cost {

/// A compiler and its flags. It reads a translation unit from a pipe and its output is thrown away, so no file is made.
class Compiler {
 public:
  explicit Compiler(std::vector<std::string> command) : command_{std::move(command)} {
    for (char const* argument : {"-x", "c++", "-S", "-o", "/dev/null", "-"}) command_.emplace_back(argument);
  }

  /// Compiles `source` once and adds what it took to `runs`. Errors: it cannot be started; `source` does not compile.
  void run(std::string const& source, std::string const& name, Runs& runs) const {
    int ends[2];
    check(pipe2(ends, O_CLOEXEC) == 0, "compile-cost", "a pipe must open (", std::strerror(errno), ")");
    // The texts are far shorter than a pipe is deep: one write takes all, before anybody reads.
    bool const whole = write(ends[1], source.data(), source.size()) == static_cast<ssize_t>(source.size());
    close(ends[1]);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
    std::vector<char*> arguments;
    for (std::string const& argument : command_) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    pid_t child = 0;
    int const error = posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[0]);
    check(whole && error == 0, "compile-cost", "the compiler '", command_[0], "' must start (", std::strerror(error),
          ")");

    // wait4 tells of a child and of all that it has waited for: of the driver and of the compiler proper.
    int status = 0;
    rusage used{};
    while (wait4(child, &status, 0, &used) < 0) check(errno == EINTR, "compile-cost", "the compiler was lost");
    check(WIFEXITED(status) && WEXITSTATUS(status) == 0, "compile-cost", name,
          " must compile; what the compiler said stands above");
    runs.add(seconds(used.ru_utime) + seconds(used.ru_stime), static_cast<double>(used.ru_maxrss) / 1024);
  }

 private:
  static double seconds(timeval const& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  }

  std::vector<std::string> command_;
};

}  // namespace gt::compile_cost
