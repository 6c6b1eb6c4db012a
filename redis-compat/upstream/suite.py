"""Redis's own Tcl suite: fetching it, running one unit of it, and reading what it prints."""

import collections
import contextlib
import dataclasses
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import tarfile
import tempfile
import time

VERSION = "7.0.15"
MIRROR = os.environ.get("COMPAT_MIRROR", "http://deb.debian.org/debian")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"

# The modes in which a unit runs.
EXTERNAL = "external"
LAUNCHED = "launched"

# What the suite's own file for an external server says (.github/workflows/external.yml), so that
# tests may use DEBUG and set protected directives.
PERMISSIVE = ["--enable-debug-command", "yes", "--enable-protected-configs", "yes",
              "--enable-module-command", "yes"]

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
EVENT = re.compile(r"^\[(ok|err|ignore|skip|exception)\]: (.*)$")
IN_PROGRESS = re.compile(r"=> \(IN PROGRESS\) (.*)$")


class FetchError(Exception):
    """The suite cannot be had."""


def fetch(folder):
    """The unpacked source, which is asked of Debian if it is not in `folder` yet.

    apt is given a list of sources of its own for this one call, so the machine's configuration
    stays as it is, root is not needed, and what comes is checked against Debian's signature.
    """
    source = folder / f"redis-{VERSION}"
    if (source / "tests" / "test_helper.tcl").is_file():
        return source
    download = folder / "download"
    for name in ("parts", "lists/partial", "files"):
        (download / name).mkdir(parents=True, exist_ok=True)
    (download / "parts" / "source.sources").write_text(
        f"Types: deb-src\nURIs: {MIRROR}\nSuites: bookworm\nComponents: main\n"
        f"Signed-By: {KEYRING}\n")
    options = ["-o", "Dir::Etc::sourcelist=/dev/null",
               "-o", f"Dir::Etc::sourceparts={download / 'parts'}",
               "-o", f"Dir::State::lists={download / 'lists'}",
               "-o", f"Dir::Cache={download}", "-o", "Acquire::Retries=3",
               "-o", "APT::Sandbox::User="]
    for command in (["update", "-q"], ["source", "-q", "--download-only", "redis"]):
        result = subprocess.run(["apt-get", *options, *command], cwd=download / "files",
                                capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise FetchError(f"apt-get {command[0]} failed:\n{result.stdout}{result.stderr}")
    archives = list((download / "files").glob(f"redis_{VERSION}.orig.tar.*"))
    if not archives:
        raise FetchError(f"Debian's source package of redis is not {VERSION}: "
                         f"{sorted(p.name for p in (download / 'files').iterdir())}")
    with tempfile.TemporaryDirectory(dir=folder) as unpacked:
        with tarfile.open(archives[0]) as archive:
            archive.extractall(unpacked)
        # In place only when whole.
        os.rename(next(pathlib.Path(unpacked).iterdir()), source)
    shutil.rmtree(download)
    return source


class Workspace:
    """A copy of the suite in which one unit can run at a time.

    Units write into `tests/tmp` and clean up what is there, so two must not share it.
    """

    def __init__(self, source, folder, server, logs):
        self.folder = folder
        self.logs = logs  # Where what was printed is kept.
        self._server = server
        shutil.copytree(source / "tests", folder / "tests", symlinks=True)
        (folder / "tests" / "tmp").mkdir(exist_ok=True)
        # Each block of tests begins with FUNCTION FLUSH, and an error there ends the unit. A server
        # that has no functions has none left over from another block either.
        edit(folder / "tests/support/server.tcl", "    r function flush\n",
             "    catch {r function flush}\n")
        binaries = folder / "src"
        binaries.mkdir()
        for name in ("redis-cli", "redis-benchmark", "redis-check-aof", "redis-check-rdb"):
            (binaries / name).symlink_to(f"/usr/bin/{name}")
        # What the suite launches as redis-server. It waits for a line with the process id, which is
        # redis-server's way of saying that it has begun.
        launcher = binaries / "redis-server"
        launcher.write_text(f'#!/bin/sh\necho " PID: $$"\nexec "{server[0]}" "$@"\n')
        launcher.chmod(0o755)

    @contextlib.contextmanager
    def server(self, log):
        """Gives the port and the process of a fresh server, until the end of `with`."""
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        with tempfile.TemporaryDirectory(dir=self.folder) as data:
            with open(log, "wb") as output:
                process = subprocess.Popen(
                    [*self._server, *PERMISSIVE, "--save", "", "--port", str(port), "--bind",
                     "127.0.0.1", "--dir", data], stdout=output, stderr=subprocess.STDOUT)
            try:
                wait_until_it_answers(process, port)
                yield port, process
            finally:
                process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def edit(path, old, new):
    text = path.read_text()
    if old not in text:
        raise RuntimeError(f"{path.name} does not say {old!r}")
    path.write_text(text.replace(old, new))


def wait_until_it_answers(process, port):
    end = time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), 5) as client:
                client.sendall(b"PING\r\n")
                if client.recv(7) == b"+PONG\r\n":
                    return
        except OSError:
            pass
        time.sleep(0.02)
    raise RuntimeError("the server does not start")


