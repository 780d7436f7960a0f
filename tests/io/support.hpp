// SPDX-License-Identifier: MIT
// What the tests of io share: a folder that removes itself, a full disk, and the text of an error.
#pragma once

#include <doctest/doctest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
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

/// What `action()` returns in a child process, or the text of what it throws: less than 4000 bytes.
template <class Action>
std::string said_by_child(Action const& action) {
  int pipe[2];
  REQUIRE(::pipe(pipe) == 0);
  auto const child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    auto const tell = [&](std::string_view said) {
      [[maybe_unused]] auto const written = ::write(pipe[1], said.data(), said.size());
      ::_exit(0);
    };
    try {
      tell(action());
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

/// What `action(folder)` returns in a child process, where `folder` is an empty disk of `bytes`, in memory; "skipped"
/// where a process may not mount one.
template <class Action>
std::string on_small_disk(std::string const& folder, std::size_t bytes, Action const& action) {
  return said_by_child([&]() -> std::string {
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
    return mounted ? action(folder) : "skipped";
  });
}

/// What `action()` returns in a child process in which, and in whose own children, every flock fails with `error`, as
/// on a file system without locks; "skipped" where a process may not filter its calls.
template <class Action>
std::string where_flock_fails(int error, Action const& action) {
  return said_by_child([&]() -> std::string {
    auto const answer = static_cast<std::uint32_t>(SECCOMP_RET_ERRNO) | static_cast<std::uint32_t>(error);
    sock_filter rules[] = {{BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
                           {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_flock},
                           {BPF_RET | BPF_K, 0, 0, answer},
                           {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}};
    sock_fprog const filter{.len = 4, .filter = rules};
    bool const set =
        ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
    return set ? action() : "skipped";
  });
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
