// SPDX-License-Identifier: MIT
// The file of a prefix cache: found again by a later run; never read when it is of another prefix, half-written or
// damaged; nobody else's file is touched.
#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gt/backend/ref/ref.hpp"
#include "gt/cpu.hpp"
#include "gt/grow/prefix_cache.hpp"
#include "gt/io/text_file.hpp"
#include "io/support.hpp"
#include "support/data.hpp"
#include "support/model.hpp"

namespace prefix_cache_file_test {

using gt::BatchShape, gt::BlockConfig, gt::CachedAs, gt::Cpu, gt::Error, gt::PrefixCache, gt::PrefixCacheOptions;
using gt::read_text_file, gt::Ref;
using gt::test::bit_equal, gt::test::error_of, gt::test::FileSizeLimit, gt::test::has, gt::test::ids_below;
using gt::test::put, gt::test::scrambled, gt::test::TemporaryFolder;

namespace {

constexpr BlockConfig tiny{.d_model = 16, .heads = 2};
constexpr std::int64_t V = 29, T = 8, C = 16;
constexpr BatchShape shape{2, T};
constexpr std::int64_t head = 4096, entry = 64 + 64 + 4 * T * C;  // bytes
constexpr int windows = 6;
using Tiny = gt::Transformer<>;
using Ids = std::vector<std::int32_t>;

/// Three batches of two windows.
Ids batch(int number) { return ids_below(V, 2 * T, 100 + static_cast<std::uint32_t>(number)); }
std::vector<float> states_of(PrefixCache<Ref, Tiny>& cache, int number) {
  auto const x = cache.states(batch(number));
  return {x.data(), x.data() + x.size()};
}
std::vector<float> expected(Tiny const& model, int number, int depth) {
  std::vector<float> all;
  for (std::size_t w = 0; w < 2; ++w) {
    auto const ids = batch(number);
    auto const x = gt::hidden_states(Ref{}, model, std::span(ids).subspan(w * T, T), depth);
    all.insert(all.end(), x.memory.begin(), x.memory.end());
  }
  return all;
}
void check_states(PrefixCache<Ref, Tiny>& cache, Tiny const& model) {
  for (int b = 0; b < 3; ++b) CHECK(bit_equal(states_of(cache, b), expected(model, b, cache.depth())));
}

/// A model, and a file that holds all six windows at depth 2.
struct Place {
  TemporaryFolder folder;
  std::string file = folder / "prefix.cache";
  Tiny model = scrambled(tiny, 3, V, {.context = T});
  PrefixCacheOptions options{.bytes = head + windows * entry, .file = file};

