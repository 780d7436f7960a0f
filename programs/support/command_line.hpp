// SPDX-License-Identifier: MIT
// Options of the commands that read what must be fetched first: what that is, and where it then lies.
#pragma once

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "../commands.hpp"

namespace program {

/// What must be fetched before the command with the options `Line` can run; nothing where they are wrong.
template <class Line>
Needs needs_of(int argc, char** argv) {
  Line line;
  try {
    line.app.parse(argc, argv);
  } catch (CLI::Error const&) {  // of which --help is one
    return {};
  }
  return line.needs();
}

/// Lets an option of a seed be what a seed is, and not another one modulo 2^64.
inline CLI::Option* takes_seed(CLI::Option* option) {
  return option->check([](std::string const& given) {
    std::uint64_t seed = 0;
    auto const [end, error] = std::from_chars(given.data(), given.data() + given.size(), seed);
    bool const whole = error == std::errc{} && end == given.data() + given.size();
    return whole ? std::string{} : "a seed must be a whole number, 0 ... 18446744073709551615 (got '" + given + "')";
  });
}

/// Where something lies that was fetched, as `variable` says.
inline std::optional<std::string> fetched(char const* variable) {
  char const* const path = std::getenv(variable);
  return path && *path ? std::optional<std::string>(path) : std::nullopt;
}
/// GNU Unifont: as it was fetched, or where Debian's package puts it.
inline std::string unifont() { return fetched("GT_UNIFONT_HEX").value_or("/usr/share/unifont/unifont.hex"); }
/// NAME=FILE of each text NAME.txt in the folder of languages.
inline std::vector<std::string> fetched_languages() {
  std::vector<std::string> all;
  if (auto const folder = fetched("GT_LANGUAGES"); folder && std::filesystem::is_directory(*folder)) {
    for (auto const& entry : std::filesystem::directory_iterator(*folder)) {
      auto const& file = entry.path();
      if (file.extension() == ".txt") all.push_back(file.stem().string() + "=" + file.string());
    }
  }
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace program
