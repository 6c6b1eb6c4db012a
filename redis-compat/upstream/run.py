#!/usr/bin/python3
"""Runs the Tcl suite of Redis 7.0.15 against a server, and holds it to what passes on redis-server.

Usage: run.py [--target larder|redis] [--mode external|launched] [--record] [--later] [UNIT...]

  --target redis   runs redis-server itself: whatever of expected/*.txt does not pass there fails
  --mode external  the suite is told of a server (`--host`, `--port`)
         launched  the suite starts servers as it likes, for the tests that it leaves out otherwise;
                   many of these are about Redis's process rather than about what clients see
                   Without a mode, what is judged: all external units, and of the launched ones
                   those of JUDGED_LAUNCHED
  --record         writes what passes to expected/*.txt; for `--target redis`
  --later          runs the tests of later.txt as well, and says which of them pass

The suite is fetched as Debian's source package into build/compat; nothing of it is kept here. Every
unit gets servers of its own. A test that fails is run once more, alone on a fresh server, before it
counts. What is expected is in expected/*.txt, what is excused, with its reason, in exceptions.txt,
and what waits for a part of the server that is not there yet in later.txt.

The last line is `N passed, N failed`; build/compat/upstream.json has every test by name.

Environment: LARDER_SERVER   the program to test (build/release/larder-server)
             COMPAT_JOBS     units at a time (2)
             COMPAT_SECONDS  time for all of it, after which whatever is left fails (1200)
"""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import queue
import re
import sys
import tempfile
import time

import suite

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
BUILD = ROOT / "build" / "compat"
LARDER = os.environ.get("LARDER_SERVER", str(ROOT / "build" / "release" / "larder-server"))
# The suite sends on one connection what is to happen after what it sent on another, without waiting:
# only where one thread serves both is there such an order. tests/wire and the client libraries use
# several.
SERVERS = {"larder": [LARDER, "--threads", "1"], "redis": ["/usr/bin/redis-server"]}
JOBS = int(os.environ.get("COMPAT_JOBS", "2"))
SECONDS = float(os.environ.get("COMPAT_SECONDS", "1200"))
END = time.monotonic() + SECONDS

UNIT_SECONDS = 300  # For one run of a unit.
QUIET_SECONDS = 60  # Without a sign of life: a test hangs.
ALONE_SECONDS = 60  # For one test alone.
MAX_ROUNDS = 4      # Runs of a unit that ends before its end.
MAX_ALONE = 30      # Tests of a unit that are tried once more.

MAX_SHOWN = 30      # Failures of a unit that are printed; the rest is in upstream.json.

# What runs at all. `launched` leaves out what is about persistence, replication and cluster alone.
UNITS = {
    suite.EXTERNAL: [
        "unit/dump", "unit/protocol", "unit/keyspace", "unit/scan", "unit/info-command",
        "unit/type/string", "unit/type/incr", "unit/type/list", "unit/type/list-2",
        "unit/type/list-3", "unit/type/set", "unit/type/zset", "unit/type/hash",
        "unit/type/stream", "unit/type/stream-cgroups", "unit/sort", "unit/expire", "unit/other",
        "unit/multi", "unit/quit", "unit/latency-monitor", "unit/pubsub", "unit/slowlog",
        "unit/scripting", "unit/functions", "unit/introspection", "unit/introspection-2",
        "unit/bitops", "unit/bitfield", "unit/geo", "unit/hyperloglog", "unit/lazyfree",
        "unit/pause", "unit/querybuf", "unit/tracking", "unit/violations",
        "unit/replybufsize", "integration/redis-cli",
    ],
    suite.LAUNCHED: [
        "unit/auth", "unit/dump", "unit/info", "unit/expire", "unit/type/stream-cgroups",
        "unit/bitfield", "unit/other", "unit/multi", "unit/introspection", "unit/limits",
        "unit/maxmemory", "unit/obuf-limits", "unit/memefficiency", "unit/networking",
        "unit/oom-score-adj", "unit/pause", "unit/pendingquerybuf", "unit/pubsubshard",
        "unit/shutdown", "unit/client-eviction", "unit/acl", "unit/acl-v2", "unit/scripting",
        "unit/functions", "integration/redis-cli", "integration/redis-benchmark",
        "integration/dismiss-mem", "integration/corrupt-dump", "integration/corrupt-dump-fuzzer",
        "integration/logging",
    ],
}

