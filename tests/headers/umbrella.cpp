// SPDX-License-Identifier: MIT
// The umbrella header alone, compiled for several instruction sets.
#include "gt/gt.hpp"

int main() {}
