# shellcheck shell=sh disable=SC2034,SC2154
# Part of ./run: texts, fonts and Python packages, kept in .cache. Uses the functions of ./run.

# fetch THING: sets the variable by which gt and its tests find it, unless it is set; fails with a sentence. THING is
# austen, languages or font, as gt says that it needs them, or fonts, which are for tests.
fetch() {
  case $1 in
    austen) [ ! "${GT_AUSTEN:-}" ] || return 0 ;;
    languages) [ ! "${GT_LANGUAGES:-}" ] || return 0 ;;
    font) [ ! "${GT_UNIFONT_HEX:-}" ] || return 0 ;;
    fonts) [ ! "${GT_FONTS:-}" ] || return 0 ;;
  esac
  # shellcheck disable=SC2046
  case $1 in
    austen) [ -f "$cache/corpus/austen.txt" ] || install $(missing /zlib.h=zlib1g-dev) ;;
    languages) [ -d "$cache/corpus/languages" ] || install $(missing python3=python3) ;;
  esac
  scratch=$cache/fetch.$$
  place=$(cmake -D WHAT="$1" -D CACHE="$cache" -D WORK="$scratch" -P "$root/tools/fetch.cmake")
  [ "$place" ] && export "$place"
}

# fetch_python FOLDER: sets python to one that has what FOLDER/requirements.txt names, in an environment of its own.
fetch_python() {
  # shellcheck disable=SC2046
  install $(missing python3=python3) $(python3 -c 'import ensurepip' 2>/dev/null || echo python3-venv)
  python=$(python3 "$root/tools/python.py" "$cache/${1##*/}" "$root/$1/requirements.txt")
}
