// SPDX-License-Identifier: MIT
// What gt/substrate/frozen_table.hpp declares.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/core/buffer.hpp"
#include "gt/substrate/frozen_table.hpp"

namespace gt::inline GT_ABI {

GT_FN FrozenTable::FrozenTable(std::string method, std::int64_t vocab, int width, Buffer<float> rows,
                               std::string fingerprint)
    : method_{std::move(method)},
      vocab_{vocab},
      width_{width},
      rows_{std::move(rows)},
      fingerprint_{std::move(fingerprint)} {
  check(vocab >= 1 && width >= 1, "FrozenTable", "needs at least one token and one column (got ", vocab, " x ", width,
        ")");
  check(rows_.size() % width == 0 && rows_.size() / width == vocab, "FrozenTable", "must hold ", vocab, " rows of ",
        width, " numbers (got ", rows_.size(), " numbers)");
  check(std::all_of(rows_.begin(), rows_.end(), [](float x) { return std::isfinite(x); }), "FrozenTable",
        "every number must be finite (got a NaN or an infinity)");
  check(!fingerprint_.empty(), "FrozenTable", "needs a fingerprint (got none)");
}

GT_FN void substrate::check_lift(int width, int d_model) {
  check(width >= 1 && d_model >= width && d_model % width == 0, "lift",
        "the width of the substrate must divide d_model (got ", width, " and ", d_model, ")");
}

namespace detail {

GT_FN void normalise_rows(Buffer<float> const& rows, int n, double shortest) {
  for (float* x = rows.begin(); x != rows.end(); x += n) {
    double sum = 0;
    for (int j = 0; j < n; ++j) sum += double{x[j]} * double{x[j]};
    double const length = std::sqrt(sum), scale = length > shortest ? 1 / length : 0;
    for (int j = 0; j < n; ++j) x[j] = static_cast<float>(x[j] * scale);
  }
}

}  // namespace detail

}  // namespace gt
