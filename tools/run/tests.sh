# shellcheck shell=sh
# Part of ./run: builds and passes the tests. Uses the functions and lists of ./run.

# shellcheck disable=SC2154  # of ./run
test_needs="$program_needs $bench_needs /doctest/doctest.h=doctest-dev pkg-config=pkg-config"
aarch64_needs='aarch64-linux-gnu-g++=g++-aarch64-linux-gnu qemu-aarch64=qemu-user'

# clang with its OpenMP and sanitizers comes in parts whose names change: what counts is that it makes a program.
missing_clang() {
  clang=$(command -v clang++-14 || command -v clang++) || clang=
  if ! [ "$clang" ] || ! echo 'int main() {}' | "$clang" -x c++ -fopenmp -fsanitize=address - -o /dev/null 2>/dev/null; then
    echo clang libclang-rt-dev libomp-dev
  fi
}

# The same with libFuzzer, which Debian has in libclang-rt-dev.
missing_fuzzer() {
  clang=$(command -v clang++-14 || command -v clang++) || clang=
  target='extern "C" int LLVMFuzzerTestOneInput(unsigned char const*, unsigned long) { return 0; }'
  if ! [ "$clang" ] || ! echo "$target" | "$clang" -x c++ -fsanitize=fuzzer,address - -o /dev/null 2>/dev/null; then
    echo clang libclang-rt-dev
  fi
}

# Fonts of outlines that tests read, as PACKAGE=FILE below /usr/share/fonts.
test_fonts='fonts-dejavu-core=truetype/dejavu/DejaVuSans.ttf fonts-unifont=opentype/unifont/unifont.otf
  fonts-wqy-microhei=truetype/wqy/wqy-microhei.ttc'

# Sets GT_FONTS to a folder with those that are not installed; fails when one cannot be had.
fetch_test_fonts() {
  [ ! "${GT_FONTS:-}" ] || return 0
  export GT_FONTS="$cache/fonts"
  for font in $test_fonts; do
    package=${font%%=*}
    if [ -s "/usr/share/fonts/${font#*=}" ] || [ -d "$GT_FONTS/$package" ]; then continue; fi
    say "fetching $package (once) ..."
    new_scratch
    unpack "$package" "$scratch" || return 1
    keep "$scratch/usr/share/fonts" "$GT_FONTS/$package"
  done
}

test_usage() {
  printf '%s\n' './run test [--quick] [--preset NAME]... [OPTIONS OF CTEST] [-- MORE OPTIONS OF CTEST]' \
    '  dev      all tests, with g++; --quick is --preset dev' \
    '  asan     with sanitizers, by clang: all but programs, lessons, consumers and compile cost' \
    '  fuzz     every parser against hostile input, by libFuzzer of clang, ten seconds each' \
    '  aarch64  for AArch64, in an emulator: the folders of tests/ where SIMD counts' \
    '  scalar   without SIMD and threads: the folders where these count' \
    '  clang    all tests, with clang; the only one that must be named' \
    './run test --interop: compares with transformers, tokenizers, peft and llama.cpp, which it sets up' \
    'Of ctest, for instance: -R ops (tests whose name matches), -L unit, -V, -N, --rerun-failed.'
}

add_preset() {
  case $1 in
    dev | asan | fuzz | aarch64 | scalar | clang) ;;
    *) die "--preset takes dev, asan, fuzz, aarch64, scalar or clang, not '$1'." ;;
  esac
  case " $presets " in *" $1 "*) ;; *) presets="$presets $1" ;; esac
}

run_tests() {
  if [ "${1:-}" = --interop ]; then
    [ $# -eq 1 ] || die "test --interop takes nothing more, not '$2'."
    . "$root/tools/run/interop.sh"
    run_interop
    return
  fi
  # What is ctest's goes to the end of the arguments, the rest is taken away.
  presets='' awaited='' filtered=no verbatim=no
  for argument; do
    shift
    if [ "$awaited" = --preset ]; then
      add_preset "$argument"
      awaited=''
      continue
    fi
    if [ $verbatim = no ]; then
      case $argument in
        --quick) add_preset dev && continue ;;
        --preset=*) add_preset "${argument#*=}" && continue ;;
        --preset) awaited=--preset && continue ;;
        --) verbatim=yes filtered=yes && continue ;;
        -h | --help)
          test_usage
          return
          ;;
        -R | -E | -L | -LE | -I | --tests-regex | --exclude-regex | --label-regex | --label-exclude | --tests-information)
          filtered=yes awaited=$argument
          ;;
        -j | -FA | -FS | -FC | -O | --fixture-exclude-any | --fixture-exclude-setup | --fixture-exclude-cleanup | \
          --max-width | --output-junit | --output-log | --parallel | --repeat | --stop-time | --test-load | \
          --test-output-size-failed | --test-output-size-passed | --timeout) awaited=$argument ;;
        -V | -VV | -N | -F | -U | -j[0-9]* | --debug | --extra-verbose | --no-label-summary | --no-tests=* | \
          --output-on-failure | --print-labels | --progress | --rerun-failed | --schedule-random | --show-only | \
          --show-only=* | --stop-on-failure | --union | --verbose) awaited='' ;;
        -*) die "test has no option '$argument'; ./run test --help lists them, and what follows -- goes to ctest as it is." ;;
        *)
          [ "$awaited" ] || die "test takes no '$argument'; -R '$argument' runs the tests whose name matches it."
          awaited=''
          ;;
      esac
    fi
    set -- "$@" "$argument"
  done
  case $awaited in
    '' | -j | --parallel) ;;
    *) die "test needs what $awaited takes after it; ./run test --help lists what there is." ;;
  esac

  if [ ! "$presets" ]; then
    presets='dev asan fuzz aarch64 scalar'
    # Elsewhere than on Debian the cross compiler finds no headers, and on AArch64 there is nothing to cross.
    if ! has apt-get || [ "$(uname -m)" = aarch64 ]; then presets='dev asan fuzz scalar'; fi
  fi
  # shellcheck disable=SC2154
  needs="$library_needs $test_needs" clang=
  case " $presets " in *' aarch64 '*) needs="$needs $aarch64_needs" ;; esac
  case " $presets " in *' asan '* | *' clang '*) clang=$(missing_clang) ;; esac
  case " $presets " in *' fuzz '*) clang="$clang $(missing_fuzzer)" ;; esac
  # shellcheck disable=SC2046,SC2086
  install $(missing $needs | sort -u) $(printf '%s\n' $clang | sort -u)
  { fetch_font && fetch_test_fonts; } ||
    say 'note: GNU Unifont or another font could not be fetched; tests that need one which is not installed are skipped.'

  # A filter may leave a preset without tests, but not all of them.
  ran=no
  for preset in $presets; do
    build "$preset" "the tests ($preset)"
    if [ $filtered = yes ]; then
      case $(cd "$root" && ctest --preset "$preset" -N "$@") in
        *'Total Tests: 0'*) say "$preset has no such test." && continue ;;
      esac
    fi
    (cd "$root" && ctest --preset "$preset" -j "$(nproc)" "$@")
    ran=yes
  done
  [ $ran = yes ] || die "no test is meant by: $*"
}
