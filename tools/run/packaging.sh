# shellcheck shell=sh
# Part of ./run: what is made of the sources for others. Uses say, die, missing, install, version and root of ./run.

run_amalgamate() {
  [ $# -le 1 ] || die "amalgamate takes one FILE to write, not '$*'."
  case ${1:-} in -*) die "amalgamate takes a FILE to write, not '$1'." ;; esac
  file=${1:-$root/build/gt.hpp}
  sh "$root/tools/amalgamate.sh" "$file"
  say "the library as a single header: $file"
}

run_docs() {
  [ $# -eq 0 ] || die "docs takes nothing, not '$*'."
  # shellcheck disable=SC2046
  install $(missing doxygen=doxygen)
  rm -rf "$root/build/docs"
  mkdir -p "$root/build/docs"
  (cd "$root" && GT_VERSION=$(version) doxygen docs/Doxyfile) ||
    die 'the reference has gaps or mistakes, which stand above; every public name needs its /// comment.'
  say "the API reference: $root/build/docs/html/index.html"
}
