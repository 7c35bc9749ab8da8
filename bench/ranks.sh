#!/usr/bin/env bash
# Efficiency of ranks against threads: the same work by two ranks of one thread and by one rank of two, in turns;
# prints the ratio of their least times. bench/ranks.sh PROGRAM [ROUNDS]
set -euo pipefail
program=$1
rounds=${2:-5}
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for (( round = 0; round < rounds; ++round )); do
  mpirun -n 2 --bind-to none "$program" 1 >> "$work/ranks"
  mpirun -n 1 --bind-to none "$program" 2 >> "$work/threads"
done
tail -n 3 "$work/ranks"
for what in "chains of 7 " "chains of 100" "Hessian products"; do
  least() { grep "^$what" "$work/$1" | sed 's/.* \([0-9.]*\) s,.*/\1/' | sort -g | head -n 1; }
  awk -v what="$what" -v ranks="$(least ranks)" -v threads="$(least threads)" \
    'BEGIN { printf "%-20s 2 ranks / 2 threads %.3f\n", what, ranks / threads }'
done
