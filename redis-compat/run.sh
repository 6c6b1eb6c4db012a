#!/usr/bin/env bash
# Runs the three judges of compatibility, one after the other, and writes what they say as a table.
# Each judge ends with `N passed, N failed` on a line of its own; the exit code is 1 if any of them
# is not content.
#
# Usage: run.sh [REPORT]         REPORT is written whatever the judges say (build/compat/REPORT.md)
#
# Environment: LARDER_SERVER     the program to test (build/release/larder-server)
#              COMPAT_COMMANDS   how many generated commands are compared (200000)
#              COMPAT_SEED       what they are generated from (1)
#              COMPAT_UPSTREAM_OPTIONAL  1: not to get at Redis's suite is no failure (0)
#              COMPAT_SECONDS    time for each judge, after which it fails (900)
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/.." && pwd)
report=${1:-$root/build/compat/REPORT.md}
LARDER_SERVER=$(realpath "${LARDER_SERVER:-$root/build/release/larder-server}")
export LARDER_SERVER
export COMPAT_SECONDS=${COMPAT_SECONDS:-900}
results=$root/build/compat
mkdir -p "$results"
failed=0

# judge NAME COMMAND...: what the judge of the last run wrote must not pass for this one's.
judge() {
  local name=$1 started=$SECONDS
  shift
  echo "--- $name"
  rm -f "$results/$name".{json,tsv}
  timeout -k 10 "$((COMPAT_SECONDS + 30))" "$@" || {
    failed=1
    echo "--- $name is not content"
  }
  echo "--- $name: $((SECONDS - started)) s"
}

judge differential /usr/bin/python3 "$here/differential/differential.py" \
  --larder "$LARDER_SERVER" --json "$results/differential.json" --seconds "$COMPAT_SECONDS" \
  --commands "${COMPAT_COMMANDS:-200000}" --seed "${COMPAT_SEED:-1}"
judge upstream /usr/bin/python3 "$here/upstream/run.py"
judge clients "$here/clients/run.sh"
/usr/bin/python3 "$here/report.py" "$results" "$report" || failed=1
exit "$failed"
