// SPDX-License-Identifier: MIT
// GGUF, the file that llama.cpp reads: typed metadata and tensors, some of them in fewer bits than a float.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "gt/base/bf16.hpp"
#include "gt/base/bit_cast.hpp"
#include "gt/base/error.hpp"
#include "gt/base/f16.hpp"
#include "gt/io/atomic_file.hpp"

// The file, little-endian: "GGUF", version 3, how many tensors and how many pairs of metadata; the pairs: key, type,
// value; of each tensor: name, number of dimensions, the dimensions, innermost first, type, offset of its data; then
// the data, each tensor at a multiple of the alignment from where they begin, which is one itself.
// Source: ggml's docs/gguf.md; the types of tensors: ggml.h and ggml-common.h.

namespace gt::inline GT_ABI {

/// How the numbers of a tensor are stored; the values are ggml's.
enum class GgufType : std::uint32_t {
  f32 = 0,    ///< 32 bits, exact
  f16 = 1,    ///< 16 bits: see F16
  q8_0 = 8,   ///< 8.5 bits: blocks of 32 numbers, an F16 d = max|x| / 127 and 32 int8 round(x / d)
  bf16 = 30,  ///< 16 bits: see Bf16
};
/// "f32", "f16", "bf16" or "q8_0".
constexpr std::string_view name(GgufType type) {
  switch (type) {
    case GgufType::f32:
      return "f32";
    case GgufType::f16:
      return "f16";
    case GgufType::q8_0:
      return "q8_0";
    case GgufType::bf16:
      return "bf16";
  }
  return "unknown";
}
inline constexpr std::int64_t gguf_block = 32;  ///< numbers that share a scale in q8_0; it must divide every row

/// Bytes that `count` numbers take; of q8_0, of whole blocks.
constexpr std::int64_t gguf_bytes(GgufType type, std::int64_t count) {
  return type == GgufType::f32 ? 4 * count : type == GgufType::q8_0 ? count / gguf_block * (2 + gguf_block) : 2 * count;
}

/// A tensor of floats to be written as `type`.
struct GgufTensor {
  std::string name;                 ///< at most 63 bytes, each once in a file
  std::vector<std::int64_t> shape;  ///< outermost first, one to four sizes
  GgufType type = GgufType::f32;    ///< in the file
  float const* data = nullptr;      ///< row-major
  /// Numbers: the product of the shape.
  std::int64_t size() const;
};

namespace detail {

/// Numbers and texts one behind the other, as GGUF has them: a text is its size and its bytes.
struct GgufBytes {
  std::string bytes;
  template <class Number>
  requires std::is_arithmetic_v<Number>
  void put(Number value) {
    auto const raw = detail::bit_cast<std::array<char, sizeof value>>(value);
    bytes.append(raw.data(), raw.size());
  }
  void put(std::string_view value) { put(std::uint64_t{value.size()}), bytes += value; }
  void put(std::string const& value) { put(std::string_view{value}); }
};
static_assert(std::endian::native == std::endian::little, "numbers are written as they lie in memory");

}  // namespace detail

/// The metadata of a file, in the order of the calls. Keys are ASCII, as `general.name`.   Error: a key twice.
class GgufMetadata {
 public:
  /// One number.   Error: not in [0, 2^32).
  void add_u32(std::string_view key, std::int64_t value);
  void add_f32(std::string_view key, float value) { add(key, 6, value); }                           ///< one number
  void add_bool(std::string_view key, bool value) { add(key, 7, std::uint8_t{value}); }             ///< true or false
  void add_text(std::string_view key, std::string_view value) { add(key, 8, value); }               ///< UTF-8
  void add_i32s(std::string_view key, std::span<std::int32_t const> all) { add_all(key, 5, all); }  ///< numbers
  void add_f32s(std::string_view key, std::span<float const> all) { add_all(key, 6, all); }         ///< numbers
  void add_texts(std::string_view key, std::span<std::string const> all) { add_all(key, 8, all); }  ///< UTF-8

  std::uint64_t count() const { return keys_.size(); }         ///< pairs
  std::string const& bytes() const { return written_.bytes; }  ///< as they stand in the file

 private:
  static constexpr std::uint32_t array = 9;
  void add(std::string_view key, std::uint32_t type, auto value) {
    check(keys_.emplace(key).second, "write_gguf", "the key '", key, "' must appear once");
    written_.put(key), written_.put(type), written_.put(value);
  }
  template <class T>
  void add_all(std::string_view key, std::uint32_t type, std::span<T const> values) {
    add(key, array, type);
    written_.put(std::uint64_t{values.size()});
    for (auto const& value : values) written_.put(value);
  }
  std::set<std::string, std::less<>> keys_;
  detail::GgufBytes written_;
};

namespace detail {

inline constexpr std::size_t gguf_alignment = 32;

template <class Stored>
void append_rounded(std::span<float const> numbers, std::string& bytes) {
  std::size_t at = bytes.size();
  bytes.resize(at + sizeof(Stored) * numbers.size());
  for (float const x : numbers) {
    Stored const stored(x);
    std::memcpy(bytes.data() + std::exchange(at, at + sizeof stored), &stored.bits, sizeof stored);
  }
}
/// The greatest absolute value that stays finite.
constexpr float gguf_greatest(GgufType type) {
  return type == GgufType::f16    ? 65504.0F
         : type == GgufType::q8_0 ? 127 * 65504.0F
         : type == GgufType::bf16 ? static_cast<float>(Bf16::from_bits(0x7F7F))
                                  : std::numeric_limits<float>::max();
}

}  // namespace detail

/// Writes metadata and tensors to `path`, completely or not at all; returns the bytes of the file. `general.alignment`
/// is added.   Errors: a name twice; a tensor without a shape; q8_0 of rows that are not whole blocks; a number
/// that is not finite, or too great for its type; what io::AtomicFile cannot write.
std::int64_t write_gguf_file(std::string const& path, GgufMetadata metadata, std::span<GgufTensor const> tensors);

}  // namespace gt

#if !defined(GT_PREBUILT)
  #include "gt/formats/gguf/file_impl.hpp"
#endif
