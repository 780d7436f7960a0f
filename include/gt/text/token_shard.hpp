// SPDX-License-Identifier: MIT
// Token ids as a file, mapped instead of read: a corpus is tokenized once and shared by all runs.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "gt/base/error.hpp"
#include "gt/text/tokens.hpp"

namespace gt::inline GT_ABI {

/// Token ids with what they were made from.
struct TokenShard {
  Tokens tokens;                ///< the ids
  std::int64_t text_bytes = 0;  ///< bytes of the text behind the ids
  std::string fingerprint;      ///< the first 16 hexadecimal digits of the tokenizer's
};

namespace detail {

/// The first 64 bytes of a shard, little-endian; the ids follow.
struct ShardHeader {
  std::array<char, 8> magic{'g', 't', 't', 'o', 'k', 'e', 'n', 's'};
  std::uint32_t version = 1;
  std::uint32_t width = 0;  // bytes an id: 2 or 4
  std::uint64_t vocab_size = 0;
  std::uint64_t count = 0;  // ids
  std::uint64_t text_bytes = 0;
  std::array<char, 16> fingerprint{};
  std::uint64_t checksum = 0;  // XXH3 of the header before this field, then the ids
};
static_assert(sizeof(ShardHeader) == 64 && std::is_trivially_copyable_v<ShardHeader>);
static_assert(std::endian::native == std::endian::little, "token shards are written as they lie in memory");

std::uint64_t shard_checksum(ShardHeader const& header, std::span<std::byte const> ids);

}  // namespace detail

/// Writes a shard completely or not at all. `fingerprint`: the tokenizer's, at least 16 digits.
void write_token_shard(std::string const& path, Tokens const& tokens, std::string_view fingerprint,
                       std::int64_t text_bytes);

/// Maps a shard. Throws gt::Error, naming the file, if it is not a shard, cut short, damaged, or holds an id that is
/// not below its vocabulary size: reading each id once here makes every later read safe.
TokenShard read_token_shard(std::string const& path);

}  // namespace gt

#if !defined(GT_PREBUILT)
  #include "gt/text/token_shard_impl.hpp"
#endif
