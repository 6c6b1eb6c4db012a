#!/usr/bin/env bash
# Drives a real server with the client libraries that people use. Each library gets servers of its
# own, which are started again whenever they end, as systemd would: the tests send SHUTDOWN to see
# their library come back. The last line is `N passed, N failed`.
#
# Usage: run.sh [LIBRARY...]     as named below; by default all that need no scripts, which then write
#                                build/compat/clients.tsv for the report. Redis has no stampede
#                                protection: what is about it is for Larder only
#
# Environment: LARDER_SERVER  the program to test (build/release/larder-server)
#              TARGET         redis drives Debian's redis-server instead, which shows that the tests
#                             expect the right thing (larder)
# shellcheck disable=SC2317  # `finish` is called by a trap.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
libraries=("$@")
# What is left out runs scripts, see with_scripting.tsv.
((${#libraries[@]})) || libraries=(
  redis-py redis-py-types hiredis ioredis ioredis-types node-redis node-redis-types php-redis ruby-redis
  rq sidekiq applications
)

export TARGET=${TARGET:-larder}
case $TARGET in
  larder)
    LARDER_SERVER=$(realpath "${LARDER_SERVER:-$root/build/release/larder-server}")
    export LARDER_SERVER
    server=("$LARDER_SERVER" --threads 4)
    (($#)) || libraries+=(ioredis-stampede stampede-examples)
    ;;
  redis) server=(/usr/bin/redis-server --save "") ;;
  *)
    echo "TARGET is larder or redis, not $TARGET" >&2
    exit 2
    ;;
esac

work=$(mktemp -d)
started_here=()
finish() {
  ((${#started_here[@]} == 0)) || kill "${started_here[@]}" 2>/dev/null
  wait
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

free_port() {
  /usr/bin/python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

answers() {
  (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# supervise PORT OPTION...: keeps a server running until it is told to end itself.
supervise() {
  local folder="$work/$1"
  mkdir -p "$folder"
  trap 'kill $(jobs -p) 2>/dev/null; wait; exit 0' TERM
  while :; do
    "${server[@]}" --port "$1" --bind 127.0.0.1 --dir "$folder" "${@:2}" >>"$work/$1.log" 2>&1 &
    wait $!
    sleep 0.1
  done
}

# start_server OPTION...: sets `port`.
start_server() {
  port=$(free_port)
  supervise "$port" "$@" &
  started_here+=($!)
  local _
  for _ in {1..100}; do
    if answers "$port"; then return 0; fi
    sleep 0.05
  done
  echo "the server does not start:"
  tail -n 20 "$work/$port.log"
  return 1
}

# Both JavaScript libraries, at the versions of package-lock.json.
install_modules() {
  local installed="$here/node_modules/.package-lock.json"
  if [[ $installed -nt $here/package-lock.json ]]; then return 0; fi
  npm --prefix "$here" ci --silent && touch "$installed"
}

prepare() {
  case $1 in
    redis-py) command=(/usr/bin/python3 "$here/redis_py_test.py") ;;
    redis-py-types) command=(/usr/bin/python3 "$here/redis_py_types_test.py") ;;
    hiredis)
      command=("$work/hiredis_test")
      "${CXX:-g++}" -std=c++20 -O1 -Wall -Wextra -Werror "$here/hiredis_test.cpp" -lhiredis \
        -o "$work/hiredis_test"
      ;;
    ioredis) command=(node "$here/ioredis_test.mjs") && install_modules ;;
    ioredis-stampede) command=(node "$here/ioredis_stampede_test.mjs") && install_modules ;;
    # With its JavaScript, which needs the libraries that are installed here.
    stampede-examples)
      command=(/usr/bin/python3 "$root/scripts/check_readme.py" "$root/docs/stampede.md")
      install_modules
      ;;
    ioredis-types) command=(node "$here/ioredis_types_test.mjs") && install_modules ;;
    node-redis) command=(node "$here/node_redis_test.mjs") && install_modules ;;
    node-redis-types) command=(node "$here/node_redis_types_test.mjs") && install_modules ;;
    php-redis) command=(php "$here/php_redis_test.php") ;;
    ruby-redis) command=(ruby -W0 "$here/redis_rb_test.rb") ;;
    rq) command=(/usr/bin/python3 "$here/rq_test.py") ;;
    celery) command=(/usr/bin/python3 "$here/celery_test.py") ;;
    sidekiq) command=(ruby -W0 "$here/sidekiq_test.rb") ;;
    applications) command=(node "$here/applications_test.mjs") && install_modules ;;
    *)
      echo "no such library: $1"
      return 1
      ;;
  esac
}

# The version that the report names.
version() {
  case $1 in
    redis-py*) /usr/bin/python3 -c 'import redis; print(redis.__version__)' ;;
    hiredis) pkg-config --modversion hiredis ;;
    ioredis* | stampede-examples) locked ioredis ;;
    node-redis*) locked redis ;;
    php-redis) php -r 'echo phpversion("redis"), "\n";' ;;
    ruby-redis) ruby -e 'require "redis"; puts Redis::VERSION' ;;
    rq) /usr/bin/python3 -c 'import rq; print(rq.__version__)' ;;
    celery) /usr/bin/python3 -c 'import celery; print(celery.__version__)' ;;
    sidekiq) ruby -W0 -e 'require "sidekiq"; puts Sidekiq::VERSION' ;;
    applications) echo "$(locked connect-redis), $(locked socket.io)" ;;
  esac
}

locked() {
  node -p "require('$here/package-lock.json').packages['node_modules/$1'].version"
}

drive() {
  prepare "$1" || return 1
  start_server --requirepass "a secret" || return 1
  export AUTH_PORT=$port AUTH_PASSWORD="a secret"
  export SERVER_SOCKET="$work/$1.sock"
  start_server --unixsocket "$SERVER_SOCKET" || return 1
  export SERVER_PORT=$port
  # Waited for rather than called, so that a signal is heeded at once.
  timeout 120 "${command[@]}" &
  started_here+=($!)
  wait $!
}

passed=0
failed=0
rows=()
for library in "${libraries[@]}"; do
  started=$SECONDS
  passed_before=$passed failed_before=$failed
  echo "$library"
  drive "$library" >"$work/output" 2>&1
  code=$?
  sed 's/^/  /' "$work/output"
  if [[ $(tail -n 1 "$work/output") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
    passed=$((passed + BASH_REMATCH[1]))
    failed=$((failed + BASH_REMATCH[2]))
    # Ended badly in spite of what it counted.
    if ((code != 0 && BASH_REMATCH[2] == 0)); then failed=$((failed + 1)); fi
  else
    echo "  did not come to its end (exit code $code)"
    failed=$((failed + 1))
  fi
  echo "  $((SECONDS - started)) s"
  rows+=("$library"$'\t'"$(version "$library")"$'\t'"$((passed - passed_before))"$'\t'"$((failed - failed_before))")
done
if [[ $TARGET == larder && $# == 0 ]]; then
  mkdir -p "$root/build/compat"
  printf '%s\n' "${rows[@]}" >"$root/build/compat/clients.tsv"
fi
echo "$passed passed, $failed failed"
exit $((failed > 0))
