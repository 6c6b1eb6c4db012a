#!/usr/bin/env bash
# Installs the Debian 12 packages that Larder needs. Quick when all are there: apt is only asked for
# what is missing.
#
# Usage: deps.sh build   what it takes to build and run the server
#        deps.sh all     that, and what the tests, benchmarks and checks need
set -euo pipefail

build_packages=(
  g++ cmake ninja-build ccache lld-19 pkg-config git
  libabsl-dev libboost1.81-dev libboost-system1.81-dev libfmt-dev libjemalloc-dev liblzf-dev
  libspdlog-dev libssl-dev libxxhash-dev
)
check_packages=(
  clang-19 clang-format-19 clang-tidy-19 libclang-rt-19-dev llvm-19
  libgtest-dev libgmock-dev libbenchmark-dev libhiredis-dev
  memcached openssl python3 python3-redis redis-server redis-tools zstd
  # The compatibility suite: Redis's own tests, and clients and applications of other languages.
  tcl php-cli php-redis ruby ruby-redis ruby-sidekiq python3-celery python3-rq
)

case "${1:-all}" in
  build) wanted=("${build_packages[@]}") ;;
  all)
    wanted=("${build_packages[@]}" "${check_packages[@]}")
    # The JavaScript clients run on whichever Node.js is there already.
    if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
      wanted+=(nodejs npm)
    fi
    ;;
  *)
    echo "usage: $0 [build|all]" >&2
    exit 2
    ;;
esac

missing=()
for package in "${wanted[@]}"; do
  status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
  [[ $status == installed ]] || missing+=("$package")
done
if ((${#missing[@]} == 0)); then
  exit 0
fi

as_root=()
if ((EUID != 0)); then
  if ! command -v sudo >/dev/null; then
    echo "missing packages, and neither root nor sudo to install them: ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi

# These servers are here to be compared with, not to run: their packages would start them, Redis on
# Larder's port.
policy=/usr/sbin/policy-rc.d
rivals=()
for rival in redis-server memcached; do
  if [[ " ${missing[*]} " == *" $rival "* ]]; then rivals+=("$rival"); fi
done
if ((${#rivals[@]})) && [[ ! -e $policy ]]; then
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
  "${as_root[@]}" chmod +x "$policy"
  trap '"${as_root[@]}" rm -f "$policy"' EXIT
fi

echo "installing: ${missing[*]}"
"${as_root[@]}" apt-get update -q
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -q -y --no-install-recommends "${missing[@]}"

if ((${#rivals[@]})) && [[ -d /run/systemd/system ]]; then
  "${as_root[@]}" systemctl disable --now "${rivals[@]/%/.service}" || true
fi
