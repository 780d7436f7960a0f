# awk -v what=TEXT -v spent=SECONDS -v line=FORMAT -f follow.awk LOG
# How far a build or a run of the tests is, by the last [n/m] of ninja or n/m of ctest in the log, and how long it will take.
function clock(s) { return sprintf("%d:%02d", s / 60, s % 60) }
/^\[[0-9]+\/[0-9]+\] / { of = substr($1, 2, length($1) - 2) }
/^ *[0-9]+\/[0-9]+ Test / { of = $1 }
END {
  split(of, n, "/")
  left = n[1] > 0 ? ", about " clock(spent * (n[2] - n[1]) / n[1]) " left" : ""
  printf line, what, of (of ? ", " : ""), clock(spent), left
}
