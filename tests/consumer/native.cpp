// SPDX-License-Identifier: MIT
// A user's program that asked for gt::native: it may use all that this machine has.
#include <gt/backend/cpu/isa.hpp>
#include <iostream>

int main() { std::cout << gt::name(gt::native_isa) << '\n'; }
