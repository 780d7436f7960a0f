# shellcheck shell=sh disable=SC2154
# Part of ./run: builds and passes the tests. Uses the functions and lists of ./run.
. "$root/tools/run/fetch.sh"

known=$(sed -n '/"testPresets"/,$s/.*{"name": "\([a-z0-9]*\)".*/\1/p' "$root/CMakePresets.json" | paste -sd' ' -)
# Elsewhere than on Debian the cross compiler finds no headers, and on AArch64 there is nothing to cross.
all=$(echo "$known" | sed 's/ *clang//') # which must be named: asan tests by clang as well
if ! has apt-get || [ "$(uname -m)" = aarch64 ]; then all=$(echo "$all" | sed 's/ *aarch64//'); fi

# clang with its OpenMP, sanitizers and libFuzzer comes in parts whose names change: what counts is that it makes a program.
missing_clang() {
  clang=$(command -v clang++-14 || command -v clang++ || echo false)
  echo 'extern "C" int LLVMFuzzerTestOneInput(unsigned char const*, unsigned long) { return 0; }' |
    "$clang" -x c++ -fopenmp -fsanitize=fuzzer,address - -o /dev/null 2>/dev/null || echo clang libclang-rt-dev libomp-dev
}

# prepare PRESET...: what their tests need.
prepare() {
  needs="$library_needs $program_needs $bench_needs /doctest/doctest.h=doctest-dev pkg-config=pkg-config" clang=
  case " $* " in *' aarch64 '*) needs="$needs aarch64-linux-gnu-g++=g++-aarch64-linux-gnu qemu-aarch64=qemu-user" ;; esac
  case " $* " in *' asan '* | *' clang '* | *' fuzz '*) clang=$(missing_clang) ;; esac
  # shellcheck disable=SC2046,SC2086
  install $(missing $needs | sort -u) $clang
  { fetch font && fetch fonts; } || say 'note: tests that need a font that is not there are skipped.'
}
run_setup() {
  # shellcheck disable=SC2086
  prepare $all
  fetch austen
}

run_interop() {
  prepare dev
  fetch font
  fetch austen
  fetch_python tests/interop
  build dev 'what is compared' gt_program interop_dump interop_adapt
  "$python" "$root/tests/interop/compare.py" "$root/build/dev" "$root/build/interop"
}

# test_preset NAME OPTION...: builds, tests, and adds a line to the table; its status. What ctest says of tests that pass
# is left out, unless OPTIONS after -- ask for something of ctest itself.
test_preset() {
  preset=$1 began=$(date +%s) took=- passed=- failed=-
  shift
  free=$(df -Pk "$root" | awk 'NR == 2 { print int($4 / 1024) }')
  [ "$free" -ge 3000 ] || die "building the tests takes 3 GB of disk, and $root has $free MB; make room, then run this again."
  build "$preset" "the tests ($preset)" && status=0 || status=$?
  built=$(($(date +%s) - began))
  if [ $status = 0 ]; then
    began=$(date +%s)
    follow "testing ($preset)" ctest_preset "$@" || status=$?
    took=$(clock $(($(date +%s) - began)))
    if [ "$verbatim" = yes ]; then
      cat "$log"
    elif [ $status = 0 ]; then
      sed -n '/% tests passed/,$p' "$log"
    else
      grep -v '^ *Start *[0-9]*: \|^ *[0-9]*/[0-9]* Test .* Passed ' "$log" || true
      sed -n '/tests FAILED:/,$s/^[[:space:]]*[0-9]* - \(.*\) (.*/\1/p' "$log" | sed 's/[.+]/\\&/g' |
        while read -r name; do say "it alone: ./run test --preset $preset -R '^$name\$'"; done
    fi
    count=$(sed -n 's/.*tests passed, \([0-9]*\) tests* failed out of \([0-9]*\)$/\1 \2/p' "$log")
    failed=${count% *} passed=$((${count#* } - ${count% *}))
    grep -q 'No tests were found' "$log" || found=yes
  fi
  table="$table$(printf '  %-10s %7s %7s %11s %11s' "$preset" "$passed" "$failed" "$(clock $built)" "$took")
"
  return $status
}
ctest_preset() (cd "$root" && exec ctest --preset "$preset" -j "$(nproc)" --no-tests=ignore "$@")

run_test() {
  presets='' found=no verbatim=no table='' status=0 pattern=''
  while [ $# -gt 0 ]; do
    case $1 in
      --all) presets=$all ;;
      --quick) presets="$presets dev" ;;
      --preset | -R) [ $# -gt 1 ] || die "$1 needs a name behind it." ;;
    esac
    case $1 in
      --all | --quick) ;;
      --preset=*) presets="$presets ${1#*=}" ;;
      --preset) presets="$presets $2" && shift ;;
      -R) pattern=$2 && shift ;;
      --interop) run_interop && return ;;
      --) verbatim=yes && shift && break ;;
      -h | --help) test_usage && return ;;
      *) die "test has no option '$1'; ./run test --help lists them, and what follows -- goes to ctest as it is." ;;
    esac
    shift
  done
  [ ! "$pattern" ] || set -- -R "$pattern" "$@"
  for preset in ${presets:=dev}; do
    case " $known " in *" $preset "*) ;; *) die "there is no preset '$preset' of tests; there are $known." ;; esac
  done
  # shellcheck disable=SC2086
  prepare $presets
  for preset in $presets; do [ $status != 0 ] || test_preset "$preset" "$@" || status=$?; done
  printf '\n  %-10s %7s %7s %11s %11s\n%s' preset passed failed 'build m:ss' 'tests m:ss' "$table"
  [ $found = yes ] || [ $status != 0 ] || die "no test is meant by: $*"
  return $status
}

test_usage() {
  printf '%s\n' './run test [--all | --preset NAME]... [-R NAME] [-- OPTIONS OF CTEST]' \
    '  --preset NAME  as NAME builds them; by default dev:' "$(sed -n '/"configurePresets"/,/"buildPresets"/{
      s/ *"name": "\(.*\)",$/    \1/p;s/ *"displayName": "\(.*\)",$/      \1/p;}' "$root/CMakePresets.json")" \
    "  --all          as all of these do: $all" \
    '  -R NAME        only tests whose name matches; -- -V, -N, -L unit, --rerun-failed, ...: see ctest' \
    '  --interop      instead: against transformers, tokenizers, peft and llama.cpp, which it sets up'
}
