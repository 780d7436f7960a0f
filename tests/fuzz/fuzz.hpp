// SPDX-License-Identifier: MIT
// What the fuzz targets share: the contract of a parser, a meter of the heap, and a folder that lies in memory.
#pragma once

#include <sanitizer/allocator_interface.h>
#include <stdlib.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>

#include "gt/base/error.hpp"

namespace gt::fuzz {

/// Ends the program as a crash, which libFuzzer keeps the input of, unless `holds`.
inline void require(bool holds, std::string_view what) {
  if (holds) return;
  std::fprintf(stderr, "fuzz: %.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

/// The bytes of an input as text.
inline std::string_view text_of(std::uint8_t const* data, std::size_t size) {
  return {reinterpret_cast<char const*>(data), size};
}

/// While it lives, counts what this thread takes from the heap and gives back.
class HeapMeter {
 public:
  HeapMeter() {
    static bool const installed = __sanitizer_install_malloc_and_free_hooks(taken, returned) > 0;
    require(installed, "the allocator must take hooks");
    live_ = peak_ = 0, on_ = true;
  }
  HeapMeter(HeapMeter const&) = delete;
  HeapMeter& operator=(HeapMeter const&) = delete;
  ~HeapMeter() { on_ = false; }
  std::int64_t peak() const { return peak_; }  ///< the most bytes that were held at once

 private:
  static void taken(void const volatile*, std::size_t size) {
    if (!on_) return;
    live_ += static_cast<std::int64_t>(size);
    peak_ = std::max(peak_, live_);
  }
  static void returned(void const volatile* pointer) {
    if (on_ && pointer) live_ -= static_cast<std::int64_t>(__sanitizer_get_allocated_size(const_cast<void*>(pointer)));
  }
  inline static thread_local bool on_ = false;
  inline static thread_local std::int64_t live_ = 0, peak_ = 0;
};

/// What a parser may take from the heap for an input of n bytes:  constant + factor n  bytes.
struct HeapBudget {
  std::int64_t constant = 1 << 18;
  std::int64_t factor = 16;
};

/// Whether `parse` takes an input of `size` bytes. The contract: it returns, or it throws a gt::Error that is one
/// sentence on one line; and it stays within its budget, whatever lengths the input claims. With GT_FUZZ_SAY in the
/// environment it says what came out.
template <class F>
bool accepts(std::size_t size, HeapBudget budget, F const& parse) {
  static bool const says = std::getenv("GT_FUZZ_SAY") != nullptr;
  bool accepted = true;
  HeapMeter const meter;
  try {
    parse();
  } catch (Error const& error) {
    accepted = false;
    if (says) std::fprintf(stderr, "%s\n", error.what());
    std::string_view const what = error.what();
    require(what.starts_with("gt: ") && what.size() > 10, "an error must be a sentence of gt");
    require(std::all_of(what.begin(), what.end(), [](char c) { return static_cast<unsigned char>(c) >= 32; }),
            "an error must be one line without control characters");
  }
  if (says)
    std::fprintf(stderr, "%s, %lld bytes\n", accepted ? "taken" : "refused", static_cast<long long>(meter.peak()));
  auto const most = budget.constant + budget.factor * static_cast<std::int64_t>(size);
  if (meter.peak() > most)
    require(false,
            text("an input of ", size, " bytes must take at most ", most, " bytes of heap (got ", meter.peak(), ")"));
  return accepted;
}

/// A fresh folder, removed when the program ends well: in memory where there is /dev/shm, as each input is a file.
class Folder {
 public:
  Folder() {
    char const* const given = std::getenv("TMPDIR");
    for (std::string const base : {"/dev/shm", given ? given : "/tmp", "/tmp"}) {
      std::string pattern = base + "/gt-fuzz-XXXXXX";
      if (::mkdtemp(pattern.data()) == nullptr) continue;
      path_ = pattern;
      return;
    }
    require(false, "a temporary folder must be writable");
  }
  Folder(Folder const&) = delete;
  Folder& operator=(Folder const&) = delete;
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string const& path() const { return path_; }
  std::string operator/(std::string_view name) const { return path_ + "/" + std::string{name}; }
  /// Writes a file without the library; returns its path.
  std::string put(std::string_view name, std::string_view bytes) const {
    std::string const path = *this / name;
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    require(static_cast<bool>(file.flush()), "the temporary folder must take files");
    return path;
  }

 private:
  std::string path_;
};

/// The folder of this target.
inline Folder const& folder() {
  static Folder const only;
  return only;
}

}  // namespace gt::fuzz
