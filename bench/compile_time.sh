#!/usr/bin/env bash
# What it costs to compile with ness, in units of compiling `#include <Eigen/Dense>` with the same flags: user
# seconds, best of three, all in one run, so that the machine's speed and load cancel. With --build also the
# regression example from nothing, ness::compiled included: CPU seconds, and the memory of the largest process.
# Fails where a ratio is 30 % above its bound; those of the programs, which have grown since the bound was set, 45 %.
#
# bench/compile_time.sh [--build] [--rounds N]
# CXX (g++), CXXFLAGS (-O2) and EIGEN (/usr/include/eigen3) may be set in the environment.
set -euo pipefail
cd "$(dirname "$0")/.."

cxx=${CXX:-g++}
eigen=${EIGEN:-/usr/include/eigen3}
read -r -a flags <<< "${CXXFLAGS:--O2}"
build=false
rounds=3
while [ $# -gt 0 ]; do
  case $1 in
    --build) build=true ;;
    --rounds) rounds=$2; shift ;;
    *) echo "usage: $0 [--build] [--rounds N]" >&2; exit 2 ;;
  esac
  shift
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$cxx" -std=c++20 -O1 bench/compile_time.cpp -o "$work/usage"

# used FIELD COMMAND...: 1 user seconds, 2 user and system seconds, 3 megabytes
used() {
  if ! "$work/usage" "$work/used" "${@:2}" > "$work/log" 2>&1; then
    cat "$work/log" >&2
    return 1
  fi
  cut -d ' ' -f "$1" "$work/used"
}
compile() { used 1 "$cxx" -std=c++20 "${flags[@]}" -I include -isystem "$eigen" -c "$@" -o "$work/out.o"; }
smaller() { awk -v a="$1" -v b="${2:-$1}" 'BEGIN { print a + 0 < b + 0 ? a : b }'; }

echo '#include <Eigen/Dense>' > "$work/eigen.cpp"
echo '#include <ness/ness.hpp>' > "$work/header.cpp"
awk '/^```cpp$/ { inside = 1; next } /^```$/ && inside { exit } inside' README.md > "$work/program.cpp"

declare -A best
measure() {  # measure NAME ARGUMENT...
  local seconds
  seconds=$(compile "${@:2}")
  best[$1]=$(smaller "$seconds" "${best[$1]:-}")
}
for (( round = 0; round < rounds; ++round )); do
  measure eigen "$work/eigen.cpp"
  measure header "$work/header.cpp"
  measure program "$work/program.cpp"
  measure compiled "$work/program.cpp" -D NESS_COMPILED
done

failed=0
row() {  # row NAME VALUE BOUND [FAILS, in units of the bound]
  awk -v name="$1" -v value="$2" -v bound="$3" -v fails="${4:-1.3}" 'BEGIN {
    verdict = value <= bound ? "pass" : value <= fails * bound ? "pass, above its bound" : "FAIL"
    printf "%-48s %8.2f %8.2f  %s\n", name, value, bound, verdict
    exit verdict == "FAIL" }' || failed=1
}
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { print a / b }'; }

printf '%s, %s: Eigen/Dense takes %s user seconds\n\n' "$cxx" "${flags[*]}" "${best[eigen]}"
printf '%-48s %8s %8s\n' "" measured bound
row "ness.hpp / Eigen" "$(ratio "${best[header]}" "${best[eigen]}")" 2.4
row "README's first program / Eigen" "$(ratio "${best[program]}" "${best[eigen]}")" 12 1.45
row "the same with NESS_COMPILED / Eigen" "$(ratio "${best[compiled]}" "${best[eigen]}")" 5 1.45

# A build takes a minute or two, over which a shared machine's speed changes: Eigen is compiled with the flags of
# that build before and after it, and the mean is taken. One compiler at a time, as two on one core slow each other.
eigen_cpu() {
  for (( round = 0; round < rounds; ++round )); do
    used 2 "$cxx" -std=c++20 -O3 -DNDEBUG -march=native -isystem "$eigen" -c "$work/eigen.cpp" -o "$work/out.o"
  done
}
if $build; then
  eigen_cpu > "$work/eigen_cpu"
  cmake --preset regression -B "$work/build" -D "CMAKE_CXX_COMPILER=$cxx" > /dev/null
  build_cpu=$(used 2 cmake --build "$work/build" --target regression --parallel 1)
  largest=$(cut -d ' ' -f 3 "$work/used")
  eigen_cpu >> "$work/eigen_cpu"
  unit=$(awk '{ sum += $1 } END { print sum / NR }' "$work/eigen_cpu")
  # It stands at 75, and scatters by a tenth: 48 are the paper's three ways to train, the rest is what the example
  # has of momentum and of other batches, and the library of these and of many parameters.
  row "the regression example, all of it / Eigen" "$(ratio "$build_cpu" "$unit")" 66
  row "its largest process, gigabytes" "$(ratio "$largest" 1024)" 1.2
fi
exit "$failed"
