#!/usr/bin/env bash
# Do the tests see a planted bug? Changes one operator or number of a numeric header at a time, compiles tests of that
# header against it, header-only, and counts: red (a test fails, or does not end), dead (does not compile), green
# (nobody saw it). A test must first pass without a mutant.
#
# tests/mutation/mutate.sh [--count N] [--seed S] [--jobs J] [--again LOG] [FOLDER/HEADER...]
# From the top of the repository. A mutant takes some ten seconds of one core with clang++, the compiler unless CXX
# names another, and each file of tests as much once. Those that are green are printed with their line; what is known of
# them is in README.md beside this file. --again tries those that were green in a run before, whose output LOG is. The exit
# status is 1 where fewer than 97 in 100 of those that compile are red.
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
    --again) again=$2; shift ;;
    --baseline) baseline=$2; shift ;;
    --one) one=$2; shift ;;
    -*) sed -n '2,12p' "$0" >&2; exit 2 ;;
    *) headers+=("$1") ;;
  esac
  shift
done
export CXX=${CXX:-clang++} EIGEN=${EIGEN:-/usr/include/eigen3}
flags=(-std=c++20 -O1 -w -pthread)

# tests_of FOLDER/HEADER: the test of that name, then those that include it, then those of headers that include it.
tests_of() {
  local name=${1#*/} user
  {
    echo "tests/${1%/*}/${name%.hpp}_test.cpp"
    grep -l "ness/$1[\">]" tests/*/*_test.cpp || true
    for user in $(grep -l "ness/$1\"" include/ness/*/*.hpp); do
      user=${user#include/ness/}
      echo "tests/${user%.hpp}_test.cpp"
      grep -l "ness/$user[\">]" tests/*/*_test.cpp || true
    done
  } | grep -v -e "^tests/examples/" -e allocation_test | awk '!seen[$0]++' | xargs -r ls -U 2> /dev/null |
    awk 'NR <= 6' || true
}

# candidates FOLDER/HEADER: a line for each mutant, "header line place operator replacement".
candidates() {
  awk -v header="$1" '
    BEGIN {
      n = split("+:- -:+ *:/ /:* <:<= >:>= <=:< >=:> ==:!= &&:|| ||:&& +=:-= -=:+= *=:/= /=:*=", pair, " ")
      for (k = 1; k <= n; ++k) {
        split(pair[k], way, ":")
        from[k] = " " way[1] " "
        to[k] = " " way[2] " "
      }
    }
    /^ *(\/\/|#|template|using|static_assert|requires|concept|namespace|friend|\*)/ || /"/ || /requires/ { next }
    {
      code = $0
      sub(/ *\/\/.*/, "", code)
      if (code !~ /[;,({)&|+*\/-]$/) next
      for (k = 1; k <= n; ++k) {
        at = 0
        rest = code
        while ((found = index(rest, from[k])) > 0) {
          at += found
          printf "%s\t%d\t%d\t%s\t%s\n", header, NR, at, from[k], to[k]
          rest = substr(rest, found + length(from[k]) - 1)
          at += length(from[k]) - 2
        }
      }
      while (match(code, /[ (](2|4|0\.5|1)[;, )*]/)) {  # numbers of formulas
        number = substr(code, RSTART + 1, RLENGTH - 2)
        printf "%s\t%d\t%d\t%s\t%s\n", header, NR, RSTART + 1, number, number "3"
        code = substr(code, 1, RSTART) "@" substr(code, RSTART + 2)
      }
    }' "include/ness/$1"
}

# run_test INCLUDE TEST WORK SECONDS: 0 where it passes, 1 where it fails, 2 where it does not compile.
run_test() {
  "$CXX" "${flags[@]}" -include "$mutation_work/first.hpp" -I "$1" -I include -I tests -isystem "$EIGEN" \
    "$2" "$mutation_work/main.o" -o "$3/test" 2> "$3/log" || return 2
  timeout "$4" "$3/test" --abort > "$3/log" 2>&1 || return 1
}

# check_baseline TEST: notes how long it takes to compile and run where it passes.
check_baseline() {
  local work=$mutation_work/baseline.$BASHPID
  mkdir -p "$work" "$mutation_work/seconds/$(dirname "$1")"
  local status=0
  local started=$SECONDS
  run_test include "$1" "$work" 600 || status=$?
  if [ $status -eq 0 ]; then
    echo $((SECONDS - started)) > "$mutation_work/seconds/$1"
  else
    echo "left out: $1 does not $([ $status -eq 2 ] && echo compile || echo pass) without a mutant"
    head -n 5 "$work/log"
  fi
  rm -rf "$work"
}

# in_order_of_cost: of the tests that pass without a mutant the first, which is the most likely to see it, and then
# the quickest.
in_order_of_cost() {
  while read -r test; do
    [ ! -e "$mutation_work/seconds/$test" ] || echo "$(cat "$mutation_work/seconds/$test") $test"
  done | awk 'NR == 1 { $1 = 0 } { print }' | sort -n | cut -d " " -f 2
}

# try_mutant "header line place from to": prints the verdict.
try_mutant() {
  local work=$mutation_work/mutant.$BASHPID header line place from to
  IFS=$'\t' read -r header line place from to <<< "$1"
  mkdir -p "$work/ness/${header%/*}"
  awk -v line="$line" -v place="$place" -v from="$from" -v to="$to" '
    NR == line { $0 = substr($0, 1, place - 1) to substr($0, place + length(from)) }
    { print }' "include/ness/$header" > "$work/ness/$header"
  local verdict=green test
  for test in $(tests_of "$header" | in_order_of_cost); do
    local status=0
    run_test "$work" "$test" "$work" $((20 + 3 * $(cat "$mutation_work/seconds/$test"))) || status=$?
    case $status in
      1) verdict=red; break ;;
      2) verdict=dead; break ;;
    esac
  done
  printf '%-5s %s:%d:%d:%s->%s\t%s\n' "$verdict" "$header" "$line" "$place" "$from" "$to" \
    "$(sed -n "${line}p" "include/ness/$header" | sed 's/^ *//')"
  rm -rf "$work"
}

