#!/usr/bin/env bash
# Starts the release build in the foreground. Arguments go to the server, as redis-server takes them.
set -euo pipefail
cd "$(dirname "$0")/.."

# Larder says itself that it cannot bind; what it cannot know is that it is often Debian's Redis.
if (($# == 0)) && (exec 3<>/dev/tcp/127.0.0.1/6379) 2>/dev/null; then
  {
    echo "Port 6379 is taken. If that is Debian's Redis: sudo systemctl stop redis-server"
    echo "Or take another port: make run ARGS='--port 6380'"
  } >&2
  exit 1
fi
exec build/release/larder-server "$@"
