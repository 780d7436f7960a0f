// SPDX-License-Identifier: MIT
// Any bytes as a token shard: all ids of what is mapped lie below its vocabulary, and written again it is the same.
#include "gt/text/token_shard.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

#include "fuzz.hpp"

using namespace gt;

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

// Three times in four the checksum is made right again: who forges a file can do so as well.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
  size = LLVMFuzzerMutate(data, size, max_size);
  detail::ShardHeader header;
  if (seed % 4 == 0 || size < sizeof header) return size;
  std::memcpy(&header, data, sizeof header);
  if (seed % 4 == 1 && (header.width == 2 || header.width == 4)) header.count = (size - sizeof header) / header.width;
  header.checksum =
      detail::shard_checksum(header, std::as_bytes(std::span(data + sizeof header, size - sizeof header)));
  std::memcpy(data, &header, sizeof header);
  return size;
}

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  auto const input = fuzz::text_of(data, size);
  std::string const path = fuzz::folder().put("shard", input);
  TokenShard shard;
  if (!fuzz::accepts(size, {}, [&] { shard = read_token_shard(path); })) return 0;
  for (std::int64_t i = 0; i < shard.tokens.size(); ++i)
    fuzz::require(shard.tokens[i] >= 0 && shard.tokens[i] < shard.tokens.vocab_size(), "an id must be an id");
  fuzz::require(shard.text_bytes >= 0, "a text has a length");
  write_token_shard(path + "-2", shard.tokens, shard.fingerprint, shard.text_bytes);
  auto const again = read_token_shard(path + "-2");
  bool const same = again.fingerprint == shard.fingerprint && again.text_bytes == shard.text_bytes &&
                    again.tokens.vocab_size() == shard.tokens.vocab_size() &&
                    again.tokens.bytes().size() == shard.tokens.bytes().size() &&
                    std::equal(again.tokens.bytes().begin(), again.tokens.bytes().end(), shard.tokens.bytes().begin());
  fuzz::require(same, "what is written must read the same");
  return 0;
}
