#!/usr/bin/env bash
# Runs every fuzz target for a while, two at a time. New inputs are kept in build/fuzz/found; what
# makes a target fail is left there as crash-*, timeout-* or oom-*, to be added to tests/fuzz/corpus.
#
# Usage: fuzz.sh [seconds for each target, default 20]
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-20}
out=$PWD/build/fuzz/found

run_one() {
  local program=$1 seconds=$2 out=$3
  local name
  name=$(basename "$program" _fuzz)
  mkdir -p "$out/$name"
  local inputs=("$out/$name")
  [[ -d tests/fuzz/corpus/$name ]] && inputs+=("tests/fuzz/corpus/$name")
  local dictionary=()
  [[ -f tests/fuzz/$name.dict ]] && dictionary=("-dict=tests/fuzz/$name.dict")
  if "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -verbosity=0 \
    -print_final_stats=1 -artifact_prefix="$out/$name-" "${dictionary[@]}" "${inputs[@]}" \
    >"$out/$name.log" 2>&1; then
    echo "ok    $name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$out/$name.log") inputs"
  else
    echo "FAIL  $name"
    tail -n 40 "$out/$name.log"
    return 1
  fi
}
export -f run_one

mkdir -p "$out"
find build/fuzz/tests/fuzz -maxdepth 1 -name '*_fuzz' -type f -executable -print0 | sort -z |
  xargs -0 -r -P 2 -I{} bash -c 'run_one "$@"' _ {} "$seconds" "$out"
