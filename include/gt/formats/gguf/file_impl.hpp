// SPDX-License-Identifier: MIT
// What gt/formats/gguf/file.hpp declares.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "gt/base/bf16.hpp"
#include "gt/base/error.hpp"
#include "gt/base/f16.hpp"
#include "gt/base/macros.hpp"
#include "gt/formats/gguf/file.hpp"
#include "gt/io/atomic_file.hpp"

namespace gt::inline GT_ABI {

GT_FN std::int64_t GgufTensor::size() const {
  std::int64_t n = 1;
  for (auto s : shape) n *= s;
  return n;
}

GT_FN void GgufMetadata::add_u32(std::string_view key, std::int64_t value) {
  check(value >= 0 && value <= UINT32_MAX, "write_gguf", key, " must lie in [0, 2^32) (got ", value, ")");
  add(key, 4, static_cast<std::uint32_t>(value));
}

namespace detail {

/// Blocks of an F16 and 32 int8; the arithmetic is that of ggml's reference, to the bit.
GT_FN void append_q8_0(std::span<float const> numbers, std::string& bytes) {
  for (; !numbers.empty(); numbers = numbers.subspan(gguf_block)) {
    auto const block = numbers.first(gguf_block);
    float most = 0;
    for (float const x : block) most = std::max(most, std::abs(x));
    float const d = most / 127, times = d != 0 ? 1 / d : 0;
    F16 const stored(d);
    bytes.append(reinterpret_cast<char const*>(&stored.bits), sizeof stored.bits);
    for (float const x : block) bytes += static_cast<char>(static_cast<std::int8_t>(std::round(x * times)));
  }
}

/// The bytes of some numbers, of whole blocks; all must be finite in the file.
GT_FN void append_gguf(GgufType type, std::span<float const> numbers, std::string& bytes) {
  switch (type) {
    case GgufType::f32:
      bytes.append(reinterpret_cast<char const*>(numbers.data()), numbers.size_bytes());
      break;
    case GgufType::f16:
      append_rounded<F16>(numbers, bytes);
      break;
    case GgufType::bf16:
      append_rounded<Bf16>(numbers, bytes);
      break;
    case GgufType::q8_0:
      append_q8_0(numbers, bytes);
      break;
  }
}

}  // namespace detail

GT_FN std::int64_t write_gguf_file(std::string const& path, GgufMetadata metadata,
                                   std::span<GgufTensor const> tensors) {
  auto const where = text("write_gguf '", path, "'");
  auto const aligned = [](std::size_t size) {
    return (size + detail::gguf_alignment - 1) / detail::gguf_alignment * detail::gguf_alignment;
  };
  metadata.add_u32("general.alignment", static_cast<std::int64_t>(detail::gguf_alignment));
  detail::GgufBytes infos;
  std::set<std::string_view> names;
  std::uint64_t offset = 0;
  for (auto const& t : tensors) {
    check(!t.name.empty() && t.name.size() < 64 && names.insert(t.name).second, where,
          "a tensor's name must have 1 to 63 bytes and appear once (got '", t.name, "')");
    check(!t.shape.empty() && t.shape.size() <= 4 && t.size() > 0, where, "tensor '", t.name,
          "' must have one to four sizes, none of them 0");
    check(t.type != GgufType::q8_0 || t.shape.back() % gguf_block == 0, where, "tensor '", t.name,
          "' must have rows of whole blocks of ", gguf_block, " for q8_0 (got ", t.shape.back(), ")");
    infos.put(std::string_view{t.name}), infos.put(static_cast<std::uint32_t>(t.shape.size()));
    for (std::size_t i = t.shape.size(); i-- > 0;) infos.put(static_cast<std::uint64_t>(t.shape[i]));
    infos.put(static_cast<std::uint32_t>(t.type)), infos.put(offset);
    offset += aligned(static_cast<std::size_t>(gguf_bytes(t.type, t.size())));
  }
  detail::GgufBytes head;
  head.put(std::uint32_t{0x46554747}), head.put(std::uint32_t{3});  // "GGUF", the version
  head.put(std::uint64_t{tensors.size()}), head.put(metadata.count());
  std::string bytes = head.bytes + metadata.bytes() + infos.bytes;
  bytes.resize(aligned(bytes.size()), '\0');

  io::AtomicFile file(path);
  std::size_t written = 0;
  auto const flush = [&] {
    file.write(std::string_view{bytes});
    written += bytes.size();
    bytes.clear();
  };
  for (auto const& t : tensors) {
    constexpr std::int64_t chunk = 2048 * gguf_block;  // numbers at a time
    for (std::int64_t first = 0; first < t.size(); first += chunk) {
      std::span const numbers(t.data + first, static_cast<std::size_t>(std::min(chunk, t.size() - first)));
      for (float const x : numbers) {
        check(std::abs(x) <= detail::gguf_greatest(t.type), where, "every number of '", t.name, "' must be finite as ",
              gt::name(t.type), " (got ", x, ")");
      }
      flush();
      detail::append_gguf(t.type, numbers, bytes);
    }
    bytes.resize(aligned(written + bytes.size()) - written, '\0');  // the data began at a multiple, too
  }
  flush();
  file.commit();
  return static_cast<std::int64_t>(written);
}

}  // namespace gt
