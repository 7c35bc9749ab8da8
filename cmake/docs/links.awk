# Doxygen's filter of the documents: headings that a link of the same document leads to get the name that it
# uses; a link to a heading of another document leads to its top.
function name_of(heading) {
  heading = tolower(heading)
  gsub(/[^a-z0-9 _-]/, "", heading)
  gsub(/ /, "-", heading)
  return heading
}
{ lines[NR] = $0 }
END {
  for (k = 1; k <= NR; ++k) {
    rest = lines[k]
    while (match(rest, /\]\(#[a-z0-9_-]+\)/)) {
      wanted[substr(rest, RSTART + 3, RLENGTH - 4)] = 1
      rest = substr(rest, RSTART + RLENGTH)
    }
  }
  for (k = 1; k <= NR; ++k) {
    line = lines[k]
    if (line ~ /^#+ /) {
      heading = line
      sub(/^#+ /, "", heading)
      if (name_of(heading) in wanted) line = line " {#" name_of(heading) "}"
    }
    gsub(/\.md#[a-z0-9_-]+\)/, ".md)", line)
    while (match(line, /\*\*[a-z]\*\*/))  # a letter of a word
      line = substr(line, 1, RSTART - 1) "<b>" substr(line, RSTART + 2, 1) "</b>" substr(line, RSTART + 5)
    print line
  }
}
