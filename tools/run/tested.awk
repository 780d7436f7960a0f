# awk -v verbatim=yes|no -v again='./run test --preset dev -R' -f tested.awk LOG
# What ctest said, without the tests that passed, and how each that failed is run alone; all of it where it is verbatim.
{ line[NR] = $0 }
/^[0-9]+% tests passed/ { summary = NR; failed = !/ 0 tests failed/ }
/^The following tests FAILED:/ { list = NR }
END {
  for (i = verbatim == "yes" || failed || !summary ? 1 : summary; i <= NR; ++i)
    if (verbatim == "yes" || line[i] !~ /^ *Start *[0-9]+: |^ *[0-9]+\/[0-9]+ Test .* Passed /) print line[i]
  if (verbatim == "yes" || !list) exit
  for (i = list + 1; i <= NR && line[i] ~ /^[ \t]*[0-9]+ - .* \(/; ++i) {
    name = line[i]
    sub(/^[ \t]*[0-9]+ - /, "", name)
    sub(/ \([^(]*$/, "", name)
    gsub(/[.+]/, "\\\\&", name)
    print "gt: it alone: " again " '^" name "$'" > "/dev/stderr"
  }
}