# What memory may hold cannot be tested through a server that is already there.
JUDGED_LAUNCHED = ["unit/maxmemory", "unit/client-eviction"]
JUDGED = {**UNITS, suite.LAUNCHED: JUDGED_LAUNCHED}


# What fails on redis-server too in this mode, and spoils the tests behind it.
SPOILERS = {"unit/type/set": ["SRANDMEMBER with a dict containing long chain"]}


class TestList:
    """A file that names tests: `UNIT: NAME` lines, under headings that say what they share.

    A name that begins with `/` is a regular expression, `*` is the whole unit. A heading is a line
    `# heading: what it means`, and holds for all lines up to the next one.
    """

    def __init__(self, path):
        self.meanings = {}
        self._rows = []
        heading = None
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if match := re.match(r"^# ([a-z-]+): (.+)$", line):
                heading = match[1]
                self.meanings[heading] = match[2]
            elif line and not line.startswith("#"):
                unit, separator, name = line.partition(": ")
                if not separator or heading is None:
                    raise ValueError(f"{path}:{number}: neither a heading nor `UNIT: NAME`")
                self._rows.append((heading, unit, name))

    def heading(self, unit, name):
        for heading, listed_unit, listed in self._rows:
            if listed_unit == unit and (
                    listed in ("*", name)
                    or listed.startswith("/") and re.search(listed[1:], name)):
                return heading
        return None


def read_expected(mode):
    """Unit -> how often each name passes on redis-server."""
    expected = collections.defaultdict(collections.Counter)
    path = HERE / "expected" / f"{mode}.txt"
    if path.exists():
        for line in path.read_text().splitlines():
            unit, _, name = line.partition(": ")
            expected[unit][name] += 1
    return expected


def write_expected(mode, outcomes):
    """Replaces what was expected of the units that ran."""
    expected = read_expected(mode)
    for unit, outcome in outcomes.items():
        expected[unit] = outcome.passed
    lines = []
    for unit in UNITS[mode]:
        lines += [f"{unit}: {name}" for name in sorted(expected[unit].elements())]
    path = HERE / "expected" / f"{mode}.txt"
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(line + "\n" for line in lines))


def skip_file(folder, names):
    path = folder / "skip.txt"
    path.write_text("".join(name + "\n" for name in names))
    return ["--skipfile", str(path)]


def run_unit(workspace, unit, mode, expected, skip):
    """All that `unit` shows in as many runs as the rules allow: see the top of this file."""
    stem = f"{mode}-{unit.replace('/', '-')}"
    total = suite.Result()
    skipped = set(skip)
    for round_number in range(1, MAX_ROUNDS + 1):
        seconds = min(UNIT_SECONDS, END - time.monotonic())
        if seconds <= 0:
            total.troubles.append("no time is left")
            break
        result = suite.run_unit(
            workspace, unit, mode, f"{stem}-{round_number}", seconds, QUIET_SECONDS,
            skip_file(workspace.folder, skipped))
        if not result.began:
            continue  # Somebody else took the port that the suite's processes were to meet on.
        total.add(result)
        missing = [name for name in expected - total.passed if name not in skipped]
        # Ended early: what it did not come to has another go, without what it has seen.
        if not result.troubles:
            break
        if all(name in total.failed for name in missing):
            break
        skipped |= set(result.passed) | set(result.failed) | result.hung
    failed = [*total.failed, *total.hung]
    alone = [name for name in (expected or failed) if name in failed]
    for name in alone[:MAX_ALONE]:
        seconds = min(ALONE_SECONDS, END - time.monotonic())
        if seconds <= 0:
            break
        result = suite.run_unit(workspace, unit, mode, f"{stem}-alone", seconds, QUIET_SECONDS,
                                ["--only", name])
        if result.passed[name] and name not in result.failed:
            total.failed.pop(name, None)
            total.passed[name] = max(result.passed[name], expected[name])
            total.second.add(name)
    return total


def judge(mode, unit, outcome, expected, later, exceptions):
    """The row of the report: each expected test is in exactly one of the lists."""
    row = {"mode": mode, "unit": unit, "passed": [], "failed": {}, "excused": {}, "later": {},
           "at second attempt": sorted(outcome.second), "troubles": outcome.troubles,
           "not expected": sorted(set(outcome.passed) - set(expected))}
    for name in sorted(expected):
        good = outcome.passed[name] >= expected[name] and name not in outcome.failed
        if heading := later.heading(unit, name):
            row["later"].setdefault(heading, []).append(name)
            if good:
                row.setdefault("passes already", []).append(name)
        elif good:
            row["passed"].append(name)
        elif heading := exceptions.heading(unit, name):
            row["excused"][name] = heading
        else:
            row["failed"][name] = outcome.failed.get(name, "was not reached")
    return row


