// SPDX-License-Identifier: MIT
// What lets `T({})` mean a T of all defaults.
#pragma once

#include <initializer_list>

#include "gt/base/macros.hpp"

namespace gt::inline GT_ABI {

namespace detail {
struct Nothing {
  Nothing() = delete;
};
}  // namespace detail

/// For one more constructor of a class T that is made of options with defaults: without it, `{}` in `T({})` may as well
/// be a T to be copied as the options, and nothing compiles. An empty list fits this better than either.
using Defaults = std::initializer_list<detail::Nothing>;

}  // namespace gt
