#!/usr/bin/env bash
# Do the tests see a planted bug? Changes one operator or number of a numeric header at a time, compiles the tests of
# that header against it, and counts: red (a test fails), dead (does not compile), green (nobody saw it). All other
# headers are as they are, and what of them is in ness::compiled is taken from there.
#
# tests/mutation/mutate.sh [--count N] [--seed S] [--jobs J] [FOLDER/HEADER...]
# From the top of the repository. A mutant takes a minute or two of one core with g++. Those that are green are
# printed with their line: some change nothing that anyone could see. The exit status is 1 where fewer than 97 in
# 100 of those that compile are red.
set -euo pipefail
count=150
seed=1
jobs=2
headers=()
while [ $# -gt 0 ]; do
  case $1 in
    --count) count=$2; shift ;;
    --seed) seed=$2; shift ;;
    --jobs) jobs=$2; shift ;;
    --one) one=$2; shift ;;
    -*) sed -n '2,10p' "$0" >&2; exit 2 ;;
    *) headers+=("$1") ;;
  esac
  shift
done
export CXX=${CXX:-g++} EIGEN=${EIGEN:-/usr/include/eigen3}
flags=(-std=c++20 -O1 -w -pthread -I tests -isystem "$EIGEN")

# tests_of FOLDER/HEADER: the test of that name, and then others of its folder that include it.
tests_of() {
  local name=${1#*/}
  name=${name%.hpp}
  {
    ls "tests/${1%/*}/${name}_test.cpp" 2> /dev/null || true
    grep -l "ness/$1" "tests/${1%/*}"/*_test.cpp 2> /dev/null || true
  } | awk '!seen[$0]++ && ++shown <= 3'
}

# candidates FOLDER/HEADER: a line for each mutant, "header number operator place replacement".
candidates() {
  awk -v header="$1" '
    BEGIN {
      pairs = " + | - ;; - | + ;; * | / ;; / | * ;; < | <= ;; > | >= ;; <= | < ;; >= | > ;; == | != ;; && | || ;; || | && ;; += | -= ;; -= | += ;; *= | /= ;; /= | *= "
      n = split(pairs, pair, ";;")
    }
    /^ *(\/\/|#|template|using|static_assert|requires|concept|namespace|friend|\*)/ || /"/ || /requires/ { next }
    {
      code = $0
      sub(/ *\/\/.*/, "", code)
      if (code !~ /[;,({)&|+*\/-]$/ ) next
      for (k = 1; k <= n; ++k) {
        bar = index(substr(pair[k], 2), "|") + 1
        if (pair[k] ~ /\|\|/) { split(pair[k] ~ /^ \|\|/ ? " || :: && " : " && :: || ", way, "::") }
        else { way[1] = substr(pair[k], 1, bar - 1); way[2] = substr(pair[k], bar + 1) }
        from = way[1]
        gsub(/^ +| +$/, "", from); from = " " from " "
        to = way[2]
        gsub(/^ +| +$/, "", to); to = " " to " "
        at = 0
        rest = code
        while ((found = index(rest, from)) > 0) {
          at += found
          printf "%s\t%d\t%d\t%s\t%s\n", header, NR, at, from, to
          rest = substr(rest, found + length(from) - 1)
          at += length(from) - 2
        }
      }
      while (match(code, /[ (](2|4|0\.5|1)[;, )*]/)) {  # numbers of formulas
        number = substr(code, RSTART + 1, RLENGTH - 2)
        printf "%s\t%d\t%d\t%s\t%s\n", header, NR, RSTART + 1, number, number "3"
        code = substr(code, 1, RSTART) "@" substr(code, RSTART + 2)
      }
    }' "include/ness/$1"
}

# try WORK "header line place from to": prints the verdict.
try() {
  local work=$1 header line place from to
  IFS=$'\t' read -r header line place from to <<< "$2"
  rm -rf "$work"
  mkdir -p "$work"
  cp -r include "$work/include"
  awk -v line="$line" -v place="$place" -v from="$from" -v to="$to" '
    NR == line { $0 = substr($0, 1, place - 1) to substr($0, place + length(from)) }
    { print }' "include/ness/$header" > "$work/include/ness/$header"
  # Of the mutant alone the definitions are compiled here, before those of the library.
  {
    echo '#define NESS_COMPILED'
    grep -o '^#include "ness/.*"' "include/ness/$header"
    printf '#undef NESS_COMPILED\n#include "ness/%s"\n#define NESS_COMPILED\n' "$header"
  } > "$work/mutant.hpp"
  local verdict=green test
  for test in $(tests_of "$header"); do
    if ! "$CXX" "${flags[@]}" -include "$mutation_work/first.hpp" -include "$work/mutant.hpp" -I "$work/include" \
        "$test" "$mutation_work/main.o" "$mutation_work/libness.a" -o "$work/test" 2> "$work/log"; then
      verdict=dead
      break
    fi
    if ! timeout 120 "$work/test" --abort > "$work/log" 2>&1; then
      verdict=red
      break
    fi
  done
  printf '%-5s %s:%d:%d:%s->%s| %s\n' "$verdict" "$header" "$line" "$place" "$from" "$to" \
    "$(sed -n "${line}p" "include/ness/$header" | sed 's/^ *//')"
  rm -rf "$work"
}

if [ -n "${one:-}" ]; then
  try "$mutation_work/$$" "$one"
  exit
fi

mutation_work=$(mktemp -d)
export mutation_work
trap 'rm -rf "$mutation_work"' EXIT
"$CXX" "${flags[@]}" -c tests/support/main.cpp -o "$mutation_work/main.o"
for part in cmake/compiled/*.cpp; do
  echo "$part"
done | xargs -P "$jobs" -I{} sh -c \
  '"$CXX" -std=c++20 -O2 -w -I include -isystem "$EIGEN" -c {} -o "$mutation_work/$(basename {}).o"'
ar rcs "$mutation_work/libness.a" "$mutation_work"/*.cpp.o
printf '#include <Eigen/Dense>\n#include <random>\n#include <sstream>\n#include <vector>\n#include "support/catch.hpp"\n' \
  > "$mutation_work/first.hpp"
"$CXX" "${flags[@]}" -x c++-header "$mutation_work/first.hpp" \
  -o "$mutation_work/first.hpp.gch"

if [ ${#headers[@]} -eq 0 ]; then
  for folder in diffusion fluctuation landscape minibatch posterior stationary statistics systems trajectory update; do
    for header in include/ness/"$folder"/*.hpp; do
      headers+=("${header#include/ness/}")
    done
  done
fi
for header in "${headers[@]}"; do
  [ -z "$(tests_of "$header")" ] || candidates "$header"
done | awk -v seed="$seed" 'BEGIN { srand(seed) } { printf "%.9f\t%s\n", rand(), $0 }' | sort -g | cut -f 2- |
  awk -v count="$count" 'NR <= count' > "$mutation_work/list"
echo "$(wc -l < "$mutation_work/list") mutants"
tr '\n' '\0' < "$mutation_work/list" | xargs -0 -P "$jobs" -I{} "$0" --one {} | tee "$mutation_work/verdicts"
awk '{ ++n[$1] } END {
  alive = n["red"] + n["green"]
  printf "%d red, %d green, %d do not compile: %.1f in 100 of those that do are red\n",
    n["red"], n["green"], n["dead"], 100 * n["red"] / alive
  exit n["red"] < 0.97 * alive
}' "$mutation_work/verdicts"
