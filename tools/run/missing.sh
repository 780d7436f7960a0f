# shellcheck shell=sh disable=SC2034,SC2086,SC2154,SC2163
# Part of ./run: what is missing here, of the system's packages, texts, fonts and Python's. Uses the functions of ./run.

# What each step uses, as COMMAND=PACKAGE or /HEADER=PACKAGE, in Debian's names.
library_needs='g++=g++ cmake=cmake ninja=ninja-build /eigen3/Eigen/Core=libeigen3-dev
  /rapidjson/reader.h=rapidjson-dev /xsimd/xsimd.hpp=libxsimd-dev /xxhash.h=libxxhash-dev
  /stb/stb_truetype.h=libstb-dev'
program_needs='/CLI/CLI.hpp=libcli11-dev' bench_needs='/benchmark/benchmark.h=libbenchmark-dev'

# require NEED...: installs what is not there. Without apt a header may be anywhere, and is left for CMake to find.
require() {
  for need; do
    thing=${need%%=*}
    shift
    case $thing in
      /*) [ -e "/usr/include$thing" ] || [ -e "/usr/local/include$thing" ] || ! has apt-get ;;
      *) has "$thing" ;;
    esac || set -- "$@" "${need#*=}"
  done
  install "$@"
}

# install PACKAGE...: nothing happens when there are none.
install() {
  [ $# -gt 0 ] || return 0
  has apt-get || die "missing here, by their Debian names: $*. Install them with your package manager, then run this again."
  if [ "$(id -u)" = 0 ]; then as_root=''; else as_root=sudo; fi
  [ ! "$as_root" ] || has sudo ||
    die "missing packages, and only root can install them: apt-get install --no-install-recommends $*"
  say "installing $* ..."
  make_place
  apt_install "$@" >"$log" 2>&1 || {
    cat "$log" >&2
    die "could not install $* (is there a network?); what apt-get said stands above."
  }
  installed=yes
}
apt_install() {
  apt="$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends -o DPkg::Lock::Timeout=300"
  ls /var/lib/apt/lists/*Packages* >/dev/null || $apt update
  $apt install "$@" || { $apt update && $apt install "$@"; }
}

# fetch THING: sets the variable by which gt and its tests find it, unless it is set; fails with a sentence. THING is
# austen, languages or font, as gt says that it needs them, or fonts, which are for tests.
fetch() {
  [ "$1" != languages ] || require python3=python3
  scratch=$place/.cache/fetch.$$
  found=$(cmake -D WHAT="$1" -D CACHE="$place/.cache" -D WORK="$scratch" -P "$root/tools/fetch.cmake")
  [ "$found" ] && export "$found"
}

# fetch_python FOLDER: sets python to one that has what FOLDER/requirements.txt names, in an environment of its own.
fetch_python() {
  require python3=python3
  python3 -c 'import ensurepip' 2>/dev/null || install python3-venv
  make_place
  python=$(python3 "$root/tools/python.py" "$place/.cache/${1##*/}" "$root/$1/requirements.txt")
}
