#!/usr/bin/env python3
"""Writes docs/commands.md from what a server says of its own commands (COMMAND DOCS, COMMAND INFO).

Usage: command_docs.py [--check] [--port PORT]

Without --port, starts $LARDER_SERVER (default: build/release/larder-server) for itself. With --check,
writes nothing and fails if the file is not what it would write.
"""

import argparse
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
TARGET = ROOT / "docs" / "commands.md"

# In this order, groups not named here after these.
GROUPS = {
    "string": "Strings",
    "generic": "Keys",
    "cache": "The cache",
    "transactions": "Transactions",
    "pubsub": "Publish and subscribe",
    "connection": "Connections",
    "server": "The server",
}


class Client:
    """As much of RESP3 as COMMAND needs."""

    def __init__(self, port):
        self.file = socket.create_connection(("127.0.0.1", port), timeout=10).makefile("rwb")

    def call(self, *args):
        request = b"*%d\r\n" % len(args)
        for arg in args:
            request += b"$%d\r\n%s\r\n" % (len(arg), arg.encode())
        self.file.write(request)
        self.file.flush()
        return self.read()

    def read(self):
        line = self.file.readline().rstrip(b"\r\n").decode()
        kind, rest = line[:1], line[1:]
        if kind == "$":
            text = self.file.read(int(rest) + 2)[:-2]
            return text.decode()
        if kind in "*~":
            return [self.read() for _ in range(int(rest))]
        if kind == "%":
            return {self.read(): self.read() for _ in range(int(rest))}
        if kind == ":":
            return int(rest)
        if kind == "-":
            raise RuntimeError(rest)
        return rest


def syntax_of(argument):
    """An argument of COMMAND DOCS as people write it."""
    flags = argument.get("flags", [])
    parts = [syntax_of(part) for part in argument.get("arguments", [])]
    kind = argument["type"]
    if kind == "oneof":
        text = " | ".join(parts)
        if "optional" not in flags or "multiple" in flags:
            text = f"({text})"
    elif kind == "block":
        text = " ".join(parts)
        if "multiple" in flags:
            text = f"({text})"
    elif kind == "pure-token":
        text = argument["token"]
    else:
        text = argument["name"]
    if kind != "pure-token" and "token" in argument:
        text = f"{argument['token']} {text}"
    if "multiple" in flags:
        text += "..."
    return f"[{text}]" if "optional" in flags else text


def cell(text):
    return text.replace("|", "\\|")


def rows_of(name, docs):
    """The command and its subcommands; a container that does nothing by itself has no row."""
    subcommands = docs.get("subcommands", {})
    if not subcommands or name == "command":
        words = [name.replace("|", " ").upper()]
        words += [syntax_of(argument) for argument in docs.get("arguments", [])]
        summary = docs.get("summary", "")
        if "deprecated_since" in docs:
            summary += f" Deprecated since {docs['deprecated_since']}"
            if "replaced_by" in docs:
                summary += f", use {docs['replaced_by'].replace('`!', '`')}"
            summary += "."
        yield (" ".join(words), summary, docs.get("since", ""), docs.get("complexity", ""))
    for subcommand in sorted(subcommands):
        yield from rows_of(subcommand, subcommands[subcommand])


def render(client):
    client.call("HELLO", "3")
    docs = client.call("COMMAND", "DOCS")
    groups = {}
    count = 0
    for name in sorted(docs):
        rows = list(rows_of(name, docs[name]))
        groups.setdefault(docs[name]["group"], []).extend(rows)
        count += len(rows)
    lines = [
        "# Commands",
        "",
        "<!-- Written by scripts/command_docs.py from the server's command table. -->",
        "",
        f"The {count} commands that Larder answers, subcommands counted, as `COMMAND DOCS` tells "
        "them. *Since* is",
        "the version of Redis that has it first; *cost* is the time complexity. What stands in "
        "[ ] is optional, | parts",
        "alternatives, ... repeats.",
        "",
    ]
    order = [group for group in GROUPS if group in groups]
    order += sorted(group for group in groups if group not in GROUPS)
    for group in order:
        lines += [f"## {GROUPS.get(group, group.capitalize())}", ""]
        lines += ["| Command | What it does | Since | Cost |", "| --- | --- | --- | --- |"]
        for syntax, summary, since, cost in groups[group]:
            lines.append(f"| `{cell(syntax)}` | {cell(summary)} | {since} | {cell(cost)} |")
        lines.append("")
    return "\n".join(lines)


def wait_for_port(port, server):
    for _ in range(100):
        try:
            return Client(port)
        except OSError:
            if server.poll() is not None:
                break
            time.sleep(0.05)
    raise RuntimeError("the server does not answer")


def render_with_own_server():
    program = os.environ.get("LARDER_SERVER", str(ROOT / "build" / "release" / "larder-server"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as directory:
        server = subprocess.Popen(
            [program, "--port", str(port), "--bind", "127.0.0.1", "--dir", directory],
            stdout=subprocess.DEVNULL)
        try:
            return render(wait_for_port(port, server))
        finally:
            server.terminate()
            server.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--port", type=int)
    options = parser.parse_args()
    text = render(Client(options.port)) if options.port else render_with_own_server()
    if not options.check:
        TARGET.parent.mkdir(exist_ok=True)
        TARGET.write_text(text, encoding="utf-8")
        return 0
    if TARGET.exists() and TARGET.read_text(encoding="utf-8") == text:
        return 0
    print(f"{TARGET.relative_to(ROOT)} is out of date: run scripts/command_docs.py",
          file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
