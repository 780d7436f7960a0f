// SPDX-License-Identifier: MIT
// What a prefix cache keeps its windows in: entries of one size, found by their ids, in memory or in a file.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
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
#include <vector>

#include "gt/base/error.hpp"
#include "gt/core/buffer.hpp"
#include "gt/io/checksum.hpp"
#include "gt/io/file_descriptor.hpp"
#include "gt/io/file_lock.hpp"

namespace gt::inline GT_ABI::detail {

/// Address space for entries: anonymous memory, or a file to read from. Pages take memory when they are first touched.
class Mapping {
 public:
  Mapping() = default;
  /// `file` < 0: anonymous and writable.
  Mapping(std::size_t size, int file) : size_{size} {
    if (size == 0) return;
    int const flags = file < 0 ? MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE : MAP_SHARED;
    void* const start = ::mmap(nullptr, size, file < 0 ? PROT_READ | PROT_WRITE : PROT_READ, flags, file, 0);
    int const error = errno;
    check(start != MAP_FAILED, "PrefixCache", "there must be room for ", size, " bytes (got: ", errno_text(error),
          "); take a smaller budget");
    start_ = static_cast<std::byte*>(start);
  }
  Mapping(Mapping&& other) noexcept : start_{std::exchange(other.start_, nullptr)}, size_{other.size_} {}
  Mapping& operator=(Mapping&& other) noexcept {
    std::swap(start_, other.start_), std::swap(size_, other.size_);
    return *this;
  }
  ~Mapping() {
    if (start_ != nullptr) ::munmap(start_, size_);
  }
  std::byte* at(std::int64_t offset) const { return start_ + offset; }
  /// Has the pages of a range read from the disk, in the background.
  void expect(std::int64_t offset, std::int64_t size) const {
    static std::int64_t const page = ::sysconf(_SC_PAGESIZE);
    std::int64_t const begin = offset / page * page;
    ::madvise(at(begin), static_cast<std::size_t>(offset + size - begin), MADV_WILLNEED);
  }

 private:
  std::byte* start_ = nullptr;
  std::size_t size_ = 0;
};

/// Entries of one size: the ids of a window, bytes that follow from them, and a fingerprint that says by what. The
/// first windows that come stay; when there is no room, more are refused: an order that is drawn anew in each epoch
/// would make any other policy throw out what is needed next.
///
/// A file holds `FileHead` and then the entries, each [fingerprint, checksum, ids, bytes]. It is written with pwrite,
/// so that a full disk is an error and no signal, and read through a mapping. An entry counts only if its checksum is
/// that of its contents, which is looked at when it is first read: what a crash or a power cut left half-written, or a
/// disk damaged, is a window that is not there.
class WindowStore {
 public:
  /// Room for `bytes`, but for no more than `most` windows of `tokens` ids and `state_bytes` bytes. `kind` tells apart
  /// entries that mean different things; an empty `path` stands for memory.   Errors: a file that is no store, that is
  /// in use, or that cannot be opened.
  WindowStore(std::int64_t tokens, std::int64_t state_bytes, std::uint64_t kind, std::int64_t bytes, std::int64_t most,
              std::string const& path)
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
  WindowStore(WindowStore&&) = default;

  /// Errors as of the constructor, of a file that is then left as it was.
  static void check_file(std::string const& path) {
    bool const is_new = ::access(path.c_str(), F_OK) != 0;
    open_file(path);
    if (is_new) ::unlink(path.c_str());
  }

  std::int64_t capacity() const { return capacity_; }        ///< entries that fit
  std::int64_t entry_bytes() const { return entry_bytes_; }  ///< of memory or of the file
  /// Entries whose fingerprint fits.
  template <class F>
  std::int64_t count(F const& fits) const {
    return std::count_if(entries_.begin(), entries_.end(),
                         [&](Entry const& e) { return e.fingerprint != 0 && fits(e.fingerprint); });
  }

  static constexpr std::int32_t none = -1;  ///< no entry
  /// The entry of a window, or `none`; its contents may still turn out to be damaged.
  std::int32_t find(std::span<std::int32_t const> ids) const {
    std::int32_t const entry = index_[place(ids)];
    return entry != none && entries_[at(entry)].fingerprint != 0 ? entry : none;
  }
  std::uint64_t fingerprint(std::int32_t entry) const { return entries_[at(entry)].fingerprint; }
  /// Says that an entry will be read.
  void expect(std::int32_t entry) const {
    if (!path_.empty()) memory_.expect(offset(entry), entry_bytes_);
  }
  /// Whether the entry is whole; one that is not is dropped.
  bool is_whole(std::int32_t entry) {
    Entry& e = entries_[at(entry)];
    if (!e.checked && checksum(memory_.at(offset(entry))) != word(memory_.at(offset(entry)), 1)) {
      e.fingerprint = 0;
      notice_ = text("the prefix cache '", path_, "' is damaged in parts, which are computed anew");
      return false;
    }
    return e.checked = true;
  }
  /// The bytes of an entry that is whole.
  std::byte const* states(std::int32_t entry) const { return memory_.at(offset(entry)) + states_at(); }

