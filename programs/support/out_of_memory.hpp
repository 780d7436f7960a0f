// SPDX-License-Identifier: MIT
// What happens where memory is short.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>

namespace program {

/// Says that memory is short, once for all threads.
inline void tell_of_memory() {
  std::fprintf(stderr, "gt: not enough memory; try a smaller batch, context, width or vocabulary\n");
}
/// Kernels promise not to throw, and have scratch memory of their threads: where there is none, the program ends with
/// this sentence, not with an abort.
inline void end_where_memory_is_short() {
  std::set_terminate([] {
    try {
      if (auto const error = std::current_exception()) std::rethrow_exception(error);
    } catch (std::bad_alloc const&) {
      tell_of_memory();
      std::_Exit(EXIT_FAILURE);
    } catch (...) {
    }
    std::abort();
  });
}

}  // namespace program
