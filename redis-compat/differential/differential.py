#!/usr/bin/python3
"""Sends generated commands to redis-server and to Larder side by side and compares every reply.

Usage: differential.py [--larder FILE] [--commands N] [--seconds N] [--protocol 2|3|both] [--seed N]
                       [--only COMMAND]... [--json FILE] [--table]

Everything comes from the seed, which is printed. A difference is shrunk to the least that shows it and
printed as lines for redis-cli with both replies. It is an error, too, if a command of Redis 7.0 was
never sent that not_compared.tsv does not excuse. --only looks at one command (xgroup means its
subcommands, too) among the others that make its data.

With --larder /usr/bin/redis-server Redis is compared with itself: then nothing may differ.

The last line is `N commands, N mismatches`.
"""

import argparse
import json
import multiprocessing
import pathlib
import random
import sys
import time

import conversations
from coverage import Coverage, read_commands, read_not_compared
import generators  # noqa: F401  Fills the registry.
from generator import REGISTRY, Generator, Group
import resp
import servers
from session import Session, flatten
from shrink import Shrinker
import state

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]

EPISODE = 3000  # Requests between two empty keyspaces.
MOST_FINDINGS = 40  # Of one worker; what is more is only counted.


class Finding:
    """A kind of mismatch, with the shortest sequence that shows it."""

    def __init__(self, signature, text):
        self.signature = signature
        self.text = text
        self.count = 1


