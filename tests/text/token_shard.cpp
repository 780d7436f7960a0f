// SPDX-License-Identifier: MIT
// Token shards: mapped ids are the written ones, and damaged files are refused.
#include "gt/text/token_shard.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "gt/io/text_file.hpp"
#include "io/support.hpp"

namespace token_shard_test {

using namespace gt;
using test::error_of, test::has;

namespace {
std::string const print = "0123456789abcdef0123456789abcdef";
}

TEST_CASE("Tokens: two bytes an id where they fit, copies and slices share") {
  for (std::int64_t const vocab : {10, 65536, 65537}) {
    std::vector<std::int32_t> const ids{1, 9, 0, 3};
    auto const tokens = Tokens::from_ids(ids, vocab);
    CHECK(tokens.width() == (vocab <= 65536 ? 2 : 4));
    CHECK(tokens.size() == 4);
    CHECK(tokens[1] == 9);
    std::vector<std::int32_t> out(2);
    tokens.slice(1, 3).copy(1, out);
    CHECK(out == std::vector{0, 3});
    CHECK(has(error_of([&] { tokens.copy(3, out); }), "must lie in [0, 4)"));
    CHECK(has(error_of([&] { tokens.copy(-1, out); }), "must lie in"));
    CHECK(has(error_of([&] { tokens.slice(0, 5); }), "must lie in"));
  }
  CHECK(has(error_of([] {
              Tokens::from_ids(std::vector{1, 5}, 5);
            }),
            "every id must be in [0, 5) (got 5 at position 1)"));
  CHECK(has(error_of([] { Tokens::from_ids(std::vector{-1}, 5); }), "(got -1 at position 0)"));
  CHECK(Tokens{}.size() == 0);
}

TEST_CASE("token shards: a round trip in both widths, which outlives the file") {
  test::TemporaryFolder const folder;
  for (std::int64_t const vocab : {1000, 100000}) {
    std::vector<std::int32_t> ids;
    for (std::int32_t i = 0; i < 5000; ++i) ids.push_back(static_cast<std::int32_t>(i * 7919 % vocab));
    write_token_shard(folder / "s", Tokens::from_ids(ids, vocab), print, 12345);
    auto const shard = read_token_shard(folder / "s");
    std::vector<std::int32_t> out(ids.size());
    write_token_shard(folder / "s", {}, print, 0);
    shard.tokens.copy(0, out);
    CHECK(out == ids);
    CHECK(shard.text_bytes == 12345);
    CHECK(shard.fingerprint == print.substr(0, 16));
    CHECK(shard.tokens.vocab_size() == vocab);
    CHECK(read_token_shard(folder / "s").tokens.size() == 0);
  }
  CHECK(has(error_of([&] { write_token_shard(folder / "t", {}, "short", 0); }), "16 digits"));
}

TEST_CASE("token shards: no damaged or hostile file is read") {
  test::TemporaryFolder const folder;
  std::string const path = folder / "s";
  write_token_shard(path, Tokens::from_ids(std::vector{1, 2, 3, 4}, 1000), print, 9);
  std::string const good = read_text_file(path);
  REQUIRE(good.size() == 72);
  auto const error = [&](std::string const& bytes) {
    test::put(path, bytes);
    return error_of([&] { read_token_shard(path); });
  };
  for (std::size_t size = 0; size < good.size(); ++size) CHECK(has(error(good.substr(0, size)), path));
  CHECK(has(error(good + "x"), "must hold 4 ids"));
  for (std::size_t i = 0; i < good.size(); ++i) {  // one bit anywhere
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    CHECK(has(error(bad), path));
  }
  // An id beyond the vocabulary under a checksum that agrees.
  detail::ShardHeader header;
  std::memcpy(&header, good.data(), sizeof header);
  header.vocab_size = 4;
  header.checksum = detail::shard_checksum(header, std::as_bytes(std::span{good}).subspan(64));
  std::string bad = good;
  std::memcpy(bad.data(), &header, sizeof header);
  CHECK(has(error(bad), "every id must be below 4 (got 4 at position 3)"));
  CHECK(error(good) == "no error");
}

}  // namespace token_shard_test
