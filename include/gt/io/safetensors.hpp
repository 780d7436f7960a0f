// SPDX-License-Identifier: MIT
// The safetensors container: named tensors in one file that maps straight into memory, checked before it is believed.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/io/atomic_file.hpp"
#include "gt/io/json.hpp"
#include "gt/io/mapped_file.hpp"

// The file: 8 bytes, little-endian, the length N of the header; N bytes of JSON, {"name": {"dtype", "shape",
// "data_offsets": [begin, end]}, ..., "__metadata__": {"key": "text"}}, padded with spaces; then the data, row-major
// and little-endian, which the offsets, counted from its start, must cover exactly once. Source:
// github.com/huggingface/safetensors, README, "Format". Our own addition, which other readers take for metadata:
// "gt.xxh3", the checksum of each tensor with its name, dtype and shape, as the text of a JSON object; and
// "gt.xxh3.metadata", that of all other metadata with "gt.xxh3". They come in a pair, so that one changed bit cannot
// hide both.

namespace gt::inline GT_ABI::io {

static_assert(std::endian::native == std::endian::little, "tensors are read in place, and files are little-endian");

/// A tensor in somebody else's memory. Bytes are row-major; a shape of [] is one number.
struct TensorView {
  std::string name;                  ///< unique in its file
  std::string dtype;                 ///< a name of `dtype_bytes`
  std::vector<std::int64_t> shape;   ///< outermost first, each >= 0
  std::span<std::byte const> bytes;  ///< as many as dtype and shape say; aligned to nothing
};

/// Bytes of one element of `dtype`: F64 F32 F16 BF16 I64 I32 I16 I8 U64 U32 U16 U8 BOOL. 0 for any other name.
constexpr std::int64_t dtype_bytes(std::string_view dtype) {
  constexpr std::array<std::pair<std::string_view, std::int64_t>, 13> table{{{"F64", 8},
                                                                             {"F32", 4},
                                                                             {"F16", 2},
                                                                             {"BF16", 2},
                                                                             {"I64", 8},
                                                                             {"I32", 4},
                                                                             {"I16", 2},
                                                                             {"I8", 1},
                                                                             {"U64", 8},
                                                                             {"U32", 4},
                                                                             {"U16", 2},
                                                                             {"U8", 1},
                                                                             {"BOOL", 1}}};
  for (auto const& [name, bytes] : table)
    if (name == dtype) return bytes;
  return 0;
}

/// How `Safetensors::open` reads.
struct SafetensorsOptions {
  bool verify = true;  ///< compare the checksums, if the file has them; this reads all of it
};

namespace detail {

inline constexpr std::uint64_t safetensors_max_header = 100'000'000;  // bytes, as the reference implementation
inline constexpr auto safetensors_metadata = "__metadata__";
inline constexpr auto safetensors_checksums = "gt.xxh3";
inline constexpr auto safetensors_metadata_checksum = "gt.xxh3.metadata";

std::string shape_text(std::span<std::int64_t const> shape);

std::string metadata_checksum(std::map<std::string, std::string> const& metadata);

}  // namespace detail

/// An open safetensors file. Copies share the mapping; the views live as long as `file()` does.
///
///     auto const weights = gt::io::Safetensors::open("model.safetensors");
///     if (gt::io::TensorView const* table = weights.find("embedding")) use(table->bytes);
class Safetensors {
 public:
  /// Maps and checks `path`. Every fault is one Error naming the file and, where there is one, the tensor: a header
  /// that is too long, no JSON, or incomplete; unknown dtypes; impossible shapes; data that overlap, leave holes or
  /// have the wrong size; names that appear twice; and, with `verify`, any changed bit.
  static Safetensors open(std::string const& path, SafetensorsOptions options = {});

  /// All tensors, in the order of the header.
  std::span<TensorView const> tensors() const noexcept { return tensors_; }
  /// The tensor of this name, or nullptr. Logarithmic.
  TensorView const* find(std::string_view name) const;
  /// The file's own texts, without the checksums.
  std::map<std::string, std::string> const& metadata() const noexcept { return metadata_; }
  /// True if the file has checksums and they were compared.
  bool verified() const noexcept { return verified_; }
  /// The mapping, to keep views alive beyond this object.
  std::shared_ptr<MappedFile const> const& file() const noexcept { return file_; }

 private:
  Safetensors() = default;

  std::string of(TensorView const& tensor) const {
    return text(where_, ": tensor ", gt::detail::in_quotes(tensor.name));
  }

  // Fills tensors_ and metadata_; returns the data behind the header.
  std::span<std::byte const> read_header();

  TensorView read_entry(std::string const& name, Json const& entry, std::span<std::byte const> data) const;

  // Throws unless the tensors cover the data exactly once.
  void check_layout(std::span<std::byte const> data) const;

  void index_names();

  // Moves the checksums out of the metadata, and compares them if `verify`.
  void take_checksums(bool verify);

  static void compare(std::string_view where, std::string_view computed, std::string_view recorded);

  std::string where_;
  std::shared_ptr<MappedFile const> file_;
  std::vector<TensorView> tensors_;
  std::vector<std::size_t> by_name_;
  std::map<std::string, std::string> metadata_;
  bool verified_ = false;
};

/// Writes tensors, metadata and checksums to `path`, completely or not at all. The header keeps the given order; the
/// data start 64-byte aligned, elements of more bytes first (the format allows no gaps), else in the given order.
/// Throws Error if a tensor does not fit its shape, a name appears twice or is reserved, or AtomicFile cannot write.
void write_safetensors(std::string const& path, std::span<TensorView const> tensors,
                       std::map<std::string, std::string> metadata = {});

}  // namespace gt::io

#if !defined(GT_PREBUILT)
  #include "gt/io/safetensors_impl.hpp"
#endif
