// SPDX-License-Identifier: MIT
// What programs write: files that replace no other kind of file, and texts that tell a terminal nothing.
#pragma once

#include <unistd.h>
#include <cstdio>
#include <gt/base/error.hpp>
#include <gt/runs/progress.hpp>
#include <string>
#include <string_view>

namespace program {

/// Throws where `path` is a file of another kind than `command` writes, whose files begin with `start`: it may be the
/// model that is read.
inline void check_replaceable(std::string const& path, std::string_view start, char const* command, char const* kind) {
  std::FILE* const file = ::access(path.c_str(), R_OK) == 0 ? std::fopen(path.c_str(), "rb") : nullptr;
  if (file == nullptr) return;  // what cannot be written is told by who writes
  std::string there(start.size(), '\0');
  there.resize(std::fread(there.data(), 1, there.size(), file));
  std::fclose(file);
  gt::check(there.empty() || there == start, command, "'", path, "' must be ", kind,
            " or not exist (got another file, which is left as it is)");
}

/// Text for a terminal: what would steer it, as a name of a file or a model's answer may, is spelled \x1B. Line ends
/// and tabs stay where it keeps lines.
inline std::string harmless(std::string_view text, bool keeps_lines = false) {
  std::string shown;
  char code[8];
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto const c = static_cast<unsigned char>(text[i]);
    bool const c1 = c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (c1 || ((c < 0x20 || c == 0x7F) && !(keeps_lines && (c == '\n' || c == '\t')))) {
      std::snprintf(code, sizeof code, "\\x%02X", c1 ? static_cast<unsigned char>(text[++i]) : c);
      shown += code;
    } else {
      shown += static_cast<char>(c);
    }
  }
  return shown;
}

/// Prints a piece of a text as it is; on a terminal so that it does not steer it.
inline void print_text(std::string_view piece) {
  static bool const is_terminal = gt::is_terminal(stdout);
  std::string const shown = is_terminal ? harmless(piece, true) : std::string(piece);
  std::fwrite(shown.data(), 1, shown.size(), stdout);
  std::fflush(stdout);
}

}  // namespace program
