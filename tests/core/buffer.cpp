// SPDX-License-Identifier: MIT
// Buffers: aligned and zero at first, shared by copies, apart after clone, and adopting the memory of others.
#include "gt/core/buffer.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace buffer_test {

using gt::Buffer;

TEST_CASE_TEMPLATE("Buffer: zeros at an address of 64 bytes", T, std::byte, float, double, std::complex<double>) {
  for (std::int64_t const size : {1, 3, 64, 1000}) {
    Buffer<T> const buffer(size);
    CHECK((buffer.size() == size && !buffer.empty()));
    CHECK(reinterpret_cast<std::uintptr_t>(buffer.data()) % gt::alignment == 0);
    CHECK(std::all_of(buffer.begin(), buffer.end(), [](T x) { return x == T{}; }));
    CHECK(buffer.span().size() == static_cast<std::size_t>(size));
  }
}

TEST_CASE("Buffer: nothing in an empty one") {
  for (auto const& buffer : {Buffer<float>(), Buffer<float>(0), Buffer<float>().clone()}) {
    CHECK((buffer.empty() && buffer.size() == 0 && buffer.data() == nullptr && buffer.begin() == buffer.end()));
  }
}

TEST_CASE("Buffer: a copy shares, a clone does not") {
  Buffer<float> one(3);
  one[0] = 1, one[1] = 2, one[2] = 3;
  auto const shared = one;
  auto const apart = one.clone();
  CHECK(shared.shares_with(one));
  CHECK(!apart.shares_with(one));
  shared[1] = 7;
  CHECK((one[1] == 7 && apart[1] == 2 && apart[2] == 3 && apart.size() == 3));
  one = Buffer<float>(1);
  CHECK((shared.size() == 3 && shared[1] == 7));  // the last handle keeps the memory
  auto const moved = std::move(one);
  CHECK(moved.size() == 1);
}

TEST_CASE("Buffer: unshare copies where another handle keeps the memory, or nobody does") {
  Buffer<float> one(2);
  one[0] = 5;
  float const* const memory = one.data();
  CHECK(!one.is_shared());
  one.unshare();
  CHECK(one.data() == memory);
  {
    auto const other = one;
    CHECK((one.is_shared() && other.is_shared()));
    one.unshare();
    CHECK((one.data() != memory && other.data() == memory));
    CHECK((!one.is_shared() && !other.is_shared() && one[0] == 5));
  }
  static float constant[] = {1, 2};  // as the weights of an embedded model
  auto wrapped = Buffer<float>::wrap(std::shared_ptr<float>(std::shared_ptr<void>{}, constant), 2);
  wrapped.unshare();
  CHECK((wrapped.data() != constant && wrapped[1] == 2));
  CHECK(!Buffer<float>().is_shared());
}

TEST_CASE("Buffer: wrap keeps the owner of foreign memory alive") {
  auto numbers = std::make_shared<std::vector<float>>(std::vector<float>{1, 2, 3, 4});
  std::weak_ptr<std::vector<float>> const watch = numbers;
  auto wrapped = Buffer<float>::wrap(std::shared_ptr<float>(numbers, numbers->data() + 1), 2);
  numbers.reset();
  CHECK(!watch.expired());
  CHECK((wrapped.size() == 2 && wrapped[0] == 2 && wrapped[1] == 3));
  auto const copy = wrapped.clone();
  wrapped = {};
  CHECK(watch.expired());
  CHECK(copy[1] == 3);
}

}  // namespace buffer_test
