// SPDX-License-Identifier: MIT
// Any bytes as the file of a prefix cache: it is refused and left, filled anew, or read within its entries.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "fuzz.hpp"
#include "gt/io/checksum.hpp"
#include "gt/io/text_file.hpp"
#include "gt/io/window_store.hpp"

using namespace gt;

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

constexpr std::int64_t tokens = 4, state_bytes = 16, kind = 7, most = 6;
constexpr std::size_t head_bytes = 4096, entry_bytes = 64 + 64 + 64;

}  // namespace

// The input is the first 48 bytes of the head, then entries; the rest of the head is left out, being zeros. The
// checksums of entries are made right again, three times in four.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
  size = LLVMFuzzerMutate(data, size, max_size);
  if (seed % 4 == 0) return size;
  for (std::size_t at = 48; at + entry_bytes <= size; at += entry_bytes) {
    auto const bytes = std::as_bytes(std::span(data + at, entry_bytes));
    io::Xxh3 sum;
    sum.update(bytes.first(8)).update(bytes.subspan(64, 4 * tokens)).update(bytes.subspan(128, state_bytes));
    std::uint64_t const value = sum.value();
    std::memcpy(data + at + 8, &value, 8);
  }
  return size;
}

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string bytes(fuzz::text_of(data, size));
  if (size > 48) bytes.insert(48, head_bytes - 48, '\0');
  std::string const path = fuzz::folder().put("cache", bytes);
  bool const opened = fuzz::accepts(bytes.size(), {}, [&] {
    detail::WindowStore::check_file(path);
    auto const room = static_cast<std::int64_t>(head_bytes + most * entry_bytes);
    detail::WindowStore store(tokens, state_bytes, kind, room, most, path);
    std::array<std::int32_t, tokens> ids{0, 2, 3, 4};
    std::int64_t whole = 0;
    for (; ids[0] < 8; ++ids[0]) {
      auto const entry = store.find(ids);
      if (entry == store.none) continue;
      fuzz::require(entry >= 0 && entry < most, "an entry must be one of the store");
      store.expect(entry);
      if (!store.is_whole(entry)) continue;
      ++whole;
      std::array<std::byte, state_bytes> copy;
      std::memcpy(copy.data(), store.states(entry), copy.size());
    }
    fuzz::require(whole <= store.count([](std::uint64_t) { return true; }), "what is whole must be counted");
    ids = {9, 9, 9, 9};
    if (std::byte* const to = store.open_entry(ids)) {
      std::memset(to, 5, state_bytes);
      fuzz::require(store.close_entry(3), "an entry must be taken");
      auto const entry = store.find(ids);
      fuzz::require(entry != store.none && store.fingerprint(entry) == 3 && store.is_whole(entry) &&
                        store.states(entry)[state_bytes - 1] == std::byte{5},
                    "what was put in must be found");
    }
  });
  fuzz::require(opened || read_text_file(path) == bytes, "somebody else's file must stay as it is");
  return 0;
}
