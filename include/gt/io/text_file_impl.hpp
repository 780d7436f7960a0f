// SPDX-License-Identifier: MIT
// What gt/io/text_file.hpp declares.
#pragma once

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/io/errno_text.hpp"
#include "gt/io/text_file.hpp"

namespace gt::inline GT_ABI {

GT_FN std::string read_text_file(std::string const& path, std::int64_t most) {
  constexpr auto where = "read_text_file";
  auto const unreadable = [&](int error) {
    fail(where, "'", path, "' must be a readable file (got: ", detail::errno_text(error), ")");
  };
  auto const check_size = [&](std::int64_t size, char const* least) {
    check(size <= most, where, "'", path, "' must be at most ", most, " bytes (got ", least, size, ")");
  };
  struct Close {
    void operator()(std::FILE* open) const { std::fclose(open); }
  };
#if defined(__unix__) || defined(__APPLE__)
  constexpr auto mode = "rbe";  // closed in a program that another thread may start
#else
  constexpr auto mode = "rb";
#endif
  std::unique_ptr<std::FILE, Close> const file(std::fopen(path.c_str(), mode));
  if (!file) unreadable(errno);
  std::setvbuf(file.get(), nullptr, _IONBF, 0);
  std::string contents;
  std::array<char, 65536> chunk;
  for (;;) {
    errno = 0;
    auto const count = std::fread(chunk.data(), 1, chunk.size(), file.get());
    int const error = std::ferror(file.get()) != 0 ? errno : 0;
    if (error != 0 && error != EINTR) unreadable(error);
    if (contents.empty() && count == chunk.size() && std::fseek(file.get(), 0, SEEK_END) == 0) {
      check_size(std::ftell(file.get()), "");
      std::fseek(file.get(), static_cast<long>(count), SEEK_SET);
    }
    std::clearerr(file.get());
    if (count == 0 && error == 0) return contents;
    check_size(static_cast<std::int64_t>(contents.size() + count),
               contents.empty() && count < chunk.size() ? "" : "at least ");
    contents.append(chunk.data(), count);
  }
}

}  // namespace gt
