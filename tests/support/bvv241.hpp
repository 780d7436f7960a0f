// SPDX-License-Identifier: MIT
// Where the author's n-gram lists and the golden values lie, which are no part of this repository.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <string>

namespace gt::test {

/// The folder that GT_BVV241_DIR names, with a slash; empty, with a message, where there is none.
inline std::string bvv241_folder() {
  char const* const given = std::getenv("GT_BVV241_DIR");
  std::string folder = given != nullptr ? std::string(given) + "/" : "";
  if (given != nullptr && std::ifstream(folder + "golden.json").good()) return folder;
  MESSAGE("skipped: set GT_BVV241_DIR to a folder with golden.json and the lists _n-gramms-*.txt of AVBochkov/PGT");
  return {};
}

}  // namespace gt::test
