#!/usr/bin/env bash
# Formats the C++ sources, or says which are not formatted.
#
# Usage: format.sh            format everything
#        format.sh --check    fail on any file that is not formatted
#        format.sh --changed  fail on any such file among those that differ from the last commit
set -euo pipefail
cd "$(dirname "$0")/.."

# Names each file that is not formatted, once.
check() {
  local output
  if output=$(xargs -0 -r -n 32 -P "$(nproc)" clang-format-19 --dry-run -Werror 2>&1); then
    return 0
  fi
  local files
  files=$(sed -nE 's/^([^ :]+):[0-9]+:[0-9]+: error: .*/\1/p' <<<"$output" | sort -u)
  if [[ -n $files ]]; then
    printf 'not formatted, which "make format" mends:\n%s\n' "$files"
  else
    echo "$output"
  fi
  return 1
}

apply() {
  xargs -0 -r -n 32 -P "$(nproc)" clang-format-19 -i
}

mode=check
case "${1:-}" in
  "")
    mode=apply
    list() { git ls-files -z --cached --others --exclude-standard -- "$@"; }
    ;;
  --check) list() { git ls-files -z -- "$@"; } ;;
  --changed)
    list() {
      git diff -z --name-only --diff-filter=d HEAD -- "$@"
      git ls-files -z --others --exclude-standard -- "$@"
    }
    ;;
  *)
    echo "usage: $0 [--check|--changed]" >&2
    exit 2
    ;;
esac
list '*.h' '*.cpp' | "$mode"
