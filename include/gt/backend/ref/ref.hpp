// SPDX-License-Identifier: MIT
// The reference backend: scalar loops on one thread, in any scalar type. It is the oracle of every other backend.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "gt/backend/ref/gemm.hpp"
#include "gt/backend/ref/lane.hpp"
#include "gt/core/backend.hpp"

namespace gt {

/// `Ref{}` runs every op in `float`, `double` or `std::complex<double>`.
struct Ref {
  using tag = ref_tag;

  template <class T>
  ScalarLane<T> lane() const {
    return {};
  }
  int threads() const { return 1; }
  static constexpr char const* name() { return "ref"; }

  template <class F>
  void parallel_for(std::int64_t jobs, F const& body) const {
    for (std::int64_t job = 0; job < jobs; ++job) body(job);
  }
  template <class T>
  T* scratch(int slot, std::int64_t count) const {
    thread_local std::array<std::vector<T>, 8> memory;
    auto& m = memory[static_cast<std::size_t>(slot)];
    if (static_cast<std::int64_t>(m.size()) < count) m.resize(static_cast<std::size_t>(count));
    return m.data();
  }
};

template <class T>
void gemm(Ref const&, MatrixRef<T> a, In<MatrixRef<T>> b, In<GemmOutput<T>> c, GemmShape shape) {
  gemm_by_definition<T>(a, b, c, shape);
}
template <class T>
void gemm_serial(Ref const&, MatrixRef<T> a, In<MatrixRef<T>> b, In<GemmOutput<T>> c, GemmShape shape) {
  gemm_by_definition<T>(a, b, c, shape);
}

static_assert(Backend<Ref>);

}  // namespace gt