class Worker:
    """Runs episodes in one protocol against two servers of its own."""

    def __init__(self, options, protocol, seed, commands):
        self.options = options
        self.protocol = protocol
        self.seed = seed
        self.wanted = commands
        self.findings = {}
        self.deadline = time.monotonic() + options.seconds if options.seconds else None
        self.theirs = servers.start_redis(options.redis)
        self.ours = servers.start_larder(options.larder)
        theirs, ours = (resp.Connection(server.port) for server in (self.theirs, self.ours))
        self.commands = read_commands(theirs)
        self.not_compared = read_not_compared(HERE / "not_compared.tsv", self.commands)
        self.coverage = Coverage(self.commands)
        ours_has = {name.decode() for _, name in resp.parse(ours.call("COMMAND", "LIST"))[1]}
        self.absent = sorted(set(self.commands) - ours_has - set(self.not_compared))
        self.available = {name for name in REGISTRY if name.split("|")[0] not in self.absent
                          and name not in self.absent}
        self.payloads = self._make_payloads(theirs)
        theirs.close()
        ours.close()
        self.session = Session(self.theirs, self.ours, protocol, self.not_compared, self.coverage)
        self.replay = Session(self.theirs, self.ours, protocol, self.not_compared)
        self.replay.patience = 3
        self.state_reads = 0
        self.episodes = 0

    @staticmethod
    def _make_payloads(connection):
        """What RESTORE is given: values of all types as the reference server dumps them."""
        payloads = []
        for seed in range(6):
            connection.call("FLUSHALL")
            maker = Generator(seed, 2, [b"none"], set(REGISTRY))
            groups = maker.populate()
            for key, name, arguments in (("hash1", "hset", 4), ("zset1", "zadd", 2)):
                for place in range(200 if seed % 3 == 0 else 0):
                    groups.append([[name.encode(), key.encode(),
                                    *(b"%d" % (place + part) for part in range(arguments))]])
            for args in flatten(groups):
                if args[0] != b"config":
                    connection.call(*args)
            keys = sorted(key for _, key in resp.parse(connection.call("KEYS", "*"))[1])
            payloads += [resp.parse(connection.call("DUMP", key))[1] for key in keys]
        connection.call("FLUSHALL")
        return payloads

    # ------------------------------------------------------------ Episodes

    def is_done(self):
        return self.coverage.total >= self.wanted or (
            self.deadline is not None and time.monotonic() > self.deadline)

    def work(self):
        try:
            for name in self.absent:
                self._count(f"absent: {name}", f"Larder does not know {name}")
            turn = 0
            if not self.options.only:
                self.converse()
            while not self.is_done():
                self.episode(self.seed + turn)
                turn += 1
        finally:
            self.session.close()
            self.replay.close()
            self.theirs.stop()
            self.ours.stop()

    def converse(self):
        """The conversations of several clients, which come once a run."""
        for name, text in conversations.run_all(
                self.theirs, self.ours, self.protocol, self.seed, self.not_compared, self.coverage,
                self.options.conversations):
            self._count(name, text)

    def episode(self, seed):
        self.episodes += 1
        events = seed % 4 == 3
        generator = Generator(seed, self.protocol, self.payloads, self.available)
        generator.events = events
        groups = generator.populate()
        groups += self._requests(generator, EPISODE - len(groups), seed % 3 == 0)
        for refused, reply in self.session.restart(events):
            self._count(f"setting: {refused[2].decode()}",
                        f"{resp.command_line(refused)}\n{resp.reply_text(resp.parse(reply))}")
        done = 0
        while done < len(groups):
            found = self.session.run(flatten(groups[done:]))
            if found is None:
                break
            last = self._group_of(groups, done, found[0])
            self._found(groups[:last + 1], found[1], seed, events)
            if found[1].kind != "reply" or events or not self._same_state():
                return
            self.session.comparer.reset()
            done = last + 1
        self._compare_state(groups, seed, events)

    def _requests(self, generator, count, every):
        """Each command as often as every other, or as often as it weighs."""
        groups = []
        size = 0
        only = [entry for entry in generator.entries if any(
            entry.name == name or entry.name.startswith(name + "|") for name in self.options.only)]
        while size < count:
            if only:
                group = generator.next_of(generator.pick(only)) if generator.chance(
                    0.7) else generator.next()
            elif every:
                group = generator.next_of(generator.entries[len(groups) % len(generator.entries)])
            else:
                group = generator.next()
            if generator.events and any(args[:2] == [b"debug", b"sleep"] or (
                    args[0].lower() == b"config" and b"notify-keyspace-events" in args)
                                        for args in group):
                continue  # When a key expires is told when it likes.
            groups.append(Group(args for args in group))
            size += len(group)
        return groups

    @staticmethod
    def _group_of(groups, first, place):
        for number in range(first, len(groups)):
            place -= len(groups[number])
            if place < 0:
                return number
        return len(groups) - 1

    def _same_state(self):
        """Whether what was answered differently has been done in the same way."""
        try:
            for side in (self.session.theirs, self.session.ours):
                side.main.close()
                side.main = resp.Connection(side.server.port)
                side.main.call("HELLO", str(self.protocol))
            digests = [side.main.call("DEBUG", "DIGEST")
                       for side in (self.session.theirs, self.session.ours)]
        except (resp.Disconnected, resp.NoReply, OSError):
            return False
        return digests[0] == digests[1]

    def _compare_state(self, groups, seed, events):
        reads = state.requests_to_read(self.session.theirs.main)
        self.session.coverage = None
        try:
            for group in reads:
                self.state_reads += len(group)
                found = self.session.run(group)
                if found is not None:
                    self._found([*groups, Group([group[0], group[found[0]]])], found[1], seed, events)
        finally:
            self.session.coverage = self.coverage

    # ------------------------------------------------------------ Findings

    def _count(self, signature, text):
        if signature in self.findings:
            self.findings[signature].count += 1
            return
        self.findings[signature] = Finding(signature, text)
        if len(self.findings) <= MOST_FINDINGS:
            print(f"\nMISMATCH in RESP{self.protocol}: {text}", flush=True)

    def _found(self, groups, mismatch, seed, events):
        signature = mismatch.signature()
        if signature in self.findings:
            self.findings[signature].count += 1
            return
        if len(self.findings) < MOST_FINDINGS and self.options.shrink:
            shortest, again = Shrinker(self.replay, events, signature).shrink(groups)
        else:
            shortest, again = groups[-1:], None
        self.session.close()
        requests = flatten(shortest)
        lines = [f"{signature} (seed {seed})"]
        if again is None:
            lines.append(f"(it did not come again when replayed after {len(groups)} groups)")
            requests = requests[-20:]
        mismatch = again or mismatch
        lines += [f"  {resp.command_line(args)}" for args in requests]
        if mismatch.kind == "events":
            lines += ["Redis tells:", *map(str, (mismatch.events[0] or [])[-12:]),
                      "Larder tells:", *map(str, (mismatch.events[1] or [])[-12:])]
        else:
            for name, reply in (("Redis", mismatch.theirs), ("Larder", mismatch.ours)):
                lines.append(f"{name} says:")
                lines.append("  nothing" if reply is None else resp.reply_text(
                    resp.parse(reply), "  "))
        if mismatch.kind == "crash":
            lines.append(self.ours.log_text())
        self._count(signature, "\n".join(lines))
        self.session.restart(events)
        if mismatch.kind == "reply" and not events:
            # Back to where it was.
            self.session.run(flatten(groups), lambda mismatch: mismatch.kind != "reply")


