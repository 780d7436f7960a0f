# shellcheck shell=sh disable=SC2086,SC2154
# Part of ./run: builds and passes the tests. Uses the functions and lists of ./run.

known=$(sed -n '/"testPresets"/,$s/.*{"name": "\([a-z0-9]*\)".*/\1/p' "$root/CMakePresets.json" | paste -sd' ' -)
# Elsewhere than on Debian the cross compiler finds no headers, and on AArch64 there is nothing to cross.
all=$known
if ! has apt-get || [ "$(uname -m)" = aarch64 ]; then all=$(echo "$all" | sed 's/ *aarch64//'); fi

# Compilers of an embedded model for other machines and libraries.
elsewhere_needs='x86_64-w64-mingw32-g++-posix=g++-mingw-w64-x86-64-posix
  /../lib/llvm-14/include/c++/v1/vector=libc++-14-dev /../lib/llvm-14/lib/libc++abi.so=libc++abi-14-dev'

# prepare PRESET...: what their tests need.
prepare() {
  require $library_needs $program_needs $bench_needs /doctest/doctest.h=doctest-dev pkg-config=pkg-config
  case " $* " in *' aarch64 '*) require aarch64-linux-gnu-g++=g++-aarch64-linux-gnu qemu-aarch64=qemu-user ;; esac
  case " $* " in *' clang '*) require $elsewhere_needs ;; esac
  case " $* " in *' asan '* | *' clang '* | *' fuzz '*) clang_works || install clang libclang-rt-dev libomp-dev ;; esac
  { fetch font && fetch fonts; } || say 'note: tests that need a font that is not there are skipped.'
}
# clang with its OpenMP, sanitizers and libFuzzer comes in parts whose names change: what counts is that it makes a program.
clang_works() {
  echo 'extern "C" int LLVMFuzzerTestOneInput(unsigned char const*, unsigned long) { return 0; }' |
    $(command -v clang++-14 || echo clang++) -x c++ -fopenmp -fsanitize=fuzzer,address - -o /dev/null 2>/dev/null
}

run_setup() { prepare $all && fetch austen; }
run_interop() {
  prepare dev
  for thing in font austen; do fetch $thing; done
  fetch_python tests/interop
  build dev 'what is compared' gt_program interop_dump interop_adapt
  "$python" "$root/tests/interop/compare.py" "$build/dev" "$build/interop"
}
# What CI does not call: programs with a model in them, run where this machine is not.
run_everywhere() {
  prepare dev
  require $elsewhere_needs clang++-14=clang-14 em++=emscripten node=nodejs wine=wine /../lib/wine/wine64=wine64 \
    /../share/nodejs/acorn/package.json=node-acorn s390x-linux-gnu-g++=g++-s390x-linux-gnu
  fetch austen
  build release 'what grows the model' gt gt_program
  cmake -D GT="$dir/programs/gt" -D COMPILER=c++ -D INCLUDE="$root/include" -D WORK="$build/everywhere" \
    -P "$root/tests/headers/everywhere.cmake"
}

# test_preset NAME OPTION...: builds, tests, and adds a line to the table; its status. What ctest says of tests that pass
# is left out, unless OPTIONS after -- ask for something of ctest itself.
test_preset() {
  preset=$1 began=$(date +%s)
  shift
  make_place
  free=$(df -Pk "$build" | awk 'NR == 2 { print int($4 / 1024) }')
  [ "$free" -ge 3000 ] || die "building the tests takes 3 GB of disk, and $build has $free MB; make room, then run this again."
  build "$preset" "the tests ($preset)" || { row - - "$(since $began)" - && return 1; }
  built=$(since $began) began=$(date +%s) status=0
  follow "testing ($preset)" \
    ctest --test-dir "$dir" -j "$(nproc)" --output-on-failure --no-tests=ignore "$@" || status=$?
  awk -v verbatim=$verbatim -v again="$(quoted "$self") test --preset $preset -R" -f "$root/tools/run/tested.awk" "$log"
  counts=$(awk '/% tests passed,/ { print $9 - $4, $4 }' "$log")
  row ${counts:-0 0} "$built" "$(since $began)"
  grep -q 'No tests were found' "$log" || found=yes
  return $status
}
since() { awk -v s=$(($(date +%s) - $1)) 'BEGIN { printf "%d:%02d", s / 60, s % 60 }'; }
row() { table=$table$(printf '\n  %-10s %7s %7s %11s %11s' "$preset" "$@"); }

run_test() {
  presets='' found=no verbatim=no table='' pattern='' status=0
  while [ $# -gt 0 ]; do
    case $1$# in --preset1 | -R1) die "$1 needs a name behind it." ;; esac
    case $1 in
      --all) presets=$all ;;
      --quick) presets="$presets dev" ;;
      --preset=*) presets="$presets ${1#*=}" ;;
      --preset) presets="$presets $2" && shift ;;
      -R) pattern=$2 && shift ;;
      --interop | --everywhere) "run_${1#--}"; exit ;;
      --) verbatim=yes && shift && break ;;
      -h | --help) test_usage; exit ;;
      *) die "test has no option '$1'; $(quoted "$self") test --help lists them, and what follows -- goes to ctest as it is." ;;
    esac
    shift
  done
  [ ! "$pattern" ] || set -- -R "$pattern" "$@"
  for preset in ${presets:=dev}; do
    case " $known " in *" $preset "*) ;; *) die "there is no preset '$preset' of tests; there are $known." ;; esac
  done
  prepare $presets
  for preset in $presets; do [ $status != 0 ] || test_preset "$preset" "$@" || status=$?; done
  printf '\n  %-10s %7s %7s %11s %11s%s\n' preset passed failed 'build m:ss' 'tests m:ss' "$table"
  [ $found = yes ] || [ $status != 0 ] || die "no test is meant by: $*"
  return $status
}
test_usage() {
  printf '%s %s\n' "$(quoted "$self")" "$(cat "$root/tools/run/test_help.txt")"
  sed -n '/"name"/h; /"displayName"/{H;g;s/ *"name": "\(.*\)",\n.*: "\(.*\)",*/    \1\n      \2/p;}' "$root/CMakePresets.json"
}
