#!/usr/bin/env bash
# Starts the release build in the foreground. Arguments go to the server, as redis-server takes them.
set -euo pipefail
cd "$(dirname "$0")/.."

# Larder says itself that it cannot bind; what it cannot know is that it is often Debian's Redis.
port=6379
previous=""
for argument in "$@"; do
  [[ $previous == --port ]] && port=$argument
  previous=$argument
done
if [[ $port =~ ^[0-9]+$ ]] && (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
  {
    echo "port $port is taken. If that is Debian's Redis: sudo systemctl stop redis-server"
    echo "Or take another one: make run ARGS='--port 6380'"
  } >&2
  exit 1
fi
exec build/release/larder-server "$@"
