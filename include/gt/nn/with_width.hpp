// SPDX-License-Identifier: MIT
// From a width known at run time to a type that has it.
#pragma once

#include <string>
#include <type_traits>
#include <utility>

#include "gt/base/error.hpp"

namespace gt {

/// Calls f(std::integral_constant<int, W>{}) with the W of the list that equals `width`, and returns its result.
///
///     gt::with_width<128, 256>(width, [](auto w) { return gt::BlockConfig{.d_model = w}.parameters(); });
///
/// Errors: a width that is not in the list; the sentence names those that are.
template <int... Widths, class F>
auto with_width(int width, F&& f) {
  static_assert(sizeof...(Widths) > 0);
  using Result = std::common_type_t<decltype(f(std::integral_constant<int, Widths>{}))...>;
  std::string compiled;
  (compiled.append(compiled.empty() ? "" : ", ").append(std::to_string(Widths)), ...);
  if (((width != Widths) && ...)) {
    fail("with_width", "the width must be one that is compiled in: ", compiled, " (got ", width, ")");
  }
  if constexpr (std::is_void_v<Result>) {
    ((width == Widths ? f(std::integral_constant<int, Widths>{}) : void()), ...);
  } else {
    Result result{};
    ((width == Widths ? void(result = f(std::integral_constant<int, Widths>{})) : void()), ...);
    return result;
  }
}

}  // namespace gt
