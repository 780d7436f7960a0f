# Toolchain of the clang presets: Debian installs clang++-14, others clang++.
find_program(GT_CLANG NAMES clang++-14 clang++ clang++-15 clang++-16 clang++-17 clang++-18 clang++-19 REQUIRED)
set(CMAKE_CXX_COMPILER ${GT_CLANG})
