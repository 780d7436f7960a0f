// SPDX-License-Identifier: MIT
// Files that map, files that are written whole or not at all, and the lock of a folder.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gt/io/atomic_file.hpp"
#include "gt/io/file_lock.hpp"
#include "gt/io/folder.hpp"
#include "gt/io/mapped_file.hpp"
#include "gt/io/staging.hpp"
#include "gt/io/text_file.hpp"
#include "support.hpp"

namespace files_test {

using gt::test::error_of, gt::test::FileSizeLimit, gt::test::has, gt::test::put, gt::test::TemporaryFolder;

namespace {

std::string contents(gt::io::MappedFile const& file) {
  return {reinterpret_cast<char const*>(file.bytes().data()), file.bytes().size()};
}

}  // namespace

TEST_CASE("MappedFile: the bytes of a file, empty ones too; moves; outlives a replacement") {
  TemporaryFolder const folder;
  auto const path = folder / "data";
  put(path, "one");
  put(folder / "empty", "");
  CHECK(gt::io::MappedFile(folder / "empty").bytes().empty());

  gt::io::MappedFile file(path);
  CHECK(contents(file) == "one");
  gt::io::write_file_atomically(path, "another");
  CHECK(contents(file) == "one");

  auto moved = std::move(file);
  CHECK(contents(moved) == "one");
  moved = gt::io::MappedFile(path);
  CHECK(contents(moved) == "another");
}

TEST_CASE("MappedFile and read_text_file: what cannot be read is one clear error") {
  TemporaryFolder const folder;
  auto const missing = folder / "missing";
  CHECK(error_of([&] { gt::io::MappedFile file(missing); }) ==
        "gt: MappedFile: '" + missing + "' must be a readable file (got: No such file or directory)");
  CHECK(error_of([&] { gt::read_text_file(missing); }) ==
        "gt: read_text_file: '" + missing + "' must be a readable file (got: No such file or directory)");
  CHECK(has(error_of([&] { gt::io::MappedFile file(folder.path()); }), "(got: Is a directory)"));
  CHECK(has(error_of([&] { gt::read_text_file(folder.path()); }), "(got: Is a directory)"));
  CHECK(has(error_of([&] { gt::io::MappedFile file("/dev/null"); }), "must be a regular file"));
  put(folder / "file", "");
  CHECK(has(error_of([&] { gt::io::MappedFile file(folder / "file/child"); }), "(got: Not a directory)"));

  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(has(error_of([&] { gt::io::MappedFile file(folder / "pipe"); }), "must be a regular file"));  // does not hang

  if (::geteuid() != 0) {  // root reads everything
    put(folder / "secret", "x");
    REQUIRE(::chmod((folder / "secret").c_str(), 0) == 0);
    CHECK(has(error_of([&] { gt::io::MappedFile file(folder / "secret"); }), "(got: Permission denied)"));
  }
}

TEST_CASE("read_text_file: every byte, more than one read's worth, also where the size is not known") {
  TemporaryFolder const folder;
  std::string bytes(200'000, 'x');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i % 251);
  put(folder / "large", bytes);
  CHECK(gt::read_text_file(folder / "large") == bytes);
  put(folder / "empty", "");
  CHECK(gt::read_text_file(folder / "empty").empty());
  CHECK(!gt::read_text_file("/proc/self/status").empty());  // says that it has 0 bytes
}

TEST_CASE("read_text_file: a file that is larger than was expected is refused before it takes memory") {
  TemporaryFolder const folder;
  put(folder / "large", "x");
  std::filesystem::resize_file(folder / "large", (std::uintmax_t{64} << 20) + 1);  // a hole
  CHECK(error_of([&] { gt::read_text_file(folder / "large"); }) ==
        "gt: read_text_file: '" + folder / "large" + "' must be at most 67108864 bytes (got 67108865)");
  CHECK(gt::read_text_file(folder / "large", gt::any_bytes).size() == (std::size_t{64} << 20) + 1);
  CHECK(error_of([] { gt::read_text_file("/dev/zero", 100'000); }) ==
        "gt: read_text_file: '/dev/zero' must be at most 100000 bytes (got at least 131072)");
  put(folder / "small", "four");
  CHECK(gt::read_text_file(folder / "small", 4) == "four");
  CHECK(has(error_of([&] { gt::read_text_file(folder / "small", 3); }), "must be at most 3 bytes (got 4)"));
}

TEST_CASE("AtomicFile: the old file stays until commit, and nothing else is left behind") {
  TemporaryFolder const folder;
  auto const path = folder / "file";
  gt::io::write_file_atomically(path, "old");
  CHECK(gt::read_text_file(path) == "old");
  {
    gt::io::AtomicFile file(path);
    file.write("new, but ");
    file.write("unfinished");
    CHECK(gt::read_text_file(path) == "old");
    CHECK(folder.entries() == 2);
  }
  CHECK(gt::read_text_file(path) == "old");
  CHECK(folder.entries() == 1);

  REQUIRE(::chmod(path.c_str(), 0640) == 0);
  gt::io::AtomicFile file(path);
  file.write("new, ");
  file.write("finished");
  file.commit();
  CHECK(gt::read_text_file(path) == "new, finished");
  CHECK(folder.entries() == 1);
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0640);
  CHECK(has(error_of([&] { file.write("more"); }), "got a write after commit"));
  CHECK(has(error_of([&] { file.commit(); }), "got a commit after commit"));
}

TEST_CASE("AtomicFile: two at once on one path, the last commit wins") {
  TemporaryFolder const folder;
  gt::io::AtomicFile first(folder / "file"), second(folder / "file");
  first.write("first");
  second.write("second");
  second.commit();
  first.commit();
  CHECK(gt::read_text_file(folder / "file") == "first");
  CHECK(folder.entries() == 1);
}

TEST_CASE("AtomicFile: a path without a folder is in the current one") {
  TemporaryFolder const folder;
  auto const before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  gt::io::write_file_atomically("plain", "text");
  std::filesystem::current_path(before);
  CHECK(gt::read_text_file(folder / "plain") == "text");
}

TEST_CASE("AtomicFile: a full disk is an error, the old file is kept, the temporary is gone") {
  TemporaryFolder const folder;
  auto const path = folder / "file";
  put(path, "old");
  std::string message, after;
  {
    FileSizeLimit const full(1000);
    message = error_of([&] { gt::io::write_file_atomically(path, std::string(5000, 'x')); });
    gt::io::AtomicFile file(path);
    error_of([&] { file.write(std::string(5000, 'x')); });
    after = error_of([&] { file.commit(); });
  }
  CHECK(message ==
        "gt: AtomicFile: '" + path + "' must be written completely (got: File too large); nothing was changed");
  CHECK(has(after, "got a commit after commit or after an error"));
  CHECK(gt::read_text_file(path) == "old");
  CHECK(folder.entries() == 1);
}

TEST_CASE("AtomicFile: the same on a disk that is really full, and then less fits") {
  TemporaryFolder const mount;
  auto const said = gt::test::on_small_disk(mount.path(), 65536, [](std::string const& disk) {
    auto const path = disk + "/file", old = std::string(30'000, 'o');
    gt::io::write_file_atomically(path, old);
    auto const first = error_of([&] { gt::io::write_file_atomically(path, std::string(60'000, 'x')); });
    bool const kept = gt::read_text_file(path) == old;
    auto const left = std::distance(std::filesystem::directory_iterator{disk}, std::filesystem::directory_iterator{});
    gt::io::write_file_atomically(path, "less fits");
    return gt::text(first, kept ? " kept " : " lost ", left, " ", gt::read_text_file(path));
  });
  if (said == "skipped") {
    MESSAGE("skipped: no disk can be mounted here");
    return;
  }
  CHECK(said ==
        "gt: AtomicFile: '" + (mount / "file") +
            "' must be written completely (got: No space left on device); nothing was changed kept 1 less fits");
}

TEST_CASE("AtomicFile: folders that cannot be written, and paths that are no file") {
  TemporaryFolder const folder;
  put(folder / "file", "kept");
  auto const write_to = [](std::string const& path) {
    return error_of([&] { gt::io::write_file_atomically(path, "x"); });
  };
  CHECK(has(write_to(folder / "missing/file"), "must be in a writable folder (got: No such file or directory)"));
  CHECK(has(write_to(folder / "file/child"), "must be in a writable folder (got: Not a directory)"));
  CHECK(has(write_to("/proc/gt-test"), "gt: AtomicFile: '/proc/gt-test' must be in a writable folder (got: "));
  CHECK(has(write_to(folder.path()), "must be a regular file or not exist"));
  CHECK(has(write_to("/dev/null"), "must be a regular file or not exist"));  // root could replace it
  CHECK(has(write_to(""), "must name a file"));
  CHECK(has(write_to(folder / "new/"), "must name a file"));
  CHECK(gt::read_text_file(folder / "file") == "kept");
  CHECK(folder.entries() == 1);
}

TEST_CASE("FileLock: one at a time; free again at the end of its life; the message names folder and process") {
  TemporaryFolder const folder;
  auto const lock = [&] { gt::io::FileLock second(folder.path()); };
  {
    gt::io::FileLock first(folder.path());
    auto const moved = std::move(first);
    CHECK(error_of(lock) == gt::text("gt: FileLock: folder '", folder.path(),
                                     "' must not be in use (got: locked by process ", ::getpid(),
                                     "); wait for it to end, or choose another folder"));
  }
  CHECK(error_of(lock) == "no error");

  gt::io::FileLock const ours(folder.path());
  auto const child = ::fork();
  if (child == 0) ::_exit(has(error_of(lock), gt::text("locked by process ", ::getppid())) ? 0 : 1);
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(has(error_of([&] { gt::io::FileLock none(folder / "missing"); }),
            "must exist and be writable (got: No such file"));
}

TEST_CASE("FileLock: without locks it goes on and says so; only EWOULDBLOCK means in use, all else is an error") {
  TemporaryFolder const folder;
  auto const told = [&](int error) {
    return gt::test::where_flock_fails(error, [&]() -> std::string {
      try {
        gt::io::FileLock lock(folder.path());
        auto const moved = std::move(lock);
        return moved.notice();
      } catch (gt::io::FolderInUse const& in_use) {
        return gt::text("in use: ", in_use.what());
      }
    });
  };
  if (told(ENOLCK) == "skipped") return;
  for (int const error : {ENOLCK, ENOSYS, EINVAL, ENOTSUP})
    CHECK(told(error) == gt::text("folder '", folder.path(), "' lies on a file system without locks (",
                                  gt::detail::errno_text(error),
                                  "); nothing keeps a second program from working in it"));
  CHECK(has(told(EWOULDBLOCK), "in use: gt: FileLock: folder '"));
  CHECK(told(EIO) == "gt: FileLock: folder '" + folder.path() + "' must allow locks (got: Input/output error)");
  CHECK(told(EACCES) == "gt: FileLock: folder '" + folder.path() + "' must allow locks (got: Permission denied)");
  gt::io::FileLock const held(folder.path());
  CHECK(held.notice().empty());
}

TEST_CASE("remove_unfinished: the temporaries of AtomicFile that a killed process left, and nothing else") {
  TemporaryFolder const folder;
  auto const path = folder / "data.json";
  auto const child = ::fork();
  if (child == 0) {  // killed while it writes
    gt::io::AtomicFile file(path);
    file.write("half");
    ::_exit(0);
  }
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  REQUIRE(folder.entries() == 1);
  auto const all = [](std::string_view) { return true; };
  auto const data = [](std::string_view name) { return name == "data.json"; };
  CHECK(gt::io::remove_unfinished(folder.path(), [](std::string_view name) { return name == "data"; }) == 0);
  CHECK(gt::io::remove_unfinished(folder.path(), data) == 1);
  CHECK(folder.entries() == 0);

  for (char const* other : {"data.json", ".data.json.tmp", ".data.json.12.tmp", ".data.json.12.x.tmp", "a.12.3.tmp",
                            ".data.json..3.tmp", ".data.json.12.3.tmp2", ".12.3.tmp", ".tmp"})
    put(folder / other, "mine");
  std::filesystem::create_directory(folder / ".data.json.7.0.tmp");
  std::filesystem::create_symlink(path, folder / ".data.json.8.0.tmp");
  CHECK(gt::io::remove_unfinished(folder.path(), all) == 0);
  CHECK(folder.entries() == 11);
  put(folder / ".data.json.12.3.tmp", "left");
  put(folder / ".a.b.1.0.tmp", "left");
  CHECK(gt::io::remove_unfinished(folder.path(), data) == 1);
  CHECK(gt::io::remove_unfinished(folder.path(), all) == 1);
  CHECK(gt::read_text_file(path) == "mine");
  CHECK(gt::io::remove_unfinished(folder / "none", all) == 0);
}

TEST_CASE("folder_entries: all names in a folder, and none where there is none; make_folder makes what is missing") {
  TemporaryFolder const folder;
  gt::io::make_folder(folder / "a/b/c");
  gt::io::make_folder(folder / "a/b/c");
  put(folder / "a/b/.hidden", "");
  put(folder / "a/b/file", "");
  std::filesystem::create_symlink("nowhere", folder / "a/b/link");
  auto names = gt::io::folder_entries(folder / "a/b");
  std::sort(names.begin(), names.end());
  CHECK(names == std::vector<std::string>{".hidden", "c", "file", "link"});
  CHECK(gt::io::folder_entries(folder / "a/b/c").empty());
  CHECK(gt::io::folder_entries(folder / "none").empty());
  CHECK(gt::io::folder_entries(folder / "a/b/file").empty());
  for (auto const& name : gt::io::folder_entries(folder / "a/b")) std::filesystem::remove_all(folder / ("a/b/" + name));
  CHECK(gt::io::folder_entries(folder / "a/b").empty());
  put(folder / "file", "");
  CHECK(error_of([&] { gt::io::make_folder(folder / "file"); }) ==
        "gt: make_folder: '" + folder / "file" + "' must be a folder");
}

TEST_CASE("Staging: the files appear together, and with them goes what is outdated") {
  TemporaryFolder const folder;
  for (char const* name : {"old-1", "old-2", "mine"}) put(folder / name, "before");
  {
    gt::io::Staging staging(folder.path());
    put(staging.file("old-1"), "now");
    staging.commit([](std::string_view name) { return name.starts_with("old-"); });
  }
  CHECK(gt::read_text_file(folder / "old-1") == "now");
  CHECK(gt::read_text_file(folder / "mine") == "before");
  CHECK(folder.entries() == 2);
}

}  // namespace files_test
