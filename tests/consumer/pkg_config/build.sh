#!/bin/sh
# A user without CMake, who has an installed gt: build.sh PROGRAM [OPTION...]
set -eu
here=$(dirname "$0")
program=$1
shift
pkg_config=${PKG_CONFIG:-pkg-config}
"${CXX:-c++}" -std=c++20 "$@" $($pkg_config --cflags gt) "$here/../main.cpp" -o "$program" $($pkg_config --libs gt)
