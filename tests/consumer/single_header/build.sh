#!/bin/sh
# A user without CMake, who has nothing of gt but INCLUDE/gt/gt.hpp, as one file: build.sh INCLUDE PROGRAM [OPTION...]
# Two translation units of one program include it.
set -eu
here=$(dirname "$0")
include=$1 program=$2
shift 2
"${CXX:-c++}" -std=c++20 "$@" -I"$include" $(${PKG_CONFIG:-pkg-config} --cflags eigen3) \
  "$here/../main.cpp" "$here/../../headers/two_tu_b.cpp" -o "$program"
