// SPDX-License-Identifier: MIT
// What gt/io/window_store.hpp declares.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/core/buffer.hpp"
#include "gt/io/checksum.hpp"
#include "gt/io/file_descriptor.hpp"
#include "gt/io/file_lock.hpp"
#include "gt/io/window_store.hpp"

namespace gt::inline GT_ABI {

namespace detail {

GT_FN Mapping::Mapping(std::size_t size, int file) : size_{size} {
  if (size == 0) return;
  int const flags = file < 0 ? MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE : MAP_SHARED;
  void* const start = ::mmap(nullptr, size, file < 0 ? PROT_READ | PROT_WRITE : PROT_READ, flags, file, 0);
  int const error = errno;
  check(start != MAP_FAILED, "PrefixCache", "there must be room for ", size, " bytes (got: ", errno_text(error),
        "); take a smaller budget");
  start_ = static_cast<std::byte*>(start);
}

GT_FN Mapping& Mapping::operator=(Mapping&& other) noexcept {
  std::swap(start_, other.start_), std::swap(size_, other.size_);
  return *this;
}

GT_FN Mapping::~Mapping() {
  if (start_ != nullptr) ::munmap(start_, size_);
}

GT_FN void Mapping::expect(std::int64_t offset, std::int64_t size) const {
  static std::int64_t const page = ::sysconf(_SC_PAGESIZE);
  std::int64_t const begin = offset / page * page;
  ::madvise(at(begin), static_cast<std::size_t>(offset + size - begin), MADV_WILLNEED);
}

GT_FN WindowStore::WindowStore(std::int64_t tokens, std::int64_t state_bytes, std::uint64_t kind, std::int64_t bytes,
                               std::int64_t most, std::string const& path)
    : tokens_{tokens},
      state_bytes_{state_bytes},
      entry_bytes_{lines(16) + lines(4 * tokens) + lines(state_bytes)},
      path_{path} {
  std::int64_t const greatest = std::numeric_limits<std::int32_t>::max() / 2;
  capacity_ = std::clamp<std::int64_t>((bytes - head_bytes()) / entry_bytes_, 0, std::min(most, greatest));
  entries_.resize(static_cast<std::size_t>(capacity_));
  index_.assign(std::bit_ceil(static_cast<std::size_t>(2 * capacity_ + 1)), none);
  std::int64_t const before = path_.empty() ? 0 : open(kind);
  memory_ = Mapping(static_cast<std::size_t>(head_bytes() + capacity_ * entry_bytes_), file_.get());
  find_entries(std::min(before, capacity_));
}

GT_FN void WindowStore::check_file(std::string const& path) {
  bool const is_new = ::access(path.c_str(), F_OK) != 0;
  open_file(path);
  if (is_new) ::unlink(path.c_str());
}

GT_FN std::int32_t WindowStore::find(std::span<std::int32_t const> ids) const {
  std::int32_t const entry = index_[place(ids)];
  return entry != none && entries_[at(entry)].fingerprint != 0 ? entry : none;
}

GT_FN void WindowStore::expect(std::int32_t entry) const {
  if (!path_.empty()) memory_.expect(offset(entry), entry_bytes_);
}

GT_FN bool WindowStore::is_whole(std::int32_t entry) {
  Entry& e = entries_[at(entry)];
  if (!e.checked && checksum(memory_.at(offset(entry))) != word(memory_.at(offset(entry)), 1)) {
    e.fingerprint = 0;
    notice_ = text("the prefix cache '", path_, "' is damaged in parts, which are computed anew");
    return false;
  }
  return e.checked = true;
}

GT_FN std::byte* WindowStore::open_entry(std::span<std::int32_t const> ids) {
  std::size_t const where = place(ids);
  if (index_[where] == none) {
    if (is_full()) return nullptr;
    open_ = unused_.empty() ? next_++ : unused_.back();
    if (!unused_.empty()) unused_.pop_back();
    index_[where] = open_;
  } else if (stopped_) {
    return nullptr;
  } else {
    open_ = index_[where];
  }
  entries_[at(open_)] = {};
  std::byte* const begin = path_.empty() ? memory_.at(offset(open_)) : draft_.data();
  std::memcpy(begin + lines(16), ids.data(), ids.size_bytes());
  return begin + states_at();
}

GT_FN bool WindowStore::close_entry(std::uint64_t fingerprint) {
  if (!path_.empty()) {
    std::memcpy(draft_.data(), &fingerprint, 8);
    std::uint64_t const sum = checksum(draft_.data());
    std::memcpy(draft_.data() + 8, &sum, 8);
    if (int const error = write(draft_.span(), offset(open_)); error != 0) {
      stopped_ = true;
      notice_ = text("the prefix cache '", path_, "' takes no more windows (got: ", errno_text(error),
                     "); those without a place in it are computed each time");
      return false;
    }
  }
  entries_[at(open_)] = {.fingerprint = fingerprint, .checked = true};
  return true;
}

GT_FN void WindowStore::clear() {
  std::fill(entries_.begin(), entries_.end(), Entry{});
  std::fill(index_.begin(), index_.end(), none);
  unused_.clear();
  next_ = 0;
}

GT_FN void WindowStore::tell_rebuilt() {
  if (!path_.empty()) notice_ = text("the prefix cache '", path_, "' was of another prefix; it is filled anew");
}

GT_FN std::uint64_t WindowStore::word(std::byte const* bytes, int i) {
  std::uint64_t w = 0;
  std::memcpy(&w, bytes + 8 * i, 8);
  return w;
}

GT_FN std::uint64_t WindowStore::checksum(std::byte const* entry) const {
  io::Xxh3 sum;
  sum.update({entry, 8});
  sum.update({entry + lines(16), static_cast<std::size_t>(4 * tokens_)});
  sum.update({entry + states_at(), static_cast<std::size_t>(state_bytes_)});
  return sum.value();
}

GT_FN std::int32_t const* WindowStore::ids_of(std::int32_t entry) const {
  return reinterpret_cast<std::int32_t const*>(memory_.at(offset(entry)) + lines(16));
}

GT_FN std::size_t WindowStore::place(std::span<std::int32_t const> ids) const {
  std::size_t const mask = index_.size() - 1;
  std::size_t where = static_cast<std::size_t>(io::Xxh3{}.update(std::as_bytes(ids)).value()) & mask;
  while (index_[where] != none && !std::equal(ids.begin(), ids.end(), ids_of(index_[where])))
    where = (where + 1) & mask;
  return where;
}

GT_FN WindowStore::Opened WindowStore::open_file(std::string const& path) {
  constexpr auto where = "PrefixCache";
  Opened opened{FileDescriptor{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666)}};
  if (int const error = errno; !opened.file.is_open())
    fail(where, "'", path, "' must be a writable file (got: ", errno_text(error), ")");
  int const file = opened.file.get();
  int const locked = io::detail::take_lock(file);
  check(locked != EWOULDBLOCK, where, "'", path, "' must not be in use by another run");
  // Without a lock another run could change, or cut off, what this one reads.
  check(locked == 0, where, "'", path, "' must be on a file system with locks (got: ", errno_text(locked),
        "); choose another place, or keep the cache in memory");
  struct stat status {};
  check(::fstat(file, &status) == 0 && S_ISREG(status.st_mode), where, "'", path,
        "' must be a regular file or not exist (got a folder, a pipe or a device)");
  opened.size = status.st_size;
  auto const read = ::pread(file, &opened.head, sizeof opened.head, 0);
  bool const is_ours = read >= 16 && std::string_view(opened.head.magic.data(), 16) == magic;
  check(opened.size == 0 || is_ours, where, "'", path,
        "' must be a prefix cache or not exist (got another file, which is left as it is)");
  return opened;
}

GT_FN std::int64_t WindowStore::open(std::uint64_t kind) {
  Opened opened = open_file(path_);
  file_ = std::move(opened.file);
  draft_ = Buffer<std::byte>(entry_bytes_);

  FileHead wanted{.magic = {}, .kind = kind, .entry_bytes = static_cast<std::uint64_t>(entry_bytes_)};
  std::copy(magic.begin(), magic.end(), wanted.magic.begin());
  wanted.checksum =
      io::Xxh3{}.update({reinterpret_cast<std::byte const*>(&wanted), offsetof(FileHead, checksum)}).value();
  int error = 0;
  bool const same = std::memcmp(&opened.head, &wanted, sizeof wanted) == 0;
  if (!same) {
    if (opened.size > 0) tell_rebuilt();
    if (::ftruncate(file_.get(), 0) != 0) error = errno;
    if (error == 0) error = write(std::as_bytes(std::span(&wanted, 1)), 0);
  }
  // A file with holes: no part of the mapping lies behind its end, and what nobody wrote takes no room.
  if (error == 0 && ::ftruncate(file_.get(), head_bytes() + capacity_ * entry_bytes_) != 0) error = errno;
  check(error == 0, "PrefixCache", "'", path_, "' must take ", head_bytes() + capacity_ * entry_bytes_,
        " bytes (got: ", errno_text(error), "); take a smaller budget or another disk");
  return same ? std::max<std::int64_t>(0, opened.size - head_bytes()) / entry_bytes_ : 0;
}

GT_FN void WindowStore::find_entries(std::int64_t count) {
  next_ = static_cast<std::int32_t>(count);
  for (std::int32_t e = 0; e < next_; ++e) {
    std::uint64_t const fingerprint = word(memory_.at(offset(e)), 0);
    std::size_t const where = fingerprint == 0 ? 0 : place({ids_of(e), static_cast<std::size_t>(tokens_)});
    if (fingerprint == 0 || index_[where] != none) {
      unused_.push_back(e);
    } else {
      index_[where] = e, entries_[at(e)].fingerprint = fingerprint;
    }
  }
  std::reverse(unused_.begin(), unused_.end());  // taken from the back: the first ones first
}

GT_FN int WindowStore::write(std::span<std::byte const> bytes, std::int64_t offset) const {
  while (!bytes.empty()) {
    auto const count = ::pwrite(file_.get(), bytes.data(), bytes.size(), offset);
    if (count < 0 && errno != EINTR) return errno;
    if (count < 0) continue;
    bytes = bytes.subspan(static_cast<std::size_t>(count)), offset += count;
  }
  return 0;
}

}  // namespace detail

}  // namespace gt
