// SPDX-License-Identifier: MIT
// What the programs share: errors as one sentence, Ctrl-C as a flag.
#pragma once

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>

namespace program {

inline volatile std::sig_atomic_t interrupted = 0;  ///< set by the first Ctrl-C or SIGTERM; a second one kills

inline void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = [](int) { interrupted = 1; };
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

/// Runs `body()`, which returns the exit status. What it throws becomes one sentence on stderr and a status of 1.
template <class F>
int guarded(F const& body) {
  try {
    return body();
  } catch (std::bad_alloc const&) {
    std::fprintf(stderr, "gt: not enough memory; try a smaller batch, context, width or vocabulary\n");
  } catch (std::exception const& error) {
    std::fprintf(stderr, "%s\n", error.what());
  }
  return EXIT_FAILURE;
}

}  // namespace program
