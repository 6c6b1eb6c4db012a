"""Transactions. What they queue comes from all the other generators."""

from generator import Group, command

# What ends or changes the connection, waits for time to pass, or is a transaction itself.
_NOT_QUEUED = frozenset("multi exec discard watch unwatch hello client|reply reset".split())


@command("multi", weight=4, mutate=False)
def multi(g):
    requests = Group()
    if g.chance(0.2):
        requests.append(["watch", *g.some(g.any_key, 3)])
        if g.chance(0.3):
            requests.extend(_without_sleep(g))
    requests.append(["multi"])
    for _ in range(g.below(8)):
        requests.extend(_without_sleep(g))
        if g.chance(0.01):
            requests.append(g.pick((["multi"], ["watch", "string0"], ["nosuch", "x"], ["get"])))
    requests.append(["exec"] if g.chance(0.9) else ["discard"])
    return requests


def _without_sleep(g):
    while True:
        entry = g.pick(g.entries)
        if entry.name in _NOT_QUEUED:
            continue
        made = g.next_of(entry)
        if not any(args[:2] == [b"debug", b"sleep"] for args in made):
            return made


@command("exec", "discard", "unwatch", weight=0.15)
def bare(_):
    return []


@command("watch", weight=0.3, mutate=False)
def watch(g):
    key = g.any_key()
    return Group([["watch", key], ["unwatch"]] if g.chance(0.5) else [["watch"]])
