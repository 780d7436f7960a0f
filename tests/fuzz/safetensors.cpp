// SPDX-License-Identifier: MIT
// Any bytes as a safetensors file, checksums compared or not: tensors lie in the file, and written again they are the
// same.
#include "gt/io/safetensors.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>

#include "fuzz.hpp"
#include "safetensors_mutator.hpp"

using namespace gt;

namespace {

constexpr fuzz::HeapBudget budget{.factor = 192};  // of a header that is all names: each is kept five times

bool same(io::Safetensors const& a, io::Safetensors const& b) {
  auto const x = a.tensors(), y = b.tensors();
  bool const equal =
      std::equal(x.begin(), x.end(), y.begin(), y.end(), [](io::TensorView const& s, io::TensorView const& t) {
        return s.name == t.name && s.dtype == t.dtype && s.shape == t.shape &&
               std::equal(s.bytes.begin(), s.bytes.end(), t.bytes.begin(), t.bytes.end());
      });
  return equal && a.metadata() == b.metadata();
}

std::optional<io::Safetensors> open(std::string const& path, std::size_t size, bool verify) {
  std::optional<io::Safetensors> file;
  fuzz::accepts(size, budget, [&] { file = io::Safetensors::open(path, {.verify = verify}); });
  return file;
}

// The input as the text of checksums, whose own checksum is right: who forges a file can do so as well.
void forge_checksums(std::string_view input) {
  std::array<std::byte, 4> const number{};
  io::TensorView const tensor{.name = "t", .dtype = "F32", .shape = {1}, .bytes = number};
  std::map<std::string, std::string> metadata{{io::detail::safetensors_checksums, std::string(input)}};
  metadata[io::detail::safetensors_metadata_checksum] = io::detail::metadata_checksum(metadata);
  Json header{{io::detail::safetensors_metadata, metadata},
              {"t", {{"dtype", "F32"}, {"shape", {1}}, {"data_offsets", {0, 4}}}}};
  std::string json;
  if (!fuzz::accepts(input.size(), budget, [&] { json = header.dump(); })) return;  // no UTF-8
  json.append((8 - json.size() % 8) % 8, ' ');
  std::string bytes(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(json.size() >> 8 * i);
  bytes += json + std::string(4, '\0');
  auto const file = open(fuzz::folder().put("forged", bytes), bytes.size(), true);
  fuzz::require(!file || file->verified(), "what was compared must say so");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  auto const input = fuzz::text_of(data, size);
  std::string const path = fuzz::folder().put("file", input);
  auto const plain = open(path, size, false), verified = open(path, size, true);
  fuzz::require(!verified || plain, "comparing must not make a file sound");
  fuzz::require(!verified || same(*plain, *verified), "comparing must change nothing");
  if (size <= 256) forge_checksums(input);
  if (!plain) return 0;

  auto const bytes = plain->file()->bytes();
  for (io::TensorView const& t : plain->tensors()) {
    bool const inside = t.bytes.empty() || (t.bytes.data() >= bytes.data() + 8 &&
                                            t.bytes.data() + t.bytes.size() <= bytes.data() + bytes.size());
    fuzz::require(inside && plain->find(t.name) == &t, "a tensor must lie in the file, under its name");
    std::uint8_t sum = 0;
    for (std::byte const b : t.bytes) sum = static_cast<std::uint8_t>(sum ^ std::to_integer<std::uint8_t>(b));
    [[maybe_unused]] std::uint8_t const volatile read = sum;
  }
  auto metadata = plain->metadata();
  metadata.erase(io::detail::safetensors_metadata_checksum);
  std::string const copy = fuzz::folder() / "copy";
  io::write_safetensors(copy, plain->tensors(), metadata);
  auto const again = io::Safetensors::open(copy);
  fuzz::require(again.verified() && again.metadata() == metadata, "what is written must verify");
  auto const x = plain->tensors(), y = again.tensors();
  fuzz::require(x.size() == y.size(), "no tensor may be lost");
  for (std::size_t i = 0; i < x.size(); ++i)
    fuzz::require(x[i].name == y[i].name && x[i].shape == y[i].shape && x[i].dtype == y[i].dtype &&
                      std::equal(x[i].bytes.begin(), x[i].bytes.end(), y[i].bytes.begin(), y[i].bytes.end()),
                  "a tensor must be the same");
  return 0;
}
