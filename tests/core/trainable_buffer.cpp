// SPDX-License-Identifier: MIT
// Numbers that copies share while they are frozen, and that are copied before they train.
#include "gt/core/trainable_buffer.hpp"

#include <doctest/doctest.h>

#include <utility>

namespace trainable_buffer_test {

using gt::Buffer, gt::TrainableBuffer;

TEST_CASE("TrainableBuffer: copies share what is frozen; what trains is copied first, and with who holds it") {
  TrainableBuffer<float> one(Buffer<float>(3));
  auto const served = one;
  CHECK(served.shares_with(one));
  one.set_trains(true);
  CHECK((one.trains() && !served.trains() && !served.shares_with(one)));
  auto const snapshot = one;
  CHECK((snapshot.trains() && !snapshot.shares_with(one)));
  float const* const memory = one.data();
  one.set_trains(true);  // again: it is its own already
  CHECK(one.data() == memory);
  one[1] = 4;
  CHECK((served[1] == 0 && snapshot[1] == 0));

  one.set_trains(false);
  TrainableBuffer<float> frozen;
  frozen = one;
  CHECK((frozen.shares_with(one) && frozen[1] == 4));
  auto const moved = std::move(frozen);
  CHECK(moved.data() == memory);
}

}  // namespace trainable_buffer_test