  /// Where the bytes of a window are to be written, in place of older ones; null when there is no room. `close` ends
  /// it.
  std::byte* open_entry(std::span<std::int32_t const> ids) {
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
  /// Keeps what was written under `fingerprint`, which is not 0; false when the disk does not take it. It is asked no
  /// more then: what it
  /// holds is still read.
  bool close_entry(std::uint64_t fingerprint) {
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
  /// Forgets all entries.
  void clear() {
    std::fill(entries_.begin(), entries_.end(), Entry{});
    std::fill(index_.begin(), index_.end(), none);
    unused_.clear();
    next_ = 0;
  }
  /// Whether a file held something that is of no use now, and `clear` is called for it.
  void tell_rebuilt() {
    if (!path_.empty()) notice_ = text("the prefix cache '", path_, "' was of another prefix; it is filled anew");
  }
  /// A sentence that the user should read, once; else empty.
  std::string take_notice() { return std::exchange(notice_, {}); }

 private:
  struct Entry {
    std::uint64_t fingerprint = 0;  // 0: nothing is there
    bool checked = false;
  };
  struct FileHead {
    std::array<char, 16> magic;
    std::uint64_t kind = 0, entry_bytes = 0, checksum = 0;
  };
  static constexpr std::string_view magic = "gt prefix cache\n";

  static constexpr std::int64_t lines(std::int64_t bytes) { return (bytes + 63) / 64 * 64; }  // whole cache lines
  static constexpr std::size_t at(std::int32_t entry) { return static_cast<std::size_t>(entry); }
  std::int64_t head_bytes() const { return path_.empty() ? 0 : 4096; }
  std::int64_t states_at() const { return lines(16) + lines(4 * tokens_); }
  std::int64_t offset(std::int32_t entry) const { return head_bytes() + entry * entry_bytes_; }
  bool is_full() const { return stopped_ || (unused_.empty() && next_ == capacity_); }

  static std::uint64_t word(std::byte const* bytes, int i) {
    std::uint64_t w = 0;
    std::memcpy(&w, bytes + 8 * i, 8);
    return w;
  }
  std::uint64_t checksum(std::byte const* entry) const {
    Xxh3 sum;
    sum.update({entry, 8});
    sum.update({entry + lines(16), static_cast<std::size_t>(4 * tokens_)});
    sum.update({entry + states_at(), static_cast<std::size_t>(state_bytes_)});
    return sum.value();
  }
  std::int32_t const* ids_of(std::int32_t entry) const {
    return reinterpret_cast<std::int32_t const*>(memory_.at(offset(entry)) + lines(16));
  }
  // Where the index has, or would have, the entry of a window.
  std::size_t place(std::span<std::int32_t const> ids) const {
    std::size_t const mask = index_.size() - 1;
    std::size_t where = static_cast<std::size_t>(Xxh3{}.update(std::as_bytes(ids)).value()) & mask;
    while (index_[where] != none && !std::equal(ids.begin(), ids.end(), ids_of(index_[where])))
      where = (where + 1) & mask;
    return where;
  }

  // A file that is a store or empty, with its head and its size, for us alone.
  struct Opened {
    FileDescriptor file;
    FileHead head{};
    std::int64_t size = 0;
  };
  static Opened open_file(std::string const& path) {
    constexpr auto where = "PrefixCache";
    Opened opened{FileDescriptor{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666)}};
    if (int const error = errno; !opened.file.is_open())
      fail(where, "'", path, "' must be a writable file (got: ", errno_text(error), ")");
    int const file = opened.file.get();
    int const locked = take_lock(file);
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
  // How many entries the file has.
  std::int64_t open(std::uint64_t kind) {
    Opened opened = open_file(path_);
    file_ = std::move(opened.file);
    draft_ = Buffer<std::byte>(entry_bytes_);

    FileHead wanted{.magic = {}, .kind = kind, .entry_bytes = static_cast<std::uint64_t>(entry_bytes_)};
    std::copy(magic.begin(), magic.end(), wanted.magic.begin());
    wanted.checksum =
        Xxh3{}.update({reinterpret_cast<std::byte const*>(&wanted), offsetof(FileHead, checksum)}).value();
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
  // What an earlier run left in its `count` entries.
  void find_entries(std::int64_t count) {
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
  // 0, or the error number.
  int write(std::span<std::byte const> bytes, std::int64_t offset) const {
    while (!bytes.empty()) {
      auto const count = ::pwrite(file_.get(), bytes.data(), bytes.size(), offset);
      if (count < 0 && errno != EINTR) return errno;
      if (count < 0) continue;
      bytes = bytes.subspan(static_cast<std::size_t>(count)), offset += count;
    }
    return 0;
  }

  std::int64_t tokens_, state_bytes_, entry_bytes_, capacity_ = 0;
  std::string path_, notice_;
  FileDescriptor file_;
  Mapping memory_;
  Buffer<std::byte> draft_;  // an entry on its way to the file
  std::vector<Entry> entries_;
  std::vector<std::int32_t> index_;   // by the hash of the ids, the next free place where that is taken
  std::vector<std::int32_t> unused_;  // entries of a file that hold nothing
  std::int32_t next_ = 0, open_ = none;
  bool stopped_ = false;
};

}  // namespace gt::detail
