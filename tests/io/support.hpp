// SPDX-License-Identifier: MIT
// What the tests of io share: a folder that removes itself, a full disk, and the text of an error.
#pragma once

#include <doctest/doctest.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>

#include "gt/base/error.hpp"

namespace gt::test {

/// A fresh folder under the system's temporary folder, removed with its contents.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    auto pattern = (std::filesystem::temp_directory_path() / "gt-test-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  TemporaryFolder(TemporaryFolder const&) = delete;
  TemporaryFolder& operator=(TemporaryFolder const&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  std::string operator/(std::string_view name) const { return path_ + "/" + std::string{name}; }
  std::string const& path() const { return path_; }
  /// Entries of the folder, hidden ones too.
  std::ptrdiff_t entries() const {
    return std::distance(std::filesystem::directory_iterator{path_}, std::filesystem::directory_iterator{});
  }

 private:
  std::string path_;
};

/// Writes a file without the library.
inline void put(std::string const& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  REQUIRE(file.flush());
}

/// While it lives, no file of this process grows beyond `bytes`: a full disk, without one.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_{::signal(SIGXFSZ, SIG_IGN)} {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    auto limited = before_;
    limited.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &limited);
  }
  FileSizeLimit(FileSizeLimit const&) = delete;
  FileSizeLimit& operator=(FileSizeLimit const&) = delete;
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_;
  void (*handler_)(int);
};

/// What `action(folder)` returns in a child process, where `folder` is an empty disk of `bytes`, in memory; "skipped"
/// where a process may not mount one. It must return a text of less than 4000 bytes.
template <class Action>
std::string on_small_disk(std::string const& folder, std::size_t bytes, Action const& action) {
  int pipe[2];
  REQUIRE(::pipe(pipe) == 0);
  auto const child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    auto const tell = [&](std::string_view said) {
      [[maybe_unused]] auto const written = ::write(pipe[1], said.data(), said.size());
      ::_exit(0);
    };
    bool const root = ::geteuid() == 0;
    std::string const size = "size=" + std::to_string(bytes), user = "0 " + std::to_string(::geteuid()) + " 1",
                      group = "0 " + std::to_string(::getegid()) + " 1";
    bool mounted = ::unshare(root ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS) == 0;
    if (mounted && !root) {  // whose files nobody's would be otherwise
      for (auto const& [file, text] : {std::pair{"/proc/self/setgroups", std::string{"deny"}},
                                       std::pair{"/proc/self/uid_map", user}, std::pair{"/proc/self/gid_map", group}})
        std::ofstream(file) << text;
    }
    mounted = mounted && ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
              ::mount("none", folder.c_str(), "tmpfs", 0, size.c_str()) == 0;
    if (!mounted) tell("skipped");
    try {
      tell(action(folder));
    } catch (std::exception const& error) {
      tell(error.what());
    }
  }
  ::close(pipe[1]);
  std::string said(4000, ' ');
  auto const count = ::read(pipe[0], said.data(), said.size());
  ::close(pipe[0]);
  int status = -1;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
  return said.substr(0, static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
}

/// The text of the gt::Error that `action` throws; "no error" without one. Other exceptions pass.
template <class Action>
std::string error_of(Action const& action) {
  try {
    action();
  } catch (Error const& error) {
    return error.what();
  }
  return "no error";
}

/// For CHECK: does a text hold another?
inline bool has(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace gt::test
