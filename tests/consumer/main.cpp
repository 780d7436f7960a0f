// SPDX-License-Identifier: MIT
// A user's program: it sees the library, and none of the library's own flags.
#include <cstdio>

#if __has_include("gt/gt.hpp")
  #include "gt/gt.hpp"
#else
  #include "gt/base/version.hpp"
#endif

#if !defined(CONSUMER_WANTS_NATIVE) && defined(__AVX__)
  #error "gt::gt passed an -march on to its user"
#endif

int main() { std::puts(gt::version); }