def parse_arguments():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--target", choices=SERVERS, default="larder")
    parser.add_argument("--mode", choices=UNITS, action="append")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--later", action="store_true")
    parser.add_argument("units", nargs="*")
    return parser.parse_args()


def main():
    options = parse_arguments()
    BUILD.mkdir(parents=True, exist_ok=True)
    try:
        source = suite.fetch(BUILD)
    except suite.FetchError as error:
        if os.environ.get("COMPAT_UPSTREAM_OPTIONAL") != "1":
            raise
        # The report says that this judge was not heard.
        print(f"{error}\nRedis's suite cannot be fetched here: passed over.")
        return 0
    later = TestList(HERE / "later.txt")
    exceptions = TestList(HERE / "exceptions.txt")
    expected = {mode: read_expected(mode) for mode in UNITS}
    nothing = collections.Counter()
    modes = options.mode or list(JUDGED)
    jobs = [(mode, unit) for mode in modes
            for unit in (UNITS if options.mode else JUDGED)[mode]
            if not options.units or unit in options.units]
    # Long ones first, so that none is left to run by itself at the end.
    jobs.sort(key=lambda job: sum(expected[job[0]][job[1]].values()), reverse=True)

    logs = BUILD / "logs"
    logs.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        workspaces = queue.SimpleQueue()
        for number in range(JOBS):
            place = pathlib.Path(folder) / str(number)
            place.mkdir()
            workspaces.put(suite.Workspace(source, place, SERVERS[options.target], logs))

        def work(job):
            mode, unit = job
            wanted = nothing if options.record else expected[mode][unit]
            skip = list(SPOILERS.get(unit, []))
            if options.target == "larder" and not options.later:
                skip += [name for name in wanted if later.heading(unit, name)]
            if mode == suite.LAUNCHED:
                skip += expected[suite.EXTERNAL][unit]
            if wanted and all(name in skip for name in wanted):
                return job, suite.Result()
            workspace = workspaces.get()
            try:
                return job, run_unit(workspace, unit, mode, wanted, skip)
            finally:
                workspaces.put(workspace)

        outcomes = {mode: {} for mode in UNITS}
        rows = []
        with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
            for job in concurrent.futures.as_completed([pool.submit(work, job) for job in jobs]):
                (mode, unit), outcome = job.result()
                outcomes[mode][unit] = outcome
                row = judge(mode, unit, outcome, expected[mode][unit], later, exceptions)
                rows.append(row)
                show(row)

    if options.record:
        for mode in modes:
            write_expected(mode, outcomes[mode])
        return 0
    rows.sort(key=lambda row: (list(UNITS).index(row["mode"]), UNITS[row["mode"]].index(row["unit"])))
    (BUILD / "upstream.json").write_text(json.dumps(
        {"target": options.target, "later": later.meanings, "exceptions": exceptions.meanings,
         "units": rows}, indent=1) + "\n")
    passed = sum(len(row["passed"]) for row in rows)
    failed = sum(len(row["failed"]) for row in rows)
    print(f"{passed} passed, {failed} failed")
    return failed > 0


def reason(why):
    """The line that says most: an error that is no assertion comes cut first, and then whole."""
    lines = why.strip().splitlines() or ["no reason given"]
    return lines[1] if len(lines) > 1 and lines[1].endswith(lines[0]) else lines[0]


def show(row):
    notes = [f"{len(row['passed'])} passed"]
    for what in ("failed", "excused"):
        if row[what]:
            notes.append(f"{len(row[what])} {what}")
    if row["later"]:
        notes.append(f"{sum(map(len, row['later'].values()))} later")
    if "passes already" in row:
        notes.append(f"{len(row['passes already'])} of them pass already")
    if row["at second attempt"]:
        notes.append(f"{len(row['at second attempt'])} at the second attempt")
    print(f"{row['unit']} ({row['mode']}): {', '.join(notes)}")
    for name, why in list(row["failed"].items())[:MAX_SHOWN]:
        print(f"  FAILED {name}\n    {reason(why)[:300]}")
    if len(row["failed"]) > MAX_SHOWN:
        print(f"  and {len(row['failed']) - MAX_SHOWN} more")
    if row["failed"]:
        for trouble in row["troubles"]:
            print(f"  TROUBLE {trouble[:300]}")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
