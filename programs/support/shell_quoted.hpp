// SPDX-License-Identifier: MIT
// Words of commands that are printed, so that they can be pasted.
#pragma once

#include <algorithm>
#include <gt/text/utf8.hpp>
#include <string>
#include <string_view>

namespace program {

/// A word as a POSIX shell reads it back to the same bytes; where these are not UTF-8 text on one line, in $'...',
/// which shells such as bash and zsh read.
inline std::string shell_quoted(std::string_view word) {
  if (!word.empty() &&
      word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+:-") == word.npos)
    return std::string(word);
  auto const is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 127; };
  if (gt::utf8::is_valid(word) && std::none_of(word.begin(), word.end(), is_control)) {
    std::string quoted = "'";
    for (char const c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return quoted + "'";
  }
  std::string quoted = "$'";
  for (char const c : word) {
    auto const byte = static_cast<unsigned char>(c);
    if (c == '\'' || c == '\\') {
      quoted += '\\', quoted += c;
    } else if (byte < ' ' || byte > 126) {
      for (char const digit : {'\\', static_cast<char>('0' + byte / 64), static_cast<char>('0' + byte / 8 % 8),
                               static_cast<char>('0' + byte % 8)})
        quoted += digit;
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

}  // namespace program