def run_worker(options, protocol, seed, commands, results):
    try:
        worker = Worker(options, protocol, seed, commands)
        worker.work()
        results.put((protocol, worker.coverage, worker.findings, worker.not_compared,
                     worker.episodes, worker.state_reads))
    except Exception as error:  # The other worker and the report must hear of it.
        results.put((protocol, error, None, None, 0, 0))
        raise


def report(options, seed, seconds, outcomes):
    """Prints what was covered and writes the JSON; returns the exit code."""
    coverage = outcomes[0][1]
    for outcome in outcomes[1:]:
        coverage.merge(outcome[1])
    not_compared = outcomes[0][3]
    findings = [finding for outcome in outcomes for finding in outcome[2].values()]
    mismatches = sum(finding.count for finding in findings)
    uncovered, words = coverage.missing(not_compared)
    if options.only:
        uncovered, words = [], {}
    if options.table:
        print(coverage.table(not_compared))
    print()
    for outcome in outcomes:
        for finding in outcome[2].values():
            print(f"RESP{outcome[0]} {finding.count:6} x {finding.signature}")
    for name in uncovered:
        print(f"never sent: {name}")
    for name, left in words.items():
        print(f"never taken: {name} {' '.join(left)}")
    covered = sum(1 for name, count in coverage.sent.items() if count and name not in not_compared)
    print(f"seed {seed}, {seconds:.0f} s, {covered} of {len(coverage.sent) - len(not_compared)} "
          f"commands, {sum(outcome[4] for outcome in outcomes)} episodes, "
          f"{sum(outcome[5] for outcome in outcomes)} reads of final states")
    if options.json:
        path = pathlib.Path(options.json)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({
            "seed": seed,
            "seconds": round(seconds, 1),
            "protocols": [outcome[0] for outcome in outcomes],
            "commands": coverage.total,
            "mismatches": mismatches,
            "episodes": sum(outcome[4] for outcome in outcomes),
            "state_reads": sum(outcome[5] for outcome in outcomes),
            "findings": [{"signature": finding.signature, "count": finding.count,
                          "sequence": finding.text} for finding in findings],
            "never_sent": uncovered,
            "options_never_taken": words,
            "not_compared": not_compared,
            "per_command": {
                name: {"sent": count, "refused": coverage.refused[name],
                       "options": len(coverage.commands[name]),
                       "options_taken": len(coverage.commands[name]) - len(coverage.unseen[name])}
                for name, count in sorted(coverage.sent.items()) if name not in not_compared},
        }, indent=1) + "\n", encoding="utf-8")
    print(f"{coverage.total} commands, {mismatches} mismatches")
    return 1 if mismatches or uncovered else 0


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--larder", default=str(ROOT / "build" / "release" / "larder-server"))
    parser.add_argument("--redis", default="/usr/bin/redis-server")
    parser.add_argument("--commands", type=int, default=100_000)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--protocol", choices=("2", "3", "both"), default="both")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--only", action="append", default=[], metavar="COMMAND")
    parser.add_argument("--conversations", type=int, default=200, metavar="N",
                        help="random conversations of several clients (200)")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--table", action="store_true", help="print what was covered")
    parser.add_argument("--no-shrink", dest="shrink", action="store_false")
    options = parser.parse_args()
    options.only = [name.lower().replace(" ", "|") for name in options.only]
    return options


def main():
    options = parse_options()
    seed = options.seed if options.seed is not None else random.randrange(10**9)
    print(f"seed {seed}", flush=True)
    protocols = {"2": [2], "3": [3], "both": [2, 3]}[options.protocol]
    started = time.monotonic()
    results = multiprocessing.Queue()
    processes = [multiprocessing.Process(target=run_worker, args=(
        options, protocol, seed, options.commands // len(protocols), results))
                 for protocol in protocols]
    for process in processes:
        process.start()
    outcomes = sorted((results.get() for _ in processes), key=lambda outcome: outcome[0])
    for process in processes:
        process.join()
    if any(isinstance(outcome[1], Exception) for outcome in outcomes):
        print("a worker has failed")
        return 2
    return report(options, seed, time.monotonic() - started, outcomes)


if __name__ == "__main__":
    sys.exit(main())
