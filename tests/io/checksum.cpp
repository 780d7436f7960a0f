// SPDX-License-Identifier: MIT
// XXH3-64 against published answers and itself in pieces.
#include "gt/io/checksum.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace checksum_test {

TEST_CASE("Xxh3: known answer, and pieces of any size give the same sum") {
  CHECK(gt::io::Xxh3{}.hex() == "2d06800538d394c2");  // XXH3-64 of nothing
  std::string message;
  for (int i = 0; i < 2000; ++i) message += static_cast<char>(i * 37);
  auto const whole = gt::io::Xxh3{}.update(message).value();
  for (std::size_t cut : {0u, 1u, 16u, 240u, 241u, 1024u, 1999u, 2000u}) {
    CAPTURE(cut);
    auto const view = std::string_view{message};
    gt::io::Xxh3 sum;
    sum.update(view.substr(0, cut)).update(view.substr(cut));
    CHECK(sum.value() == whole);
    CHECK(gt::io::Xxh3(sum).update("x").value() == gt::io::Xxh3{}.update(message + "x").value());
  }
}

}  // namespace checksum_test
