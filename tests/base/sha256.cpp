// SPDX-License-Identifier: MIT
// SHA-256 against published answers, and the independence of how the bytes are cut.
#include "gt/base/sha256.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace sha256_test {

TEST_CASE("sha256: known answers of FIPS 180-4's examples") {
  CHECK(gt::sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(gt::sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(gt::sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(gt::sha256_hex(std::string(1'000'000, 'a')) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("sha256: pieces of any size give the same hash, around the block of 64 bytes") {
  for (std::size_t size : {0u, 1u, 54u, 55u, 56u, 57u, 63u, 64u, 65u, 119u, 120u, 128u, 200u}) {
    CAPTURE(size);
    std::string message;
    for (std::size_t i = 0; i < size; ++i) message += static_cast<char>(i * 37 + 11);
    auto const whole = gt::sha256_hex(message);
    for (std::size_t cut = 0; cut <= size; ++cut) {
      auto const view = std::string_view{message};
      CHECK(gt::Sha256{}.update(view.substr(0, cut)).update(view.substr(cut)).hex() == whole);
    }
    gt::Sha256 bytewise;
    for (char const& c : message) bytewise.update(std::string_view{&c, 1});
    CHECK(bytewise.hex() == whole);
    CHECK(bytewise.hex() == whole);  // hex() does not end it
    CHECK(bytewise.update("x").hex() == gt::sha256_hex(message + "x"));
  }
}

}  // namespace sha256_test
