// SPDX-License-Identifier: MIT
// Words of a command that is printed: what a shell takes for one word, whatever it holds.
#pragma once

#include <string>
#include <string_view>

namespace program {

/// The word as it is typed into a shell of POSIX: as it is where that needs no quotes, else between single ones.
inline std::string shell_quoted(std::string_view word) {
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+:-";
  if (!word.empty() && word.find_first_not_of(plain) == word.npos) return std::string(word);
  std::string quoted = "'";
  for (char const c : word) c == '\'' ? quoted += "'\\''" : quoted += c;
  return quoted + "'";
}

}  // namespace program
