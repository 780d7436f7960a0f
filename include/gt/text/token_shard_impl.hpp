// SPDX-License-Identifier: MIT
// What gt/text/token_shard.hpp declares.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/io/atomic_file.hpp"
#include "gt/io/checksum.hpp"
#include "gt/io/mapped_file.hpp"
#include "gt/text/token_shard.hpp"
#include "gt/text/tokens.hpp"

namespace gt::inline GT_ABI {

namespace detail {

GT_FN std::uint64_t shard_checksum(ShardHeader const& header, std::span<std::byte const> ids) {
  auto const bytes = std::as_bytes(std::span{&header, 1});
  return io::Xxh3{}.update(bytes.first(offsetof(ShardHeader, checksum))).update(ids).value();
}

}  // namespace detail

GT_FN void write_token_shard(std::string const& path, Tokens const& tokens, std::string_view fingerprint,
                             std::int64_t text_bytes) {
  constexpr std::string_view where = "write_token_shard";
  detail::ShardHeader header;
  check(fingerprint.size() >= header.fingerprint.size(), where, "a fingerprint of 16 digits or more is needed (got '",
        fingerprint, "')");
  check(text_bytes >= 0, where, "text_bytes must not be negative (got ", text_bytes, ")");
  header.width = static_cast<std::uint32_t>(tokens.width());
  header.vocab_size = static_cast<std::uint64_t>(tokens.vocab_size());
  header.count = static_cast<std::uint64_t>(tokens.size());
  header.text_bytes = static_cast<std::uint64_t>(text_bytes);
  std::memcpy(header.fingerprint.data(), fingerprint.data(), header.fingerprint.size());
  header.checksum = detail::shard_checksum(header, tokens.bytes());

  io::AtomicFile file(path);
  file.write(std::as_bytes(std::span{&header, 1}));
  file.write(tokens.bytes());
  file.commit();
}

GT_FN TokenShard read_token_shard(std::string const& path) {
  constexpr std::string_view where = "read_token_shard";
  auto const file = std::make_shared<io::MappedFile const>(path);
  auto const bytes = file->bytes();
  detail::ShardHeader header;
  auto const need = [&](bool holds, auto const&... what) { check(holds, where, "'", path, "': ", what...); };
  need(bytes.size() >= sizeof header, "a shard has a header of 64 bytes (got ", bytes.size(), " bytes)");
  std::memcpy(&header, bytes.data(), sizeof header);
  need(header.magic == detail::ShardHeader{}.magic, "a shard starts with 'gttokens'");
  need(header.version == 1, "the version must be 1 (got ", header.version, ")");
  need(header.width == 2 || header.width == 4, "an id must take 2 or 4 bytes (got ", header.width, ")");
  need(header.vocab_size <= INT32_MAX, "vocab_size must be below 2^31 (got ", header.vocab_size, ")");
  auto const ids = bytes.subspan(sizeof header);
  need(header.count == ids.size() / header.width && ids.size() % header.width == 0, "the file must hold ", header.count,
       " ids of ", header.width, " bytes (got ", ids.size(), " bytes)");
  need(header.text_bytes <= INT64_MAX, "text_bytes must be below 2^63");
  need(header.checksum == detail::shard_checksum(header, ids), "the checksum must agree; the file is damaged");

  auto const typed = [&](auto id) {
    using Id = decltype(id);
    std::span const all{reinterpret_cast<Id const*>(ids.data()), static_cast<std::size_t>(header.count)};
    for (std::size_t i = 0; i < all.size(); ++i)
      if (all[i] >= header.vocab_size)
        need(false, "every id must be below ", header.vocab_size, " (got ", all[i], " at position ", i, ")");
    return Tokens::view(file, all, static_cast<std::int64_t>(header.vocab_size));
  };
  return {header.width == 2 ? typed(std::uint16_t{}) : typed(std::uint32_t{}),
          static_cast<std::int64_t>(header.text_bytes),
          std::string{header.fingerprint.data(), header.fingerprint.size()}};
}

}  // namespace gt
