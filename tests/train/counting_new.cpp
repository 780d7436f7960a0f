// SPDX-License-Identifier: MIT
// `new` that counts, of the whole test program. Apart from its users, or the compiler pairs inlined halves wrongly.
#include "train/counting_new.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace {
std::atomic<std::int64_t> count{0};

void* counted(void* p) {
  if (p == nullptr) throw std::bad_alloc{};
  ++count;
  return p;
}
}  // namespace

std::int64_t gt::test::allocations() { return count; }

void* operator new(std::size_t size) { return counted(std::malloc(size > 0 ? size : 1)); }
void* operator new(std::size_t size, std::align_val_t where) {
  auto const line = static_cast<std::size_t>(where);
  return counted(std::aligned_alloc(line, (size + line - 1) / line * line));
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
