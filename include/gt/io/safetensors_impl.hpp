// SPDX-License-Identifier: MIT
// What gt/io/safetensors.hpp declares.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/io/atomic_file.hpp"
#include "gt/io/checksum.hpp"
#include "gt/io/json.hpp"
#include "gt/io/mapped_file.hpp"
#include "gt/io/safetensors.hpp"

namespace gt::inline GT_ABI::io {

namespace detail {

GT_FN std::string shape_text(std::span<std::int64_t const> shape) {
  std::string joined = "[";
  for (auto const extent : shape) joined += text(joined.size() > 1 ? ", " : "", extent);
  return joined + "]";
}

// Throws unless dtype, shape and number of bytes agree.
GT_FN void check_tensor(TensorView const& tensor, std::string_view where) {
  auto const element = dtype_bytes(tensor.dtype);
  if (element == 0)
    fail(where, "dtype must be F64, F32, F16, BF16, I64 to I8, U64 to U8 or BOOL (got ",
         gt::detail::in_quotes(tensor.dtype), ")");
  // An empty tensor counts as if its zeros were ones, so that strides computed from its shape cannot overflow either.
  std::int64_t bytes = element;
  bool empty = false;
  for (auto const extent : tensor.shape) {
    if (extent < 0) fail(where, "shape must not be negative (got ", shape_text(tensor.shape), ")");
    empty = empty || extent == 0;
    if (extent > std::numeric_limits<std::int64_t>::max() / bytes)
      fail(where, "shape must have fewer than 2^63 bytes (got ", shape_text(tensor.shape), ")");
    bytes *= std::max<std::int64_t>(extent, 1);
  }
  auto const expected = static_cast<std::uint64_t>(empty ? 0 : bytes);
  if (tensor.bytes.size() != expected)
    fail(where, "data must be ", expected, " bytes for ", tensor.dtype, " ", shape_text(tensor.shape), " (got ",
         tensor.bytes.size(), ")");
}

GT_FN std::string tensor_checksum(TensorView const& tensor) {
  auto const identity = text(tensor.name, "\n", tensor.dtype, "\n", shape_text(tensor.shape), "\n");
  return Xxh3{}.update(identity).update(tensor.bytes).hex();
}

GT_FN std::string metadata_checksum(std::map<std::string, std::string> const& metadata) {
  Xxh3 sum;
  for (auto const& [key, value] : metadata) sum.update(text(key.size(), ":", key, value.size(), ":", value));
  return sum.hex();
}

}  // namespace detail

GT_FN Safetensors Safetensors::open(std::string const& path, SafetensorsOptions options) {
  Safetensors opened;
  opened.where_ = text("safetensors '", path, "'");
  opened.file_ = std::make_shared<MappedFile const>(path);
  auto const data = opened.read_header();
  opened.check_layout(data);
  opened.index_names();
  opened.take_checksums(options.verify);
  return opened;
}

GT_FN TensorView const* Safetensors::find(std::string_view name) const {
  auto const before = [this](std::size_t i, std::string_view wanted) { return tensors_[i].name < wanted; };
  auto const at = std::lower_bound(by_name_.begin(), by_name_.end(), name, before);
  return at != by_name_.end() && tensors_[*at].name == name ? &tensors_[*at] : nullptr;
}

GT_FN std::span<std::byte const> Safetensors::read_header() {
  auto const bytes = file_->bytes();
  check(bytes.size() >= 8, where_, "file must start with 8 bytes of header length (got ", bytes.size(), " bytes)");
  std::uint64_t length = 0;
  for (std::size_t i = 8; i-- > 0;) length = length << 8 | std::to_integer<std::uint64_t>(bytes[i]);
  check(length <= detail::safetensors_max_header, where_, "header must be at most ", detail::safetensors_max_header,
        " bytes (got ", length, "); is this a safetensors file?");
  check(length <= bytes.size() - 8, where_, "header must fit the file (got a header of ", length,
        " bytes in a file of ", bytes.size(), "); is it cut off?");
  std::string_view const json{reinterpret_cast<char const*>(bytes.data()) + 8, static_cast<std::size_t>(length)};
  check(json.starts_with('{'), where_, "header must start with '{'; is this a safetensors file?");
  auto const data = bytes.subspan(8 + json.size());

  auto const header = parse_json(json, text(where_, ": header"));
  for (auto const& [name, entry] : header.items()) {
    if (name == detail::safetensors_metadata) {
      metadata_ = gt::detail::json_as<std::map<std::string, std::string>>(entry, name, where_);
    } else {
      tensors_.push_back(read_entry(name, entry, data));
    }
  }
  return data;
}

GT_FN TensorView Safetensors::read_entry(std::string const& name, Json const& entry,
                                         std::span<std::byte const> data) const {
  auto tensor = TensorView{.name = name, .dtype = {}, .shape = {}, .bytes = {}};
  auto const where = of(tensor);
  tensor.dtype = json_get<std::string>(entry, "dtype", where);
  tensor.shape = json_get<std::vector<std::int64_t>>(entry, "shape", where);
  auto const offsets = json_get<std::vector<std::uint64_t>>(entry, "data_offsets", where);
  check(offsets.size() == 2, where, "data_offsets must be two numbers (got ", offsets.size(), ")");
  auto const begin = offsets[0], end = offsets[1];
  check(begin <= end && end <= data.size(), where, "data_offsets must be in order and within the ", data.size(),
        " bytes of data (got ", begin, " to ", end, ")");
  tensor.bytes = data.subspan(begin, end - begin);
  detail::check_tensor(tensor, where);
  return tensor;
}

GT_FN void Safetensors::check_layout(std::span<std::byte const> data) const {
  std::vector<TensorView const*> in_file;
  for (auto const& tensor : tensors_) in_file.push_back(&tensor);
  std::sort(in_file.begin(), in_file.end(), [](auto* a, auto* b) {
    return std::pair{a->bytes.data(), a->bytes.size()} < std::pair{b->bytes.data(), b->bytes.size()};
  });
  auto const* reached = data.data();
  for (auto const* tensor : in_file) {
    auto const* const start = tensor->bytes.data();
    if (start < reached) fail(of(*tensor), "data must not overlap another tensor's (got ", reached - start, " bytes)");
    if (start > reached) fail(of(*tensor), "data must leave no hole before it (got ", start - reached, " bytes)");
    reached = start + tensor->bytes.size();
  }
  auto const rest = data.data() + data.size() - reached;
  check(rest == 0, where_, "tensors must cover the file (got ", rest, " bytes after the last one)");
}

GT_FN void Safetensors::index_names() {
  for (std::size_t i = 0; i < tensors_.size(); ++i) by_name_.push_back(i);
  std::sort(by_name_.begin(), by_name_.end(), [this](auto a, auto b) { return tensors_[a].name < tensors_[b].name; });
}

GT_FN void Safetensors::take_checksums(bool verify) {
  auto const sum = metadata_.extract(detail::safetensors_metadata_checksum);
  auto const has_sums = metadata_.contains(detail::safetensors_checksums);
  if (verify && (has_sums || sum)) {
    check(has_sums && sum, where_, "metadata must have both '", detail::safetensors_checksums, "' and '",
          detail::safetensors_metadata_checksum, "' or neither; the file is damaged");
    compare(text(where_, ": metadata"), detail::metadata_checksum(metadata_), sum.mapped());
    auto const where = text(where_, ": metadata '", detail::safetensors_checksums, "'");
    using Sums = std::map<std::string, std::string>;
    auto const sums =
        gt::detail::json_as<Sums>(parse_json(metadata_[detail::safetensors_checksums], where), "text", where);
    for (auto const& tensor : tensors_) {
      auto const recorded = sums.find(tensor.name);
      if (recorded == sums.end()) fail(of(tensor), "checksum must be recorded, as for other tensors of the file");
      compare(of(tensor), detail::tensor_checksum(tensor), recorded->second);
    }
    check(sums.size() == tensors_.size(), where_, "file must hold the ", sums.size(),
          " tensors that have checksums (got ", tensors_.size(), ")");
    verified_ = true;
  }
  metadata_.erase(detail::safetensors_checksums);
}

GT_FN void Safetensors::compare(std::string_view where, std::string_view computed, std::string_view recorded) {
  if (computed != recorded)
    fail(where, "checksum must be ", gt::detail::in_quotes(recorded), " (got '", computed,
         "'); the file is damaged, or another program changed it");
}

GT_FN void write_safetensors(std::string const& path, std::span<TensorView const> tensors,
                             std::map<std::string, std::string> metadata) {
  auto const where = text("write_safetensors '", path, "'");
  for (auto const* key : {detail::safetensors_checksums, detail::safetensors_metadata_checksum})
    check(!metadata.contains(key), where, "metadata must not have '", key, "', which the writer computes");

  std::set<std::string_view> names;
  std::vector<TensorView const*> in_file;
  Json::Object sums;
  for (auto const& tensor : tensors) {
    auto const tensor_where = text(where, ": tensor ", gt::detail::in_quotes(tensor.name));
    check(tensor.name != detail::safetensors_metadata, tensor_where, "name must not be reserved");
    check(names.insert(tensor.name).second, tensor_where, "name must appear once");
    detail::check_tensor(tensor, tensor_where);
    in_file.push_back(&tensor);
    sums.emplace_back(tensor.name, detail::tensor_checksum(tensor));
  }
  std::stable_sort(in_file.begin(), in_file.end(),
                   [](auto* a, auto* b) { return dtype_bytes(a->dtype) > dtype_bytes(b->dtype); });
  std::map<TensorView const*, std::size_t> begin_of;
  std::size_t size = 0;
  for (auto const* tensor : in_file) size = (begin_of[tensor] = size) + tensor->bytes.size();

  metadata[detail::safetensors_checksums] = dump_json(Json(std::move(sums)), where);
  metadata[detail::safetensors_metadata_checksum] = detail::metadata_checksum(metadata);
  Json::Object header;
  header.emplace_back(detail::safetensors_metadata, metadata);
  for (auto const& tensor : tensors) {
    auto const begin = begin_of[&tensor];
    Json const offsets = {begin, begin + tensor.bytes.size()};
    Json const entry = {{"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", offsets}};
    header.emplace_back(tensor.name, entry);
  }
  auto json = dump_json(Json(std::move(header)), where);
  json.append((64 - (8 + json.size()) % 64) % 64, ' ');
  check(json.size() <= detail::safetensors_max_header, where, "header must be at most ", detail::safetensors_max_header,
        " bytes (got ", json.size(), ")");
  std::array<std::byte, 8> length;
  for (std::size_t i = 0; i < 8; ++i) length[i] = static_cast<std::byte>(json.size() >> 8 * i);

  AtomicFile file(path);
  file.write(length);
  file.write(json);
  for (auto const* tensor : in_file) file.write(tensor->bytes);
  file.commit();
}

}  // namespace gt::io
