#!/usr/bin/env bash
# clang-tidy over the sources, as .clang-tidy says, with the flags of preset `clang`.
#
# Usage: lint.sh [file...]   default: every .cpp file that git knows
set -euo pipefail
cd "$(dirname "$0")/.."

cmake --preset clang >/dev/null
# Generates the version header and the precompiled headers that the flags name.
cmake --build --preset clang --target larder_pch_standard larder_pch_asio larder_pch_test
if (($# == 0)); then
  mapfile -t files < <(git ls-files '*.cpp')
else
  files=("$@")
fi
printf '%s\0' "${files[@]}" |
  xargs -0 -n 1 -P "$(nproc)" clang-tidy-19 -p build/clang --quiet
