#!/usr/bin/env python3
"""Does what README.md or another document tells a newcomer to do, and compares what is shown with
what happens.

Usage: check_readme.py [--without KIND] [FILE]

A server ($LARDER_SERVER, default: build/release/larder-server) runs on a free port, which stands in
for 6379 in everything that is done. By kind of block:

  console      `$ command` in a shell; after `$ redis-cli` a session with it on a terminal, which must
               look as it is shown, prompts and all
  sh           each line must succeed; of `make` it is only asked whether it knows what to do, and a
               server that is started must answer
  python, js   a program; what its prints show is what stands in the comments behind them

In a session a lease's token stands for whatever token the server gives out there, and a whole number
of a thousand or more for a time in milliseconds, which may be a second off.

The last line is `N passed, N failed`.
"""

import argparse
import difflib
import os
import pathlib
import pty
import re
import select
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import termios
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
SERVER = os.environ.get("LARDER_SERVER", str(ROOT / "build" / "release" / "larder-server"))
SHOWN_PORT = "6379"
SECONDS = 60  # For any one step.
PROMPT = re.compile(r"^(?:127\.0\.0\.1:6379(?:\[\d+\])?(?:\(TX\))?|not connected)> ")
TOKEN = re.compile(r"\b[0-9a-f]{16}-[0-9a-f]+\b")
TIME = re.compile(r"(.*\(integer\) )(-?\d{4,})")
SLACK_MS = 1000
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Difference(Exception):
    """What happens is not what is written."""


def expect_same(shown, actual, what):
    if shown != actual:
        lines = difflib.unified_diff(shown.splitlines(), actual.splitlines(), "shown", "actual",
                                     lineterm="", n=1)
        raise Difference(f"{what}\n" + "\n".join(lines))


def replace_tokens(text, replaced, replacing):
    """The first token of `replaced` becomes the first of `replacing` in the text, and so on."""
    tokens = dict(zip(*(dict.fromkeys(TOKEN.findall(origin)) for origin in (replaced, replacing))))
    return TOKEN.sub(lambda token: tokens.get(token[0], token[0]), text)


def with_times_of(shown, actual):
    """Replaces in what happened the times that are near enough to those shown."""
    lines = actual.splitlines()
    for i, (left, right) in enumerate(zip(shown.splitlines(), lines)):
        left_time, right_time = TIME.fullmatch(left), TIME.fullmatch(right)
        if left_time and right_time and left_time[1] == right_time[1] and abs(
                int(left_time[2]) - int(right_time[2])) <= SLACK_MS:
            lines[i] = left
    return "\n".join(lines)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return str(probe.getsockname()[1])


class Server:
    """A server process that answers, until the end of `with`."""

    def __init__(self, arguments=()):
        self.port = free_port()
        self.folder = tempfile.TemporaryDirectory()
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [SERVER, *arguments, "--port", self.port, "--bind", "127.0.0.1", "--dir",
             self.folder.name], stdout=self.log, stderr=subprocess.STDOUT, cwd=ROOT)

    def __enter__(self):
        end = time.monotonic() + 10
        while time.monotonic() < end and self.process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", int(self.port)), 5) as client:
                    client.sendall(b"PING\r\n")
                    if client.recv(7) in (b"+PONG\r\n", b"-NOAUTH"):
                        return self
            except OSError:
                pass
            time.sleep(0.05)
        self.__exit__()
        self.log.seek(0)
        raise Difference("the server does not answer:\n" + self.log.read().decode())

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.folder.cleanup()