if [ -n "${baseline:-}" ]; then
  check_baseline "$baseline"
  exit
elif [ -n "${one:-}" ]; then
  try_mutant "$one"
  exit
fi

mutation_work=$(mktemp -d)
export mutation_work
trap 'rm -rf "$mutation_work"' EXIT
"$CXX" "${flags[@]}" -I tests -c tests/support/main.cpp -o "$mutation_work/main.o"
printf '#include <Eigen/Dense>\n#include <random>\n#include <sstream>\n#include <vector>\n#include "support/catch.hpp"\n' \
  > "$mutation_work/first.hpp"
precompiled=$mutation_work/first.hpp.pch  # of clang++; g++ knows another name
"$CXX" --version | grep -q clang || precompiled=$mutation_work/first.hpp.gch
"$CXX" "${flags[@]}" -I include -I tests -isystem "$EIGEN" -x c++-header "$mutation_work/first.hpp" -o "$precompiled"

if [ ${#headers[@]} -eq 0 ]; then
  for folder in detail diffusion dynamics fluctuation landscape minibatch model posterior random stationary statistics \
      systems training trajectory update; do
    for header in include/ness/"$folder"/*.hpp; do
      headers+=("${header#include/ness/}")
    done
  done
fi
if [ -n "${again:-}" ]; then
  sed -n -E 's/^green ([^:]+):([0-9]+):([0-9]+):([^\t]*)->([^\t]*)\t.*/\1\t\2\t\3\t\4\t\5/p' "$again" > "$mutation_work/list"
else
  for header in "${headers[@]}"; do
    [ -z "$(tests_of "$header")" ] || candidates "$header"
  done > "$mutation_work/candidates"
  awk -v seed="$seed" 'BEGIN { srand(seed) } { printf "%.9f\t%s\n", rand(), $0 }' "$mutation_work/candidates" | sort -g |
    cut -f 2- | awk -v count="$count" 'NR <= count' > "$mutation_work/list"
fi
cut -f 1 "$mutation_work/list" | sort -u | while read -r header; do tests_of "$header"; done | sort -u \
  > "$mutation_work/tests"
echo "$(wc -l < "$mutation_work/list") mutants, seen by $(wc -l < "$mutation_work/tests") files of tests"
xargs -P "$jobs" -I{} "$0" --baseline {} < "$mutation_work/tests"
tr '\n' '\0' < "$mutation_work/list" | xargs -0 -P "$jobs" -I{} "$0" --one {} | tee "$mutation_work/verdicts"
awk '{ ++n[$1] } END {
  alive = n["red"] + n["green"]
  printf "%d red, %d green, %d do not compile: %.1f in 100 of those that do are red\n",
    n["red"], n["green"], n["dead"], 100 * n["red"] / alive
  exit n["red"] < 0.97 * alive
}' "$mutation_work/verdicts"
