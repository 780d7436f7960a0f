#!/bin/sh
# SPDX-License-Identifier: MIT
# amalgamate.sh FILE [INCLUDE]: writes gt/gt.hpp, gt/formats/embedded/embedded.hpp and every header that they include as one
# header. INCLUDE is the folder that the includes are relative to. Includes of other libraries and of the standard library
# stay.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
file=${1:?"a FILE to write is needed"}
include=${2:-$root/include}
if [ -d "$file" ] || [ "$file" != "${file%/}" ]; then
  printf 'gt: amalgamate: FILE must not be a folder (got %s); name the header to write in it\n' "$file" >&2
  exit 1
fi

mkdir -p "$(dirname -- "$file")"
temporary=$file.$$.tmp
trap 'rm -f "$temporary"' EXIT

# Each header is written where it is included first, and left out from then on, as #pragma once does. What stands inside an
# #if may never be compiled, so there it is written with a guard instead, and again where it is next included.
awk -v include="$include/" -v licence="$root/LICENSE" '
function die(message) {
  print "gt: amalgamate: " message > "/dev/stderr"
  failed = 1
  exit 1
}
function exists(path,    line, found) {
  found = (getline line < (include path)) >= 0
  close(include path)
  return found
}
# The path in an include, or in __has_include, of a header of gt; empty if `line` has none.
function path_in(line, before) {
  if (!match(line, before "[ \t]*[\"<]gt/[^\">]*[\">]")) return ""
  line = substr(line, RSTART, RLENGTH - 1)
  sub(/^[^"<]*["<]/, "", line)
  return line
}
# Writes header `path`; `depth` conditions of other headers stand around it.
function write(path, depth, from,    file, line, guard, start, target) {
  if (path in whole || path in open) return
  if (!exists(path)) die(from ": \"" path "\" must be a header in " include)
  file = include path
  guard = ""
  if (depth > 0 || path in guarded) {
    guard = "GT_AMALGAMATED_" toupper(path)
    gsub(/[^A-Z0-9]/, "_", guard)
    guarded[path]
  }
  if (depth == 0) whole[path]
  open[path]
  print "\n// ===== " path
  if (guard) print "#if !defined(" guard ")\n#define " guard
  start = depth
  while ((getline line < file) > 0) {
    sub(/\r$/, "", line)
    if (line ~ /^[ \t]*#[ \t]*pragma[ \t]+once/ || line ~ /^\/\/ SPDX-License-Identifier:/) continue
    if (line ~ /^[ \t]*#[ \t]*if(n?def)?([^A-Za-z0-9_]|$)/) ++depth
    if (line ~ /^[ \t]*#[ \t]*endif([^A-Za-z0-9_]|$)/) --depth
    while ((target = path_in(line, "__has_include[ \t]*[(]")) != "") {
      asked[target]
      sub(/__has_include[ \t]*[(][ \t]*["<]gt\/[^">]*[">][ \t]*[)]/, exists(target) ? "1" : "0", line)
    }
    target = path_in(line, "^[ \t]*#[ \t]*include")
    if (target != "") {
      if (depth > start && target in asked && !exists(target)) {
        print "#error \"" target " was not there when this header was made\""
      } else {
        write(target, depth, path)
      }
    } else if (line ~ /^[ \t]*#[ \t]*include/ && depth == 0) {
      if (!(line in included)) print line
      included[line]
    } else {
      print line
    }
  }
  close(file)
  if (depth != start) die(path ": every #if must have its #endif")
  if (guard) print "#endif  // " guard
  delete open[path]
}
BEGIN {
  for (; (getline line < (include "gt/base/version.hpp")) > 0;)
    if (line ~ /^#define GT_VERSION_(MAJOR|MINOR|PATCH) /) {
      sub(/.* /, "", line)
      version = version (version == "" ? "" : ".") line
    }
  close(include "gt/base/version.hpp")
  if (version == "") die(include "gt/base/version.hpp must give the version")
  print "// SPDX-License-Identifier: MIT"
  print "// gt " version " as a single header, made from its sources by ./run amalgamate."
  print "// It needs C++20 and the headers of Eigen, nlohmann-json, xsimd, xxHash and stb; -fopenmp for more than one thread.\n//"
  for (found = 0; (getline line < licence) > 0; found = 1) print (line == "" ? "//" : "// " line)
  if (!found) die(licence " must hold the licence")
  print "#pragma once"
  write("gt/gt.hpp", 0, "amalgamate")
  # What an embedded model asks for, which gt.hpp leaves out.
  if (exists("gt/formats/embedded/embedded.hpp")) write("gt/formats/embedded/embedded.hpp", 0, "amalgamate")
}
END { if (failed) exit 1 }
' </dev/null >"$temporary"
mv -f -- "$temporary" "$file"
