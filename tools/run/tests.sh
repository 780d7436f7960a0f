# shellcheck shell=sh disable=SC2154
# Part of ./run: builds and passes the tests. Uses the functions and lists of ./run.
. "$root/tools/run/fetch.sh"

known=$(sed -n '/"testPresets"/,$s/.*{"name": "\([a-z0-9]*\)".*/\1/p' "$root/CMakePresets.json" | paste -sd' ' -)
# Elsewhere than on Debian the cross compiler finds no headers, and on AArch64 there is nothing to cross.
all=$known
if ! has apt-get || [ "$(uname -m)" = aarch64 ]; then all=$(echo "$known" | sed 's/ *aarch64//'); fi

# clang with its OpenMP, sanitizers and libFuzzer comes in parts whose names change: what counts is that it makes a program.
missing_clang() {
  clang=$(command -v clang++-14 || command -v clang++ || echo false)
  target='extern "C" int LLVMFuzzerTestOneInput(unsigned char const*, unsigned long) { return 0; }'
  echo "$target" | "$clang" -x c++ -fopenmp -fsanitize=fuzzer,address - -o /dev/null 2>/dev/null ||
    echo clang libclang-rt-dev libomp-dev
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
run_setup() { # shellcheck disable=SC2086
  prepare $all
  fetch austen
}

add_presets() {
  for name; do
    case " $known " in *" $name "*) presets="$presets $name" ;; *) die "there is no preset '$name' of tests, but $known." ;; esac
  done
}

run_test() {
  presets='' pattern=''
  while [ $# -gt 0 ] && [ "$1" != -- ]; do
    case $1 in
      --all) presets=$all ;;
      --quick) presets=dev ;;
      --preset=*) add_presets "${1#*=}" ;;
      --preset | -R)
        [ $# -gt 1 ] || die "$1 needs a name; ./run test --help says more."
        if [ "$1" = -R ]; then pattern=$2; else add_presets "$2"; fi
        shift
        ;;
      --interop)
        run_interop
        return
        ;;
      -h | --help)
        printf '%s\n' './run test [--all | --preset NAME]... [-R NAME] [-- OPTIONS OF CTEST]' '' \
          "  --all          as all of the presets $all build them; without it, as dev does" \
          '  --preset NAME  as one of them does' \
          '  -R NAME        only tests whose name matches' \
          '  --interop      instead: against transformers, tokenizers, peft and llama.cpp, which it sets up' ''
        sed -n '/"configurePresets"/,/"buildPresets"/{/"name":\|"displayName"/{s/.*"name": "\(.*\)",/  \1/p;s/.*"displayName": "\(.*\)",/      \1/p;};}' "$root/CMakePresets.json"
        return
        ;;
      *) die "test has no option '$1'; ./run test --help lists them, and what follows -- goes to ctest as it is." ;;
    esac
    shift
  done
  : "${presets:=dev}"
  # shellcheck disable=SC2086
  prepare $presets
  failed=no found=no table=
  for preset in $presets; do test_preset "$@"; [ $failed = no ] || break; done
}
