#!/usr/bin/env bash
# Formats the C++ sources, or says which are not formatted.
#
# Usage: format.sh            format everything
#        format.sh --check    fail on any file that is not formatted
#        format.sh --changed  fail on any such file among those that differ from the last commit
set -euo pipefail
cd "$(dirname "$0")/.."

mode=(--dry-run -Werror)
case "${1:-}" in
  "")
    mode=(-i)
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
list '*.h' '*.cpp' | xargs -0 -r -n 32 -P "$(nproc)" clang-format-19 "${mode[@]}"
