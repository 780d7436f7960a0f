// SPDX-License-Identifier: MIT
// The reference backend: scalar loops on one thread, in any scalar type. It is the oracle of every other backend.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "gt/backend/ref/gemm.hpp"
#include "gt/backend/ref/lane.hpp"
#include "gt/core/backend.hpp"

namespace gt::inline GT_ABI {

/// `Ref{}` runs every op in `float`, `double` or `std::complex<double>`.
struct Ref {
  using tag = ref_tag;  ///< selects the generic bodies

  /// The lane that row kernels are written over.
  template <class T>
  ScalarLane<T> lane() const {
    return {};
  }
  int threads() const { return 1; }                      ///< always one
  static constexpr char const* name() { return "ref"; }  ///< for reports

  /// body(0) ... body(jobs - 1), in this order.
  template <class F>
  void parallel_for(std::int64_t jobs, F const& body) const {
    for (std::int64_t job = 0; job < jobs; ++job) body(job);
  }
  /// Memory of the calling thread, kept until its next call with the same slot and type.
  template <class T>
  T* scratch(int slot, std::int64_t count) const {
    thread_local std::array<std::vector<T>, 8> memory;
    auto& m = memory[static_cast<std::size_t>(slot)];
    if (static_cast<std::int64_t>(m.size()) < count) m.resize(static_cast<std::size_t>(count));
    return m.data();
  }
};

/// C = addend + bias + A B, as the definition reads; then the epilogue on all of C.
template <class T>
void gemm(Ref const&, ops::MatrixRef<T> a, In<ops::MatrixRef<T>> b, In<ops::GemmOutput<T>> c, ops::GemmShape shape,
          ops::Epilogue const& epilogue = {}) {
  gemm_by_definition<T>(a, b, c, shape);
  epilogue(0, 0, shape.m, shape.n);
}
/// The same as `gemm`: there is one thread only.
template <class T>
void gemm_serial(Ref const&, ops::MatrixRef<T> a, In<ops::MatrixRef<T>> b, In<ops::GemmOutput<T>> c,
                 ops::GemmShape shape) {
  gemm_by_definition<T>(a, b, c, shape);
}

static_assert(Backend<Ref>);

}  // namespace gt
