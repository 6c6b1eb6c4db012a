#!/usr/bin/env bash
# Everything that has to hold, in stages, cheap ones first; stops at the first stage that fails. The
# last line is the sum over all stages: `N passed, N failed`. A stage without tests of its own counts
# as one.
#
# Environment: LARDER_FUZZ_SECONDS  time for each fuzz target (20)
#              LARDER_TEST_JOBS     tests at a time (2)
#              LARDER_COMPAT_COMMANDS  generated commands that are compared with redis-server (100000)
#              LARDER_LINT          1 adds clang-tidy over everything, some ten minutes (0)
# shellcheck disable=SC2317  # A stage's functions are called by name.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

fuzz_seconds=${LARDER_FUZZ_SECONDS:-20}
jobs=${LARDER_TEST_JOBS:-2}
logs=build/test-logs
mkdir -p "$logs"
passed=0
failed=0

finish() {
  echo
  echo "$passed passed, $failed failed"
  exit $((failed > 0))
}

# Adds what a stage counted itself: CTest's closing line, or `N passed, N failed` alone on a line.
# A stage that counts nothing is one check.
count() {
  local log=$1 exit_code=$2
  local stage_passed=0 stage_failed=0 a b
  while read -r a b; do
    stage_passed=$((stage_passed + a))
    stage_failed=$((stage_failed + b))
  done < <(
    sed -nE 's/^[0-9]+% tests passed, ([0-9]+) tests? failed out of ([0-9]+)$/\1 \2/p' "$log" |
      while read -r lost total; do echo "$((total - lost)) $lost"; done
    sed -nE 's/^([A-Za-z_]+: )?([0-9]+) passed, ([0-9]+) failed(, [0-9]+ skipped)?$/\2 \3/p' "$log"
  )
  if ((exit_code == 0 && stage_passed == 0)); then stage_passed=1; fi
  if ((exit_code != 0 && stage_failed == 0)); then stage_failed=1; fi
  passed=$((passed + stage_passed))
  failed=$((failed + stage_failed))
}

# A stage is a process group of its own, so that an interrupt ends all of it.
set -m
stage_pid=""
trap '[[ -z $stage_pid ]] || kill -- "-$stage_pid" 2>/dev/null; exit 130' INT TERM

# stage NAME COMMAND...: runs the command, shows what matters of its output, keeps all of it.
stage() {
  local name=$1
  shift
  local log="$logs/${name// /-}.log"
  local started=$SECONDS exit_code
  echo
  echo "=== $name"
  : >"$log"  # There before `tail` asks for it.
  "$@" >"$log" 2>&1 &
  stage_pid=$!
  # Thousands of lines that say "passed" hide the one that does not. `tail` ends with the stage, even
  # if something that the stage left behind still holds the log.
  tail -n +1 -s 0.1 -f --pid="$stage_pid" "$log" |
    grep --line-buffered -vE '^ *Start +[0-9]+:|Test +#[0-9]+:.* Passed ' &
  local shown=$!
  wait "$stage_pid"
  exit_code=$?
  wait "$shown"
  stage_pid=""
  count "$log" "$exit_code"
  echo "--- $name: $((SECONDS - started)) s"
  if ((exit_code != 0)); then
    echo "--- $name FAILED (exit code $exit_code); all of its output: $log"
    finish
  fi
}

build() {
  local preset=$1
  shift
  cmake --preset "$preset" >"$logs/configure-$preset.log" 2>&1 || {
    tail -n 40 "$logs/configure-$preset.log"
    return 1
  }
  # Quiet when all is well: ninja's thousand steps are no news.
  cmake --build --preset "$preset" "$@" >"$logs/build-$preset.log" 2>&1 || {
    grep -v '^\[[0-9]*/[0-9]*\]' "$logs/build-$preset.log" | tail -n 100
    return 1
  }
}

build_and_test() {
  build "$1" && ctest --preset "$1" -j "$jobs"
}

install_check() {
  local folder=build/install-check
  rm -rf "$folder"
  cmake --install build/release --prefix "$folder" >/dev/null || return 1
  "$folder/bin/larder-server" --version
}

# Not a stage: sudo may want to ask for a password.
echo "=== dependencies"
scripts/deps.sh all || {
  failed=1
  finish
}
passed=1
stage "format" scripts/format.sh --check
stage "includes" scripts/check_includes.py
stage "release build" build release
stage "release tests" ctest --preset release -j "$jobs"
stage "install" install_check
# A mirror that is away for an hour is no fault of the change that is tested.
stage "compatibility" env LARDER_SERVER="$PWD/build/release/larder-server" \
  COMPAT_UPSTREAM_OPTIONAL=1 \
  COMPAT_COMMANDS="${LARDER_COMPAT_COMMANDS:-100000}" redis-compat/run.sh
for check in scripts/check_readme.py scripts/check_readme.sh; do
  if [[ -x $check ]]; then
    stage "README" timeout 600 env LARDER_SERVER="$PWD/build/release/larder-server" "$check"
  fi
done
stage "headers alone" build asan --target header_check
stage "address and undefined-behaviour sanitizer" build_and_test asan
stage "thread sanitizer" build_and_test tsan
stage "fuzz targets" build fuzz
stage "fuzzing, $fuzz_seconds s each" scripts/fuzz.sh "$fuzz_seconds"
if [[ ${LARDER_LINT:-0} == 1 ]]; then
  stage "clang-tidy" scripts/lint.sh
fi
finish
