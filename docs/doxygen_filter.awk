# For Doxygen; the number of lines stays.

# The comment on top of a header (// SPDX..., then its purpose) documents the file.
FNR == 1 && /^\/\/ SPDX/ { print "/// \\file"; top = 1; next }
top && /^\/\// { print "/" $0; next }
{ top = 0 }

# What the compiler writes needs no comment.
/operator==\(.*= default;$/ { print ""; next }

# `int a, b;  ///< what` documents both.
/^ +[A-Za-z][^("]*,[^("]*;  +\/\/\/< / {
  at = index($0, ";  ")
  code = substr($0, 1, at - 1)
  what = substr($0, index($0, "///< ") + 5)
  line = ""
  nested = 0
  for (i = 1; i <= length(code); ++i) {
    c = substr(code, i, 1)
    nested += (c == "<" || c == "{") - (c == ">" || c == "}")
    line = line (c == "," && nested == 0 ? " /**< " what " */," : c)
  }
  print line ";  ///< " what
  next
}

# Pages link to files that the reference does not hold: the text stays, the link goes.
FILENAME ~ /\.md$/ {
  while (match($0, /\[[^]]*\]\((\.\.\/)*(LICENSE|(benchmarks|cmake|examples|include|packaging|tests|tools)\/)[^)]*\)/)) {
    text = substr($0, RSTART + 1, RLENGTH)
    sub(/\].*/, "", text)
    $0 = substr($0, 1, RSTART - 1) text substr($0, RSTART + RLENGTH)
  }
}
{ print }
