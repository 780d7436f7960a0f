// SPDX-License-Identifier: MIT
// Memory and processors by the limits of control groups: of both versions, nested, and as a container sees them.
#include "gt/base/machine_limits.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>

#include "io/support.hpp"

namespace machine_limits_test {

using gt::available_memory, gt::processor_quota;
using gt::test::put, gt::test::TemporaryFolder;

namespace {

/// A /proc and a /sys of a machine with a gigabyte left.
struct Machine {
  Machine() { file("/proc/meminfo", "MemTotal: 2000000 kB\nMemFree: 1 kB\nMemAvailable:    1000000 kB\n"); }
  void file(std::string const& path, std::string const& contents) const {
    std::filesystem::create_directories(std::filesystem::path(root() + path).parent_path());
    put(root() + path, contents);
  }
  std::string root() const { return folder.path(); }
  std::int64_t memory() const { return available_memory(root()); }
  double processors() const { return processor_quota(root()); }
  TemporaryFolder folder;
};
constexpr std::int64_t all = 1'024'000'000;

void mount_version_2(Machine const& machine, std::string const& top, std::string const& group) {
  machine.file("/proc/self/mountinfo", "22 1 0:1 / / rw - ext4 /dev/sda rw\n30 22 0:26 " + top +
                                           " /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n");
  machine.file("/proc/self/cgroup", "0::" + group + "\n");
}
void mount_version_1(Machine const& machine, std::string const& top, std::string const& group) {
  machine.file("/proc/self/mountinfo", "31 22 0:27 " + top +
                                           " /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n32 22 0:28 " + top +
                                           " /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n");
  machine.file("/proc/self/cgroup", "9:cpu,cpuacct:" + group + "\n4:memory:" + group + "\n2:name=systemd:/x\n0::/\n");
}

}  // namespace

TEST_CASE("available_memory: without control groups what the system says; without that nothing is known") {
  Machine const machine;
  CHECK(machine.memory() == all);
  CHECK(machine.processors() == HUGE_VAL);
  CHECK(available_memory(machine.root() + "/none") == 0);
}

TEST_CASE("available_memory: the groups of version 2 that it lies in, each with what it holds but for idle files") {
  Machine const machine;
  mount_version_2(machine, "/", "/user.slice/job");
  auto const group = std::string("/sys/fs/cgroup/user.slice/job");
  machine.file(group + "/memory.max", "max\n");
  machine.file(group + "/memory.current", "5000\n");
  CHECK(machine.memory() == all);
  machine.file("/sys/fs/cgroup/user.slice/memory.max", "80000000\n");  // of the group around it
  machine.file("/sys/fs/cgroup/user.slice/memory.current", "30000000\n");
  CHECK(machine.memory() == 50'000'000);
  machine.file("/sys/fs/cgroup/user.slice/memory.stat", "anon 10000000\ninactive_file 20000000\nactive_file 5\n");
  CHECK(machine.memory() == 70'000'000);
  machine.file(group + "/memory.high", "20005000\n");  // beyond it the group is slowed down
  CHECK(machine.memory() == 20'000'000);
  machine.file(group + "/memory.max", "4000\n");
  CHECK(machine.memory() == 0);
}

TEST_CASE("available_memory: groups of version 1, also where a container sees its own as the top") {
  Machine const machine;
  mount_version_1(machine, "/", "/g");
  machine.file("/sys/fs/cgroup/memory/g/memory.limit_in_bytes", "80000000\n");
  machine.file("/sys/fs/cgroup/memory/g/memory.usage_in_bytes", "10000000\n");
  machine.file("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  machine.file("/sys/fs/cgroup/memory/memory.usage_in_bytes", "999\n");
  CHECK(machine.memory() == 70'000'000);
  Machine const container;
  mount_version_1(container, "/docker/0123", "/docker/0123");
  container.file("/sys/fs/cgroup/memory/memory.limit_in_bytes", "60000000\n");
  container.file("/sys/fs/cgroup/memory/memory.usage_in_bytes", "0\n");
  CHECK(container.memory() == 60'000'000);
  mount_version_1(container, "/", "/../elsewhere");  // a path of another namespace
  CHECK(container.memory() == 60'000'000);
}

TEST_CASE("available_memory: ulimit -v and -d") {
  Machine const machine;
  std::string const line = "Max cpu time unlimited unlimited seconds\n";
  machine.file("/proc/self/limits", line +
                                        "Max data size             unlimited            unlimited            bytes\n" +
                                        "Max address space         700000000            unlimited            bytes\n");
  machine.file("/proc/self/status", "VmPeak: 9 kB\nVmSize:	  100000 kB\nVmData: 50000 kB\n");
  CHECK(machine.memory() == 700'000'000 - 102'400'000);
  machine.file("/proc/self/limits",
               line + "Max data size             51200001            unlimited            bytes\n");
  CHECK(machine.memory() == 1);
}

TEST_CASE("processor_quota: the smallest of the groups, of either version") {
  Machine const machine;
  mount_version_2(machine, "/", "/a/b");
  machine.file("/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
  CHECK(machine.processors() == HUGE_VAL);
  machine.file("/sys/fs/cgroup/a/cpu.max", "250000 100000\n");
  CHECK(machine.processors() == 2.5);
  machine.file("/sys/fs/cgroup/a/b/cpu.max", "50000 100000\n");
  CHECK(machine.processors() == 0.5);
  Machine const older;
  mount_version_1(older, "/", "/g");
  older.file("/sys/fs/cgroup/cpu,cpuacct/g/cpu.cfs_quota_us", "-1\n");
  older.file("/sys/fs/cgroup/cpu,cpuacct/g/cpu.cfs_period_us", "100000\n");
  CHECK(older.processors() == HUGE_VAL);
  older.file("/sys/fs/cgroup/cpu,cpuacct/g/cpu.cfs_quota_us", "300000\n");
  CHECK(older.processors() == 3);
}

}  // namespace machine_limits_test
