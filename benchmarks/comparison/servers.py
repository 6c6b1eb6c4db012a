"""Starts servers, ends them whatever happens, and reads from /proc what they cost."""

import ctypes
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import redis

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_START_SECONDS = 10
_libc = ctypes.CDLL(None)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _die_with_parent():
    # Also where this program is killed without a chance to clean up.
    pr_set_pdeathsig = 1
    _libc.prctl(pr_set_pdeathsig, signal.SIGKILL)


def parse_cpu_ticks(stat):
    """(user, system) ticks of all threads, the ended ones included, from /proc/<pid>/stat."""
    # The name in parentheses may hold blanks and parentheses itself.
    fields = stat.rpartition(")")[2].split()
    return int(fields[11]), int(fields[12])


def parse_version(text):
    """("Redis", "7.0.15") from what --version prints."""
    match = re.match(r"(\w+) server v=(\S+)", text)
    if not match:
        raise ValueError(f"not a server that this can compare: {text[:80]!r}")
    return match.group(1), match.group(2)


class Program:
    """A server's executable."""

    def __init__(self, path):
        resolved = shutil.which(path)
        if resolved is None:
            raise FileNotFoundError(f"no such server: {path}")
        self.path = os.path.abspath(resolved)  # Servers run in folders of their own.
        shown = subprocess.run([resolved, "--version"], capture_output=True, text=True, timeout=10,
                               check=True).stdout
        self.product, self.version = parse_version(shown)

    @property
    def title(self):
        return f"{self.product} {self.version}"

    def command(self, port, threads, options):
        command = [self.path, "--port", str(port), "--bind", "127.0.0.1", "--save", "",
                   "--appendonly", "no"]
        if self.product == "Larder":  # The others have but one that serves.
            command += ["--threads", str(threads)]
        return command + list(options)


class Server:
    """One running server. Use as a context manager: it is ended, by its pid, on the way out."""

    def __init__(self, program, threads=1, core_list=None, options=(), port=None):
        self.program = program
        self.port = port or free_port()
        self._directory = tempfile.TemporaryDirectory(prefix="larder-bench-")
        command = program.command(self.port, threads, options)
        if core_list:
            command = ["taskset", "-c", ",".join(map(str, core_list)), *command]
        self._log_path = pathlib.Path(self._directory.name, "log")
        with open(self._log_path, "wb") as log:
            # taskset becomes the server: the pid is the server's own.
            self._process = subprocess.Popen(
                command, cwd=self._directory.name, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, preexec_fn=_die_with_parent)
        self.client = redis.Redis("127.0.0.1", self.port, socket_timeout=60)
        try:
            self._await_start()
        except BaseException:
            self.stop()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def pid(self):
        return self._process.pid

    def _await_start(self):
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                self.client.ping()
                return
            except redis.ConnectionError:
                ended = self._process.poll() is not None
                if ended or time.monotonic() > deadline:
                    what = "ended" if ended else "does not answer"
                    raise RuntimeError(
                        f"{self.program.title} {what}:\n{self._log_path.read_text()[-2000:]}"
                    ) from None
                time.sleep(0.02)

    def stop(self):
        self.client.close()
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._directory.cleanup()

    def check_alive(self):
        """Raises if the server has ended, which no figure of it survives."""
        if self._process.poll() is not None:
            raise RuntimeError(f"{self.program.title} ended with {self._process.returncode}:\n"
                               f"{self._log_path.read_text()[-2000:]}")

    def cpu_seconds(self):
        """(user, system) seconds so far."""
        user, system = parse_cpu_ticks(pathlib.Path(f"/proc/{self.pid}/stat").read_text())
        return user / _TICKS_PER_SECOND, system / _TICKS_PER_SECOND

    def _status_bytes(self, field):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(rf"^{field}:\s+(\d+) kB", status, re.MULTILINE).group(1)) * 1024

    def rss_bytes(self):
        return self._status_bytes("VmRSS")

    def peak_rss_bytes(self):
        """The largest since reset_peak_rss()."""
        return self._status_bytes("VmHWM")

    def reset_peak_rss(self):
        pathlib.Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def info(self):
        return self.client.info()

    def commands_processed(self):
        """None where the server does not say."""
        return self.info().get("total_commands_processed")