@dataclasses.dataclass
class Result:
    """What one run of a unit printed."""

    passed: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    failed: dict = dataclasses.field(default_factory=dict)  # Name -> why.
    troubles: list = dataclasses.field(default_factory=list)  # What ended it, or a part of it, early.
    began: bool = False
    hung: set = dataclasses.field(default_factory=set)  # Tests that were running when it ended.
    second: set = dataclasses.field(default_factory=set)  # Tests that passed only when run alone.

    def add(self, other):
        """Adds what a further run of the same unit printed."""
        self.passed += other.passed
        self.failed.update(other.failed)
        self.troubles += other.troubles
        self.hung |= other.hung


def read_output(text):
    """Parses the suite's output. Names are unique in a unit but for a few, which are counted."""
    result = Result()
    detail = None  # The failure whose details the lines that follow are.
    ended = False
    for line in COLOUR.sub("", text).splitlines():
        if line.startswith("[ready]"):
            result.began = True
        if line.startswith("!!! WARNING"):
            break  # The failures once more.
        if "The End" in line:
            ended = True
        event = EVENT.match(line)
        if not event:
            if match := IN_PROGRESS.search(line):
                result.hung.add(match[1])
            elif detail is not None and not line.startswith("["):
                result.failed[detail] += line + "\n"
            continue
        kind, rest = event.groups()
        detail = None
        if kind == "ok":
            result.passed[re.sub(r" \(\d+ ms\)$", "", rest)] += 1
        elif kind == "err" and " in tests/" in rest:
            detail = rest.rsplit(" in tests/", 1)[0]
            result.failed.setdefault(detail, "")
        elif kind in ("err", "exception"):
            result.troubles.append(rest)
    if not ended and not result.troubles:
        result.troubles.append("did not come to its end")
    return result


def run_unit(workspace, unit, mode, name, seconds, quiet_seconds, options):
    """Runs one unit, or what `options` leave of it, and ends everything it started.

    What the suite and the server print is kept as `name`.log and `name`.server.log.
    """
    log = workspace.folder / f"{name}.log"
    base_port = random.randrange(20_000, 31_000, 100)
    command = ["tclsh", "tests/test_helper.tcl", "--clients", "1", "--durable", "--single", unit,
               "--baseport", str(base_port), "--portcount", "68", "--timeout", str(quiet_seconds),
               *options]
    with contextlib.ExitStack() as stack:
        output = stack.enter_context(open(log, "wb"))
        server = None
        if mode == EXTERNAL:
            port, server = stack.enter_context(workspace.server(log.with_suffix(".server.log")))
            command += ["--host", "127.0.0.1", "--port", str(port)]
        process = subprocess.Popen(command, cwd=workspace.folder, stdout=output,
                                   stderr=subprocess.STDOUT, start_new_session=True,
                                   env={**os.environ, "TERM": "dumb", "LC_ALL": "C"})
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            pass
        finally:
            # Not only the suite: what it launched is in its session and may outlive it.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        ended = server.poll() if server else None
    result = read_output(log.read_text(encoding="utf-8", errors="replace"))
    for path in (log, log.with_suffix(".server.log")):
        if path.exists():
            shutil.move(path, workspace.logs / path.name)
    if ended is not None:
        result.troubles.append(f"the server ended by itself, with exit code {ended}")
    return result
