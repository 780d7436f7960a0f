// SPDX-License-Identifier: MIT
// What gt/text/windows.hpp declares.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "gt/base/error.hpp"
#include "gt/base/macros.hpp"
#include "gt/base/philox.hpp"
#include "gt/text/tokens.hpp"
#include "gt/text/windows.hpp"

namespace gt::inline GT_ABI {

GT_FN WindowLoader::WindowLoader(Tokens tokens, std::int64_t context, Seed seed)
    : tokens_{std::move(tokens)}, context_{context}, seed_{seed} {
  check(context >= 1, "WindowLoader", "context must be at least 1 (got ", context, ")");
  windows_ = std::max<std::int64_t>(tokens_.size() - 1, 0) / context;
  check(windows_ >= 1, "WindowLoader", "the training part must hold one window of context + 1 = ", context + 1,
        " tokens (got ", tokens_.size(), "); take more text or a shorter context");
}

GT_FN std::int64_t WindowLoader::sample_window(std::int64_t sample) const {
  check(sample >= 0, "WindowLoader", "a sample number must not be negative (got ", sample, ")");
  return window_in(permutation(epoch(sample)), sample);
}

GT_FN void WindowLoader::fill(std::int64_t first_sample, std::int64_t batch, std::span<std::int32_t> inputs,
                              std::span<std::int32_t> targets) const {
  check(first_sample >= 0 && batch >= 0, "WindowLoader::fill", "sample and batch must not be negative (got ",
        first_sample, ", ", batch, ")");
  auto const length = static_cast<std::size_t>(context_), rows = static_cast<std::size_t>(batch);
  check(inputs.size() == rows * length && targets.size() == inputs.size(), "WindowLoader::fill",
        "inputs and targets must hold batch * context = ", rows * length, " ids (got ", inputs.size(), ", ",
        targets.size(), ")");
  for (std::size_t row = 0; row < rows; ++row) {
    std::int64_t const sample = first_sample + static_cast<std::int64_t>(row);
    std::int64_t const begin = window_in(permutation(epoch(sample)), sample) * context_;
    tokens_.copy(begin, inputs.subspan(row * length, length));
    tokens_.copy(begin + 1, targets.subspan(row * length, length));
  }
}

GT_FN Permutation WindowLoader::permutation(std::int64_t epoch) const {
  return {static_cast<std::uint64_t>(windows_), seed_, static_cast<std::uint32_t>(epoch)};
}

GT_FN std::int64_t WindowLoader::window_in(Permutation const& order, std::int64_t sample) const {
  return static_cast<std::int64_t>(order(static_cast<std::uint64_t>(sample % windows_)));
}

GT_FN EvaluationWindows::EvaluationWindows(Tokens tokens, std::int64_t context)
    : tokens_{std::move(tokens)}, context_{context} {
  check(context >= 1, "EvaluationWindows", "context must be at least 1 (got ", context, ")");
  check(tokens_.size() >= 2, "EvaluationWindows", "the text must hold 2 tokens or more (got ", tokens_.size(), ")");
}

GT_FN std::int64_t EvaluationWindows::length(std::int64_t window) const {
  check(window >= 0 && window < windows(), "EvaluationWindows", "the window must be in [0, ", windows(), ") (got ",
        window, ")");
  return std::min(context_, targets() - window * context_);
}

GT_FN std::int64_t EvaluationWindows::fill(std::int64_t window, std::span<std::int32_t> inputs,
                                           std::span<std::int32_t> targets) const {
  auto const count = static_cast<std::size_t>(length(window));
  check(inputs.size() >= count && targets.size() >= count, "EvaluationWindows::fill", "room for ", count,
        " ids is needed (got ", inputs.size(), ", ", targets.size(), ")");
  tokens_.copy(window * context_, inputs.first(count));
  tokens_.copy(window * context_ + 1, targets.first(count));
  return static_cast<std::int64_t>(count);
}

}  // namespace gt
