// SPDX-License-Identifier: MIT
// The sizes that attention and its kernels share.
#pragma once

#include <cstdint>

#include "gt/base/macros.hpp"

namespace gt::inline GT_ABI::ops {

/// The sizes of one attention call. Query t of a sequence stands at position first + t and sees keys 0 ... first + t;
/// `first` is not 0 when earlier keys come from a cache.
struct AttentionShape {
  std::int64_t batch = 1;                                          ///< B, sequences
  std::int64_t heads = 1;                                          ///< H
  std::int64_t d_head = 1;                                         ///< D
  std::int64_t queries = 1;                                        ///< queries of a sequence
  std::int64_t first = 0;                                          ///< position of the first query
  constexpr std::int64_t keys() const { return first + queries; }  ///< Tk, keys of a sequence
};

}  // namespace gt::ops
