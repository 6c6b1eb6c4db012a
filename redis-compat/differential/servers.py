"""The two servers, started afresh on free ports and ended by their own process ids."""

import os
import socket
import subprocess
import tempfile
import time

import resp

OPTIONS = ["--bind", "127.0.0.1", "--save", "", "--enable-debug-command", "yes",
           "--loglevel", "warning"]


class CannotStart(Exception):
    """The server does not come up; the text says what it printed."""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


class Server:
    """A server process. Restarted by whoever finds it dead."""

    def __init__(self, name, command):
        self.name = name
        self.command = command
        self.folder = tempfile.TemporaryDirectory(prefix="differential-")
        self.process = None
        self.log = None
        self.start()

    def start(self):
        self.port = free_port()
        self.log = open(os.path.join(self.folder.name, "log"), "ab+")
        # Without a locale SORT ALPHA and the case of letters are the same everywhere.
        self.process = subprocess.Popen(
            [*self.command, "--port", str(self.port), "--dir", self.folder.name, *OPTIONS],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT,
            cwd=self.folder.name, env={**os.environ, "LC_ALL": "C"})
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                connection = resp.Connection(self.port)
                if connection.call("PING") == b"+PONG\r\n":
                    connection.close()
                    return
            except (OSError, resp.Disconnected, resp.NoReply):
                pass
            time.sleep(0.02)
        text = self.log_text()
        self.stop()
        raise CannotStart(f"{self.name} does not start:\n{text}")

    def log_text(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")[-8000:]

    def is_alive(self):
        return self.process.poll() is None

    def restart(self):
        self._end_process()
        self.log.close()
        self.start()

    def _end_process(self):
        if self.process.poll() is None:
            self.process.kill()  # Nothing of it is kept, and a server that hangs must end, too.
        self.process.wait()

    def stop(self):
        self._end_process()
        self.log.close()
        self.folder.cleanup()


def start_redis(program="/usr/bin/redis-server"):
    return Server("Redis", [program])


def start_larder(program, threads=2):
    """Larder, or whatever is to be measured against Redis: a redis-server compared with itself
    shows that the comparison does not raise false alarms."""
    command = [os.path.abspath(program)]
    if "redis-server" not in os.path.basename(program):
        command += ["--threads", str(threads)]
    return Server("Larder", command)
