#!/bin/sh
# A user without CMake, who has an installed gt with gt::prebuilt: build.sh PROGRAM [OPTION...]
set -eu
here=$(dirname "$0")
program=$1
shift
"${CXX:-c++}" -std=c++20 "$@" $(pkg-config --cflags gt-prebuilt) "$here/main.cpp" -o "$program" $(pkg-config --libs gt-prebuilt)
