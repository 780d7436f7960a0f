# For Doxygen; the number of lines stays.

# The comment on top of a header (// SPDX..., then its purpose) documents the file.
FNR == 1 && /^\/\/ SPDX/ { print "/// \\file"; top = 1; next }
top && /^\/\// { print "/" $0; next }
{ top = 0 }

# What the compiler writes needs no comment.
/operator==\(.*= default;$/ { print ""; next }

# `int a, b;  ///< what`, or what stands above it, documents both.
function for_each_name(code, what, from,   line, nested, names, i, c) {
  for (i = 1; i <= length(code); ++i) {
    c = substr(code, i, 1)
    nested += (c == "<" || c == "{") - (c == ">" || c == "}")
    line = line (c == "," && nested == 0 && ++names >= from ? " /**< " what " */," : c)
  }
  return line ";" (names + 1 >= from ? "  ///< " what : "")
}
/^ +[A-Za-z][^("]*,[^("]*;  +\/\/\/< / {
  print for_each_name(substr($0, 1, index($0, ";  ") - 1), substr($0, index($0, "///< ") + 5), 1)
  above = ""
  next
}
above != "" && /^ +[A-Za-z][^("]*,[^("]*;$/ {
  print for_each_name(substr($0, 1, length($0) - 1), above, 2)  # Doxygen itself gives it to the first
  above = ""
  next
}
{ above = /^ +\/\/\/ / ? above (above == "" ? "" : " ") substr($0, index($0, "/// ") + 4) : "" }

# A line that ends although another word fits (before a formula, `Shapes:`, `Errors:`, ...) ends on the page too.
/^ *\/\/\/ / {
  line = $0
  text = substr($0, index($0, "///") + 3)
  match(text, /^ */)
  indent = RLENGTH
  split(text, words, " ")
  short = length(last) + 1 + length(words[1]) <= 120
  if (FNR == last_at + 1 && indent < 5 && last_indent < 5 && words[1] !~ /^[-*\\]/ &&
      (short && (indent > 1 || text ~ /^ [A-Z]/) || text ~ /^  +`/ || (indent > 1) != (last_indent > 1)))
    sub(/\/\/\/ +/, "/// <br>")
  last = line
  last_at = FNR
  last_indent = indent
}

# Pages link to files that the reference does not hold: the text stays, the link goes.
FILENAME ~ /\.md$/ {
  while (match($0, /\[[^]]*\]\((\.\.\/)*(LICENSE|(benchmarks|cmake|examples|include|packaging|tests|tools)\/)[^)]*\)/)) {
    text = substr($0, RSTART + 1, RLENGTH)
    sub(/\].*/, "", text)
    $0 = substr($0, 1, RSTART - 1) text substr($0, RSTART + RLENGTH)
  }
  # To Doxygen a single quote ends a span of code, unless two backticks begin it.
  spans = split($0, span, "`")
  if (spans % 2 == 1 && !index($0, "``")) {
    $0 = span[1]
    for (i = 2; i <= spans; ++i) {
      tick = i % 2 == 1 ? "" : index(span[i], "'") ? "``" : "`"
      $0 = $0 tick span[i] tick
    }
  }
}
{ print }
