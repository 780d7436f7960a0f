// SPDX-License-Identifier: MIT
// Any bytes as UTF-8: no byte is lost, and what is mended is well-formed.
#include "gt/text/utf8.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "fuzz.hpp"

using namespace gt;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  auto const input = fuzz::text_of(data, size);
  std::string again;
  std::size_t units = 0, at = 0;
  bool valid = true;
  for (utf8::Unit const unit : utf8::Units{input}) {
    fuzz::require(unit.size >= 1 && unit.size <= 4 && unit.size <= size - at, "a unit must lie in the text");
    if (unit.valid) {
      fuzz::require(utf8::is_scalar_value(unit.value) && utf8::encode(unit.value) == input.substr(at, unit.size),
                    "a character must have one encoding");
      utf8::append(again, unit.value);
    } else {
      fuzz::require(unit.size == 1 && unit.value == data[at], "a malformed byte must be itself");
      again += static_cast<char>(unit.value);
    }
    at += unit.size, ++units, valid = valid && unit.valid;
  }
  fuzz::require(again == input && units == utf8::length(input), "the units must be the text");
  fuzz::require(valid == utf8::is_valid(input), "a text is UTF-8 when its units are");

  std::string const mended = utf8::replace_malformed(input);
  fuzz::require(utf8::is_valid(mended) && utf8::replace_malformed(mended) == mended, "what is mended must be UTF-8");
  fuzz::require(!valid || mended == input, "what is sound must stay");

  std::size_t const whole = utf8::complete_prefix(input);
  fuzz::require(whole <= size && size - whole <= 3, "at most three bytes may wait");
  fuzz::require(utf8::length(input.substr(0, whole)) + utf8::length(input.substr(whole)) == units,
                "a stream must be cut between units");
  return 0;
}
