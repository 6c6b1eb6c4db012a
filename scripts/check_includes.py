#!/usr/bin/env python3
"""Fails on any #include between the project's folders that the design does not allow.

Usage: check_includes.py [ROOT]
"""

import pathlib
import re
import sys

# The design's table: what each folder may include of ours, itself aside.
ALLOWED = {
    "base": set(),
    "protocol": {"base"},
    "storage": {"base"},
    "eviction": {"base", "storage"},
    "commands": {"base", "protocol", "storage", "eviction"},
    "persistence": {"base", "storage"},
    "net": {"base"},
    "cluster": {"base", "net", "protocol", "storage", "persistence"},
    "server": {"base", "protocol", "storage", "eviction", "commands", "persistence", "net",
               "cluster"},
}
# Sockets are the business of these alone.
ASIO = re.compile(r"boost/(asio|beast)")
MAY_USE_ASIO = {"net", "cluster", "server"}

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')
CODE_FOLDERS = ("tests", "benchmarks", *ALLOWED)


def violations_of_line(folder, line):
    match = INCLUDE.match(line)
    if not match:
        return
    quoted, angled = match.groups()
    target = quoted or angled
    if ASIO.match(target) and folder not in MAY_USE_ASIO:
        yield f"{folder}/ must not know sockets, so not <{target}>"
    head = target.split("/")[0]
    if quoted and "/" not in target:
        yield f'"{target}" is not named from the project root'
    elif ".." in target.split("/"):
        yield f'"{target}" is not named from the project root'
    elif head in CODE_FOLDERS:
        if not quoted:
            yield f"<{target}> is ours: write it in quotes"
        if head != folder and head not in ALLOWED[folder]:
            allowed = ", ".join(sorted(ALLOWED[folder])) or "nothing of ours"
            yield f'{folder}/ must not include "{target}"; it may include: {allowed}'


def violations(root):
    for folder in ALLOWED:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix not in (".h", ".cpp"):
                continue
            text = path.read_text(encoding="utf-8", errors="replace")
            for number, line in enumerate(text.splitlines(), 1):
                for problem in violations_of_line(folder, line):
                    yield f"{path.relative_to(root)}:{number}: {problem}"


def main():
    default_root = pathlib.Path(__file__).resolve().parent.parent
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else default_root
    found = list(violations(root))
    for problem in found:
        print(problem)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
