// SPDX-License-Identifier: MIT
// What is wrong with the tensors of a file, as a part of one sentence.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "gt/base/error.hpp"

namespace gt::inline GT_ABI::detail {

/// Whether all numbers, which lie there as E's, are finite as fp32.
template <class E, class F>
bool all_finite(std::span<std::byte const> bytes, F const& to_float) {
  bool finite = true;
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(E)) {
    E element;
    std::memcpy(&element, bytes.data() + at, sizeof(E));
    finite &= std::isfinite(to_float(element));
  }
  return finite;
}
inline bool all_finite(std::span<std::byte const> floats) {
  return all_finite<float>(floats, [](float x) { return x; });
}

/// Lists the first hundred by name and counts the rest: a file of a few bytes may ask for a model of thousands.
class TensorFaults {
 public:
  /// `what` follows the name.
  void add(std::string_view name, std::string_view what) {
    if (++count_ <= most) list_ += text(list_.empty() ? "" : ", ", name, what);
  }
  bool none() const { return count_ == 0; }
  /// "a is missing, b is misshapen, and 3 more"
  std::string list() const { return count_ > most ? text(list_, ", and ", count_ - most, " more") : list_; }

 private:
  static constexpr std::int64_t most = 100;
  std::string list_;
  std::int64_t count_ = 0;
};

}  // namespace gt::detail
