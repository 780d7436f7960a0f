# shellcheck shell=sh disable=SC2154
# Part of ./run: what developers ask of the sources. Uses the functions of ./run.

run_format() {
  case $# in 0) mode=-i ;; *) mode='--dry-run --Werror' ;; esac
  [ "${*:---check}" = --check ] || die "format takes nothing or --check, not '$*'."
  formatter=clang-format-14  # versions disagree on the same style file
  has $formatter || case $(clang-format --version 2>/dev/null) in
    *'version 14.'*) formatter=clang-format ;;
    *) install clang-format-14 ;;
  esac
  cd "$root"
  # shellcheck disable=SC2086
  find include programs tests examples benchmarks tools -type f \
    \( -name '*.hpp' -o -name '*.cuh' -o -name '*.cpp' -o -name '*.cu' \) -print0 | xargs -0 -r $formatter $mode ||
    die 'not formatted as above; ./run format does it.'
}

run_tidy() {
  # shellcheck disable=SC2046,SC2086
  install $(missing $library_needs | sort -u) $(has clang-tidy-14 || has clang-tidy || echo clang-tidy)
  tidy=$(command -v clang-tidy-14 || command -v clang-tidy)
  cd "$root"
  "$tidy" --quiet tests/headers/umbrella.cpp -- -std=c++20 -Iinclude -idirafter /usr/include/eigen3
}

run_docs() {
  # shellcheck disable=SC2046
  install $(missing doxygen=doxygen)
  rm -rf "$root/build/docs"
  mkdir -p "$root/build/docs"
  (cd "$root" && GT_VERSION=$(version) doxygen docs/Doxyfile) ||
    die 'the reference has gaps or mistakes, which stand above; every public name needs its /// comment.'
  say "the API reference: $root/build/docs/html/index.html"
}

run_amalgamate() {
  file=${1:-$root/build/gt.hpp}
  case $#$file in [01][!-]*) ;; *) die "amalgamate takes a FILE to write, not '$*'." ;; esac
  # shellcheck disable=SC2046
  install $(missing cmake=cmake)
  said=$(cmake -D FILE="$file" -P "$root/tools/amalgamate.cmake" 2>&1) || die "$(echo "$said" | sed -n 's/^gt: //p')"
  say "the library as a single header: $file"
}

run_compile_cost() {
  # shellcheck disable=SC2046,SC2086
  install $(missing $library_needs $bench_needs | sort -u)
  build release 'what measures' compile_cost
  exec "$root/build/release/tools/compile_cost/compile_cost" "$@"
}