  Place() {
    auto cache = opened();
    check_states(cache, model);
  }
  /// A cache at depth 2 on the file.
  PrefixCache<Ref, Tiny> opened() const {
    PrefixCache<Ref, Tiny> cache(Ref{}, model, shape, options);
    cache.set_depth(2);
    return cache;
  }
};
std::string const rebuilt = "' was of another prefix; it is filled anew",
                  damaged = "' is damaged in parts, which are computed anew";

}  // namespace

TEST_CASE("PrefixCache: a later run finds the windows of the file, and carries them on") {
  Place const place;
  CHECK(std::filesystem::file_size(place.file) == head + windows * entry);
  {
    auto cache = place.opened();
    CHECK(cache.use().windows == windows);
    check_states(cache, place.model);
    CHECK((cache.use().found == windows && cache.use().computed == 0));
    CHECK(cache.take_notice().empty());
    cache.set_depth(3);
    states_of(cache, 0);
    CHECK(cache.use().continued == 2);
  }
  auto cache = place.opened();  // two windows at depth 3, which the depths are told of one by one
  CHECK(cache.use().windows == 4);
  cache.set_depth(3);
  CHECK(cache.use().windows == windows);
  check_states(cache, place.model);
  CHECK((cache.use().found == 2 && cache.use().continued == 4 && cache.use().computed == 0));
  CHECK(cache.take_notice().empty());
}

TEST_CASE("PrefixCache: a file of another prefix is never read; it is filled anew, and that is said once") {
  Place place;
  SUBCASE("other weights") { place.model.blocks()[1].weights()[3] += 1e-3F; }
  SUBCASE("another table") {
    gt::Buffer<float> const rows = gt::test::substrate_of(V, C / 2).table().clone();  // under the same name
    rows[7] += 1e-3F;
    Tiny other(gt::FrozenTable("test", V, C / 2, rows, "test"), tiny, gt::seed(3), {.context = T});
    other.blocks() = place.model.blocks();
    place.model = other;
  }
  auto cache = place.opened();
  CHECK(cache.use().windows == 0);
  check_states(cache, place.model);
  CHECK(cache.use().computed == windows);
  CHECK(cache.take_notice() == "the prefix cache '" + place.file + rebuilt);
  CHECK(cache.take_notice().empty());
  check_states(cache, place.model);
  CHECK(cache.use().found == windows);
}

TEST_CASE("PrefixCache: other windows, another number of bits or another instruction set are another file") {
  Place const place;
  auto const notice = [&](auto on, BatchShape s, PrefixCacheOptions options) {
    PrefixCache cache(on, place.model, s, std::move(options));
    cache.set_depth(2);
    cache.states(ids_below(V, s.rows(), 7));
    CHECK(cache.use().found == 0);
    return cache.take_notice();
  };
  auto half = place.options;
  half.type = CachedAs::bf16;
  CHECK(has(notice(Ref{}, {2, 7}, place.options), rebuilt));
  CHECK(has(notice(Ref{}, shape, half), rebuilt));
  CHECK(has(notice(Ref{}, shape, place.options), rebuilt));
  CHECK(has(notice(Cpu<gt::Isa::scalar>(1), shape, place.options), rebuilt));
}

TEST_CASE("PrefixCache: budgets that grow and shrink keep the windows that still have room") {
  Place place;
  place.options.bytes = head + 4 * entry;
  CHECK(place.opened().use().windows == 4);
  place.options.bytes = head + 100 * entry;
  {
    auto cache = place.opened();
    check_states(cache, place.model);
    CHECK((cache.use().found == 4 && cache.use().computed == 2 && cache.use().windows == windows));
  }
  CHECK(place.opened().use().windows == windows);
  place.options.bytes = 0;
  auto cache = place.opened();
  check_states(cache, place.model);
  CHECK((cache.use().capacity == 0 && cache.use().computed == windows));
}

TEST_CASE("PrefixCache: a flipped bit anywhere in an entry is found, and the window computed") {
  Place const place;
  auto const good = read_text_file(place.file);
  int found_out = 0;
  for (std::int64_t const at : {0L, 7L, 8L, 15L, 64L, 95L, 128L, 300L, entry - 1}) {
    CAPTURE(at);
    auto bad = good;
    auto& byte = bad[static_cast<std::size_t>(head + 2 * entry + at)];
    byte = static_cast<char>(byte ^ 4);
    put(place.file, bad);
    auto cache = place.opened();
    check_states(cache, place.model);
    CHECK(cache.use().computed == 1);  // that window alone
    // Other ids, or a fingerprint of no prefix, are a window that nobody asks for: there is nothing to tell.
    auto const notice = cache.take_notice();
    CHECK((notice.empty() || notice == "the prefix cache '" + place.file + damaged));
    found_out += !notice.empty();
    check_states(cache, place.model);
  }
  CHECK(found_out == 5);
}

TEST_CASE("PrefixCache: a file that ends anywhere, or holds a window that is half of another depth, is never wrong") {
  Place const place;
  auto const shallow = read_text_file(place.file);
  {
    auto cache = place.opened();
    cache.set_depth(3);
    check_states(cache, place.model);
  }
  auto const deep = read_text_file(place.file);
  for (std::int64_t const size : {16L, 40L, 100L, head - 1, head, head + 1, head + 7, head + entry - 1, head + entry,
                                  head + 3 * entry + 130, head + windows * entry - 1}) {
    CAPTURE(size);
    put(place.file, deep.substr(0, static_cast<std::size_t>(size)));
    auto cache = place.opened();
    cache.set_depth(3);
    check_states(cache, place.model);
  }
  for (std::int64_t const torn : {8L, 16L, 100L, 128L, 400L, entry - 1}) {
    CAPTURE(torn);
    auto const cut = static_cast<std::size_t>(head + 3 * entry + torn);  // a crash in the middle of the fourth
    put(place.file, deep.substr(0, cut) + shallow.substr(cut));
    auto cache = place.opened();
    cache.set_depth(3);
    check_states(cache, place.model);
    CHECK((cache.use().found == 3 && cache.use().continued == 2 && cache.use().computed == 1));
    CHECK(has(cache.take_notice(), damaged));
  }
}

TEST_CASE("PrefixCache: a disk that is full takes no more windows; the others are computed, and that is said once") {
  Place const place;
  std::filesystem::remove(place.file);
  auto cache = place.opened();
  {
    FileSizeLimit const full(static_cast<rlim_t>(head + 3 * entry + 100));
    for (int epoch = 0; epoch < 2; ++epoch) check_states(cache, place.model);
    CHECK(cache.use().windows == 3);
    CHECK(cache.use().found == 3);
    CHECK(cache.take_notice() ==
          "the prefix cache '" + place.file +
              "' takes no more windows (got: File too large); those without a place in it are computed each time");
    CHECK(cache.take_notice().empty());
    cache.set_depth(3);
    check_states(cache, place.model);
    CHECK(cache.use().continued == 3);
  }
  auto const made = [&] {
    FileSizeLimit const full(100);
    place.opened();
  };
  std::filesystem::remove(place.file);
  CHECK(error_of(made) == "gt: PrefixCache: '" + place.file + "' must take " + std::to_string(head + windows * entry) +
                              " bytes (got: File too large); take a smaller budget or another disk");
}

TEST_CASE("PrefixCache: what is no prefix cache stays as it is, and what cannot be written is one sentence") {
  Place place;
  auto const refused = [&](std::string const& file) {
    place.options.file = file;
    auto const error = error_of([&] { place.opened(); });
    CHECK(error_of([&] { gt::growth::check_file(place.options); }) == error);  // says so beforehand
    return error;
  };
  std::string const text = place.folder / "austen.txt", words = "It is a truth universally acknowledged, that";
  for (auto const& contents : {words, words.substr(0, 10), std::string(10'000, '\0')}) {
    put(text, contents);
    CHECK(refused(text) == "gt: PrefixCache: '" + text +
                               "' must be a prefix cache or not exist (got another file, which is left as it is)");
    CHECK(read_text_file(text) == contents);
  }
  auto const nowhere = place.folder / "none/prefix.cache";
  CHECK(refused(nowhere) ==
        "gt: PrefixCache: '" + nowhere + "' must be a writable file (got: No such file or directory)");
  CHECK(has(refused(place.folder.path()), "must be a writable file (got: Is a directory)"));
  CHECK(
      has(refused("/dev/null"), "'/dev/null' must be a regular file or not exist (got a folder, a pipe or a device)"));
  place.options.file = place.file;
  auto first = place.opened();
  CHECK(refused(place.file) == "gt: PrefixCache: '" + place.file + "' must not be in use by another run");
  check_states(first, place.model);
  CHECK(first.use().found == windows);
  auto const other = place.folder / "other.cache";
  CHECK_NOTHROW(gt::growth::check_file({.file = other}));
  CHECK(!std::filesystem::exists(other));
  CHECK_NOTHROW(gt::growth::check_file({.file = ""}));
}

TEST_CASE("PrefixCache: on a file system without locks a file is refused, and not taken for one in use") {
  Place place;
  auto const told = [&](int error) {
    return gt::test::where_flock_fails(error, [&] { return error_of([&] { gt::growth::check_file(place.options); }); });
  };
  if (told(ENOLCK) == "skipped") return;
  CHECK(told(ENOLCK) == "gt: PrefixCache: '" + place.file +
                            "' must be on a file system with locks (got: No locks available); choose another place, "
                            "or keep the cache in memory");
  CHECK(has(told(EIO), "(got: Input/output error)"));
  CHECK(told(EWOULDBLOCK) == "gt: PrefixCache: '" + place.file + "' must not be in use by another run");
}

TEST_CASE("PrefixCache: to check a file changes nothing in it") {
  Place place;
  { place.opened(); }
  auto const before = read_text_file(place.file);
  CHECK_NOTHROW(gt::growth::check_file(place.options));
  CHECK(read_text_file(place.file) == before);
}

}  // namespace prefix_cache_file_test