class Terminal:
    """A program that believes to talk to a person."""

    def __init__(self, command, environment):
        self.master, slave = pty.openpty()
        attributes = termios.tcgetattr(slave)
        attributes[1] &= ~termios.OPOST  # Line ends stay as they are.
        termios.tcsetattr(slave, termios.TCSANOW, attributes)
        # A dumb terminal gets prompts and answers, and no colours, hints or cursor movements.
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, cwd=ROOT,
                                        env={**environment, "TERM": "dumb"}, start_new_session=True)
        os.close(slave)
        self.text = ""

    def read_until(self, ends):
        end = time.monotonic() + SECONDS
        while not ends(self.text):
            ready, _, _ = select.select([self.master], [], [], max(0, end - time.monotonic()))
            if not ready:
                raise Difference(f"no end of: {self.text}")
            try:
                self.text += os.read(self.master, 65536).decode()
            except OSError:  # The program has ended.
                return

    def write(self, line):
        os.write(self.master, (line + "\n").encode())

    def close(self):
        os.close(self.master)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Newcomer:
    """Somebody with the README in one hand. Counts what was tried."""

    def __init__(self, server, tools, left_out=()):
        self.port = server.port
        self.left_out = left_out
        self.environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}
        self.passed = 0
        self.failures = []
        for name in ("redis-cli", "redis-benchmark"):
            program = shutil.which(name)
            if program is None:
                raise Difference(f"{name} is not installed")
            script = pathlib.Path(tools, name)
            script.write_text(f'#!/bin/sh\nexec {program} -p {self.port} "$@"\n')
            script.chmod(0o755)

    def attempt(self, step, *arguments):
        try:
            step(*arguments)
            self.passed += 1
        except (Difference, OSError, subprocess.TimeoutExpired) as error:
            self.failures.append(str(error))

    def follow(self, text):
        for kind, body in BLOCK.findall(text):
            if kind in self.left_out:
                continue
            if kind == "console":
                self.follow_console(body.splitlines())
            elif kind == "sh":
                for line in body.replace("\\\n", "").splitlines():
                    if line.strip() and not line.startswith("#"):
                        self.attempt(self.follow_line, line)
            elif kind in ("python", "js"):
                self.attempt(self.follow_program, kind, body)

    # ------------------------------------------------------------ Shells

    def shell(self, command):
        return subprocess.run(["bash", "-c", command.replace(SHOWN_PORT, self.port)], cwd=ROOT,
                              env=self.environment, capture_output=True, text=True,
                              timeout=SECONDS, stdin=subprocess.DEVNULL, check=False)

    def follow_line(self, line):
        words = shlex.split(line, comments=True)
        if words[0] == "make":
            done = self.shell("make --dry-run " + shlex.join(words[1:]))
        elif words[0].endswith("larder-server") and "--version" not in words:
            with Server(words[1:]):
                return
        else:
            done = self.shell(line)
        if done.returncode != 0:
            raise Difference(f"{line}\nfails: {done.stdout}{done.stderr}")

    def follow_console(self, lines):
        start = 0
        while start < len(lines):
            if not lines[start].startswith("$ "):
                self.failures.append(f"neither a command nor its output: {lines[start]}")
                return
            end = start + 1
            while end < len(lines) and not lines[end].startswith("$ "):
                end += 1
            command, shown = lines[start][2:], lines[start + 1:end]
            if shown and PROMPT.match(shown[0]):
                self.attempt(self.follow_session, command, shown)
            else:
                self.attempt(self.follow_command, command, shown)
            start = end

    def follow_command(self, command, shown):
        done = self.shell(command)
        actual = (done.stdout + done.stderr).replace(self.port, SHOWN_PORT)
        expect_same("\n".join(shown), actual.rstrip("\n"), f"$ {command}")

    # ------------------------------------------------------------ redis-cli

    def follow_session(self, command, shown):
        terminal = Terminal(shlex.split(command), self.environment)

        def at_prompt(text):
            return PROMPT.fullmatch(text.split("\n")[-1].replace(self.port, SHOWN_PORT))

        try:
            for line in shown:
                prompt = PROMPT.match(line)
                if prompt:
                    terminal.read_until(at_prompt)
                    request = replace_tokens(line[prompt.end():], "\n".join(shown), terminal.text)
                    terminal.write(request)
                    length = len(terminal.text) + len(request)  # The terminal shows what is typed.
                    terminal.read_until(lambda text, past=length: len(text) > past)
            terminal.read_until(at_prompt)
        finally:
            terminal.close()
        actual = terminal.text.replace("\r\n", "\n").replace(self.port, SHOWN_PORT)
        actual = actual[:actual.rfind("\n")]  # The last prompt waits for nothing.
        shown = "\n".join(shown)
        actual = with_times_of(shown, replace_tokens(actual, actual, shown))
        expect_same(shown, actual, f"$ {command}")

    # ------------------------------------------------------------ Programs

    def follow_program(self, kind, body):
        mark, call, runner, folder = {
            "python": ("#", "print(", "/usr/bin/python3", ROOT),
            "js": ("//", "console.log(", "node", ROOT / "redis-compat" / "clients"),
        }[kind]
        if kind == "js" and not (folder / "node_modules").is_dir():
            raise Difference("the JavaScript clients are not installed: run "
                             "redis-compat/clients/run.sh first")
        shown = [line.split(f" {mark} ")[1].strip() for line in body.splitlines()
                 if call in line and f" {mark} " in line]
        program = body.replace(SHOWN_PORT, self.port)
        # Beside its libraries, where Node.js looks for them.
        command = [runner, "-c", program] if kind == "python" else [
            runner, "--input-type=module", "-e", program]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS,
                              check=False)
        if done.returncode != 0:
            raise Difference(f"the {kind} program fails:\n{done.stderr}")
        expect_same("\n".join(shown), done.stdout.rstrip("\n"), f"the {kind} program")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("file", nargs="?", type=pathlib.Path, default=ROOT / "README.md")
    parser.add_argument("--without", action="append", default=[], metavar="KIND",
                        help="leave out blocks of this kind")
    options = parser.parse_args()
    path = options.file
    text = path.read_text(encoding="utf-8")
    passed, failures = 0, []
    try:
        with Server() as server, tempfile.TemporaryDirectory() as tools:
            newcomer = Newcomer(server, tools, options.without)
            newcomer.follow(text)
            passed, failures = newcomer.passed, newcomer.failures
    except Difference as error:
        failures.append(str(error))
    if passed + len(failures) == 0:
        failures.append(f"{path} has nothing to try")
    for failure in failures:
        print(f"FAILED {failure}\n")
    print(f"{passed} passed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
