// SPDX-License-Identifier: MIT
// What a prefix cache keeps its windows in: entries of one size, found by their ids, in memory or in a file.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gt/core/buffer.hpp"
#include "gt/io/file_descriptor.hpp"

namespace gt::inline GT_ABI::detail {

/// Address space for entries: anonymous memory, or a file to read from. Pages take memory when they are first touched.
class Mapping {
 public:
  Mapping() = default;
  /// `file` < 0: anonymous and writable.
  Mapping(std::size_t size, int file);
  Mapping(Mapping&& other) noexcept : start_{std::exchange(other.start_, nullptr)}, size_{other.size_} {}
  Mapping& operator=(Mapping&& other) noexcept;
  ~Mapping();
  std::byte* at(std::int64_t offset) const { return start_ + offset; }
  /// Has the pages of a range read from the disk, in the background.
  void expect(std::int64_t offset, std::int64_t size) const;

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
              std::string const& path);
  WindowStore(WindowStore&&) = default;

  /// Errors as of the constructor, of a file that is then left as it was.
  static void check_file(std::string const& path);

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
  std::int32_t find(std::span<std::int32_t const> ids) const;
  std::uint64_t fingerprint(std::int32_t entry) const { return entries_[at(entry)].fingerprint; }
  /// Says that an entry will be read.
  void expect(std::int32_t entry) const;
  /// Whether the entry is whole; one that is not is dropped.
  bool is_whole(std::int32_t entry);
  /// The bytes of an entry that is whole.
  std::byte const* states(std::int32_t entry) const { return memory_.at(offset(entry)) + states_at(); }

  /// Where the bytes of a window are to be written, in place of older ones; null when there is no room. `close` ends
  /// it.
  std::byte* open_entry(std::span<std::int32_t const> ids);
  /// Keeps what was written under `fingerprint`, which is not 0; false when the disk does not take it. It is asked no
  /// more then: what it
  /// holds is still read.
  bool close_entry(std::uint64_t fingerprint);
  /// Forgets all entries.
  void clear();
  /// Whether a file held something that is of no use now, and `clear` is called for it.
  void tell_rebuilt();
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

  static std::uint64_t word(std::byte const* bytes, int i);
  std::uint64_t checksum(std::byte const* entry) const;
  std::int32_t const* ids_of(std::int32_t entry) const;
  // Where the index has, or would have, the entry of a window.
  std::size_t place(std::span<std::int32_t const> ids) const;

  // A file that is a store or empty, with its head and its size, for us alone.
  struct Opened {
    FileDescriptor file;
    FileHead head{};
    std::int64_t size = 0;
  };
  static Opened open_file(std::string const& path);
  // How many entries the file has.
  std::int64_t open(std::uint64_t kind);
  // What an earlier run left in its `count` entries.
  void find_entries(std::int64_t count);
  // 0, or the error number.
  int write(std::span<std::byte const> bytes, std::int64_t offset) const;

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

#if !defined(GT_PREBUILT)
  #include "gt/io/window_store_impl.hpp"
#endif
