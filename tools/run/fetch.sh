# shellcheck shell=sh disable=SC2154
# Part of ./run: texts, fonts and Python packages, kept in .cache. Uses the functions of ./run.

# fetch THING: sets the variable by which gt and its tests find it, unless it is set; fails with a sentence. THING is
# austen, languages or font, as gt says that it needs them, or fonts, which are for tests.
fetch() {
  needs='' place=$cache/fonts
  case $1 in
    austen) name=GT_AUSTEN needs=/zlib.h=zlib1g-dev place=$cache/corpus/austen.txt ;;
    languages) name=GT_LANGUAGES needs=python3=python3 place=$cache/corpus/languages ;;
    fonts) name=GT_FONTS ;;
    font)
      name=GT_UNIFONT_HEX place=/usr/share/unifont/unifont.hex
      [ -s "$place" ] && [ -s "${place%/*}/plane00-combining.txt" ] || place=$cache/fonts/unifont.hex
      ;;
  esac
  eval "[ ! \"\${$name:-}\" ]" || return 0
  export "$name=$place"
  if [ -f "$place" ]; then return 0; fi
  # shellcheck disable=SC2046
  install $(missing $needs)
  scratch=$cache/fetch.$$
  # Of what CMake says when a script fails, only the script's own words; on 3 goes that it failed.
  failed=$({ { cmake -D WHAT="$1" -D CACHE="$cache" -D WORK="$scratch" -P "$root/tools/fetch.cmake" 2>&1 || echo yes >&3; } |
    sed '/^gt: /!d' >&2; } 3>&1)
  [ ! "$failed" ]
}

# fetch_python FOLDER: sets python to one in an environment of its own that has what FOLDER/requirements.txt names. GT_PIP:
# what pip shall install, and from where, instead.
fetch_python() {
  environment=$cache/${1##*/} wanted=$root/$1/requirements.txt
  python=$environment/bin/python
  if cmp -s "$wanted" "$environment/has.txt"; then return 0; fi
  # shellcheck disable=SC2046
  install $(missing python3=python3) $(python3 -c 'import ensurepip' 2>/dev/null || echo python3-venv)
  say "fetching from PyPI (once, some 300 MB): $(grep -v '^-' "$wanted" | paste -sd' ' -) ..."
  rm -rf "$environment"
  python3 -m venv "$environment"
  # Where pip is told where packages come from, they come from there alone.
  case $("$python" -m pip config list) in *index-url* | *find-links*) pattern='^-' ;; *) pattern='^$' ;; esac
  # shellcheck disable=SC2046
  "$python" -m pip install -q ${GT_PIP:-$(grep -v "$pattern" "$wanted")} >"$log" 2>&1 || {
    cat "$log" >&2
    die 'the Python packages could not be installed; what pip said stands above. GT_PIP names other arguments of pip install.'
  }
  cp "$wanted" "$environment/has.txt"
}
