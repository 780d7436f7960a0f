// SPDX-License-Identifier: MIT
// The CPU backend with all of its kernels: what a program includes to run on a CPU.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "gt/backend/cpu/gemm.hpp"
#include "gt/backend/cpu/isa.hpp"
#include "gt/backend/cpu/lane.hpp"
#include "gt/backend/cpu/packed_weights.hpp"
#include "gt/backend/cpu/threads.hpp"
#include "gt/base/error.hpp"
#include "gt/core/backend.hpp"
#include "gt/core/buffer.hpp"
#include "gt/core/profile.hpp"
#include "gt/ops/attention/cpu.hpp"
#include "gt/ops/attention/cpu_backward.hpp"

namespace gt::inline GT_ABI {

/// SIMD registers of instruction set I and a number of threads. Results do not depend on that number.
template <Isa I>
class Cpu {
 public:
  using tag = cpu_tag;           ///< selects the CPU kernels
  static constexpr Isa isa = I;  ///< that the kernels are compiled for

  /// All cores this process may use, or `threads` of them. Errors: a negative number, or one above `max_threads`.
  explicit Cpu(int threads = 0) : threads_{threads > 0 ? threads : available_threads()} {
    check(threads >= 0, "Cpu", "the number of threads must not be negative (got ", threads, "); 0 takes all cores");
    check(threads <= max_threads, "Cpu", "the number of threads must lie in 0 ... ", max_threads, " (got ", threads,
          "); 0 takes all cores");
  }

  /// The same backend with matrix products in another precision; attention, norms and updates stay fp32.
  /// Errors: bf16 where the machine, or the build, has no bf16 dot products (`has_bf16_products`).
  Cpu with(Products products) const {
    check(products == Products::fp32 || has_bf16_products<I>, "Cpu", "products in bf16 need AVX512-BF16 (this is ",
          name(), has_bf16_products<native_isa> ? "" : ", built without it", "); use fp32");
    Cpu copy = *this;
    copy.products_ = products;
    return copy;
  }
  Products products() const { return products_; }  ///< fp32, unless said otherwise

  /// That it runs on; one where the compiler had no OpenMP.
  int threads() const { return has_threads ? threads_ : 1; }
  static constexpr char const* name() { return gt::name(I); }  ///< of the instruction set, for reports

  /// The same backend, whose ops add their times to `profile`, which must outlive it. For one thread's calls only.
  Cpu profiled(ops::Profile& profile) const {
    Cpu copy = *this;
    copy.profile_ = &profile;
    return copy;
  }
  ops::Profile* profile() const { return profile_; }  ///< null: nothing is measured

  /// The same backend, which packs weights that lie in `constants` once. The copy and its copies share what is kept,
  /// on any number of threads.
  Cpu keeping(std::vector<ConstantMemory> constants) const {
    Cpu copy = *this;
    copy.packed_ = std::make_shared<simd::PackedWeights<I>>(std::move(constants));
    return copy;
  }
  simd::PackedWeights<I>* packed_weights() const { return packed_.get(); }    ///< null: nothing is kept
  std::int64_t kept_bytes() const { return packed_ ? packed_->bytes() : 0; }  ///< of weights packed so far

  /// The lane that row kernels are written over.
  template <class T>
  simd::Lane<I, T> lane() const {
    return {};
  }
  /// body(0) ... body(jobs - 1), each once, in any order, on any thread.
  template <class F>
  void parallel_for(std::int64_t jobs, F const& body) const {
    detail::parallel_jobs(threads_, jobs, body);
  }
  /// Memory of the calling thread, kept until its next call with the same slot; it grows and is never given back.
  template <class T>
  T* scratch(int slot, std::int64_t count) const {
    thread_local std::array<Buffer<T>, 8> memory;
    auto& m = memory[static_cast<std::size_t>(slot)];
    if (m.size() < count) m = Buffer<T>(count);
    return m.data();
  }

 private:
  int threads_;
  Products products_ = Products::fp32;
  ops::Profile* profile_ = nullptr;
  std::shared_ptr<simd::PackedWeights<I>> packed_;
};

static_assert(Backend<Cpu<>>);

}  // namespace gt

// The ops in fp32 are declared here where gt::prebuilt has them, so that no unit compiles them again.
#if defined(GT_PREBUILT)
  #include "gt/ops/adamw.hpp"
  #include "gt/ops/attention/attention.hpp"
  #include "gt/ops/attention/shape.hpp"
  #include "gt/ops/cross_entropy.hpp"
  #include "gt/ops/embedding.hpp"
  #include "gt/ops/gelu.hpp"
  #include "gt/ops/layer_norm.hpp"
  #include "gt/ops/linear.hpp"
  #include "gt/ops/linear_gelu.hpp"
  #include "gt/ops/lora.hpp"
  #include "gt/ops/residual.hpp"
  #include "gt/ops/rms_norm.hpp"
  #include "gt/ops/rope.hpp"

namespace gt::inline GT_ABI {
  #define GT_INSTANCE extern template
  #define GT_BACKEND Cpu<>
  #define GT_SCALAR float
  #include "gt/prebuilt/ops.inc"
  #undef GT_INSTANCE
  #undef GT_BACKEND
  #undef GT_SCALAR
}  // namespace gt
#endif
