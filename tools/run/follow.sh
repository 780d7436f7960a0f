# shellcheck shell=sh disable=SC2154
# Part of ./run: says how far a build or a run of the tests is. Uses say and log of ./run, and note, which it sets.

clock() { printf '%d:%02d' $(($1 / 60)) $(($1 % 60)); }

# Says from the second second on how far it is, by the last [n/m] of ninja or n/m of ctest in the log: on a terminal in
# one line, every second; elsewhere in a line every half minute.
tell() {
  began=$(date +%s) every=30
  [ ! -t 2 ] || every=1
  sleep 1 >/dev/null 2>&1
  while :; do
    spent=$(($(date +%s) - began)) left=
    of=$(sed -n 's/^\[\([0-9]*\/[0-9]*\)\] .*/\1/p; s/^ *\([0-9]*\/[0-9]*\) Test .*/\1/p' "$log" | tail -n 1)
    case ${of%/*} in '' | 0) ;; *) left=", about $(clock $((spent * (${of#*/} - ${of%/*}) / ${of%/*}))) left" ;; esac
    if [ -t 2 ]; then
      printf '\r\033[Kgt: %s ... %s%s%s' "$1" "${of:+$of, }" "$(clock $spent)" "$left" >&2
    else
      say "$1 ... ${of:+$of, }$(clock $spent)$left"
    fi
    sleep $every >/dev/null 2>&1
  done
}

# follow WHAT COMMAND...: runs it, and tells how far it is; all it says goes to the log. Its status.
follow() {
  : >"$log"
  tell "$1" &
  note=$! status=0
  shift
  "$@" >>"$log" 2>&1 || status=$?
  kill "$note" 2>/dev/null || true
  wait "$note" 2>/dev/null || true
  note=
  [ ! -t 2 ] || printf '\r\033[K' >&2
  return $status
}
