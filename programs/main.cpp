// SPDX-License-Identifier: MIT
// gt: one program, whose first argument says what it does.
//
// Beside its commands, for scripts such as ./run: `gt needs COMMAND ARGUMENTS...` prints what must be fetched before
// that can run, a word a line, and nothing where the arguments are wrong: the command itself says why.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <gt/base/version.hpp>
#include <iostream>
#include <iterator>
#include <string_view>

#include "commands.hpp"
#include "support/out_of_memory.hpp"
#include "support/shell_quoted.hpp"

namespace program::starting {
namespace {

Command const* find(std::string_view name) {
  auto const found = std::find_if(std::begin(commands), std::end(commands), [&](auto& c) { return c.name == name; });
  return found == std::end(commands) ? nullptr : found;
}

int help() {
  std::printf("gt %s: grow small Transformers.  %s COMMAND [ARGUMENTS]\n\n", gt::version, self.c_str());
  for (Command const& c : commands) std::printf("  %-12s %s\n", c.name.data(), c.about.data());
  std::printf("\nWhat a command takes: %s COMMAND --help\n", self.c_str());
  return EXIT_SUCCESS;
}

int needs(int argc, char** argv) {
  Command const* const command = argc > 0 ? find(argv[0]) : nullptr;
  if (!command || !command->needs) return EXIT_SUCCESS;
  for (auto const need : command->needs(argc, argv)) std::printf("%s\n", need.data());
  return EXIT_SUCCESS;
}

// The exit status of what ended with `status`: a success only if all that it said was taken.
int ended(std::string_view name, int status) {
  std::cout.flush();  // CLI11's help
  if ((std::fflush(stdout) == 0 && std::ferror(stdout) == 0 && std::cout.good()) || status != EXIT_SUCCESS)
    return status;
  std::fprintf(stderr, "gt: %.*s: the output must take all of the results (a full disk?)\n",
               static_cast<int>(name.size()), name.data());
  return EXIT_FAILURE;
}

}  // namespace
}  // namespace program::starting

int main(int argc, char** argv) {
  using namespace program;
  end_where_memory_is_short();
  if (char const* const typed = std::getenv("GT_RUN_AS")) {
    self = shell_quoted(typed);
  } else if (argc > 0) {
    self = shell_quoted(argv[0]);
  }
  std::string_view const name = argc > 1 ? argv[1] : "help";
  if (name == "needs") return starting::ended("needs", starting::needs(argc - 2, argv + 2));
  if (name == "--version" || name == "-V") return starting::ended("version", std::printf("gt %s\n", gt::version) < 0);
  bool const asks = name == "help" || name == "--help" || name == "-h";
  if (asks && argc <= 2) return starting::ended("help", starting::help());
  auto const asked = std::string_view(asks ? argv[2] : argv[1]);  // gt help grow: gt grow --help
  Command const* const command = starting::find(asked);
  if (!command) {
    std::fprintf(stderr, "gt: there is no command '%s'; %s help lists them.\n", asked.data(), self.c_str());
    return 2;
  }
  if (!asks) return starting::ended(command->name, command->run(argc - 1, argv + 1));
  char option[] = "--help";
  char* help[] = {argv[2], option, nullptr};
  return starting::ended(command->name, command->run(2, help));
}
