"""Both servers side by side: the same requests to both, and where their replies part."""

import re

from compare import Comparer, command_name
import resp

BATCH = 96
BATCH_BYTES = 1 << 17

# What an episode may have changed and the next one begins with. Strings stay below a megabyte, so
# that the limit is met and costs nothing.
DEFAULTS = (
    ("hash-max-listpack-entries", "512"), ("hash-max-listpack-value", "64"),
    ("set-max-intset-entries", "512"), ("zset-max-listpack-entries", "128"),
    ("zset-max-listpack-value", "64"), ("list-max-listpack-size", "-2"),
    ("list-compress-depth", "0"), ("stream-node-max-entries", "100"),
    ("stream-node-max-bytes", "4096"), ("hll-sparse-max-bytes", "3000"),
    ("proto-max-bulk-len", "1048576"), ("notify-keyspace-events", ""), ("maxmemory-samples", "5"),
    ("slowlog-max-len", "128"), ("lazyfree-lazy-user-del", "no"), ("timeout", "0"),
    ("tcp-keepalive", "300"), ("lfu-log-factor", "10"), ("latency-monitor-threshold", "0"),
    ("hz", "500"), ("lfu-decay-time", "1"))


class Mismatch:
    """One request to which the servers did not say the same."""

    def __init__(self, kind, request, theirs, ours, events=None):
        self.kind = kind  # reply, events, crash, silence
        self.request = request
        self.theirs = theirs
        self.ours = ours
        self.events = events

    def signature(self):
        """What makes two mismatches one finding."""
        if self.kind == "events":
            return f"events: {self.events[2]}"
        name = "/".join((command_name(self.request),) if self.kind == "reply" else (
            self.kind, command_name(self.request)))
        return f"{name}: {_gist(self.theirs)} / {_gist(self.ours)}"


def _gist(reply):
    if reply is None:
        return "nothing"
    text = reply[:200].split(b"\r\n")[0].decode("latin1")
    if text[0] == "-":
        return re.sub(r"'[^']*'", "'..'", text)[:60]
    return text[0] + ("-1" if text[1:] == "-1" else "")


class Side:
    """One of the two servers with the connection to it, and one that listens to events."""

    def __init__(self, server):
        self.server = server
        self.main = None
        self.listener = None

    def open(self, protocol, requests, events):
        self.close()
        if not self.server.is_alive():
            self.server.restart()
        self.main = resp.Connection(self.server.port)
        replies = []
        requests = [(b"hello", b"%d" % protocol), *requests]
        self.main.send(b"".join(map(resp.encode, requests)))
        self.main.read(len(requests), replies)
        if events:
            self.listener = resp.Connection(self.server.port)
            self.listener.call("PSUBSCRIBE", "__key*__:*")
            self.listener.call("SUBSCRIBE", "end-of-batch")
        return [(request, reply) for request, reply in zip(requests, replies)
                if resp.is_error(reply)]

    def close(self):
        for connection in (self.main, self.listener):
            if connection is not None:
                connection.close()
        self.main = self.listener = None

    def read_events(self):
        """What was told since the last time, as database-channel and message."""
        events = []
        while True:
            replies = []
            self.listener.read(1, replies, 5)
            parts = [part[1] for part in resp.parse(replies[0])[1]]
            if parts[0] == b"message":
                return events
            if parts[2].startswith(b"__keyevent"):
                events.append(parts[2][11:] + b" " + parts[3])


class Session:
    """Sends requests to both. Notices the first difference, and everything there is to count."""

    def __init__(self, theirs, ours, protocol, not_compared, coverage=None):
        self.theirs = Side(theirs)
        self.ours = Side(ours)
        self.protocol = protocol
        self.comparer = Comparer(not_compared)
        self.coverage = coverage
        self.events = False
        self.patience = 20

    def restart(self, events=False):
        """Empty servers with default settings and new connections."""
        requests = [(b"config", b"set", name.encode(), value.encode()) for name, value in DEFAULTS]
        if events:
            requests.append((b"config", b"set", b"notify-keyspace-events", b"KEA"))
        requests += [(b"client", b"unpause"), (b"debug", b"quicklist-packed-threshold", b"0"),
                     (b"slowlog", b"reset"), (b"flushall",)]
        self.events = events
        self.comparer.reset()
        refused = {}
        for side in (self.theirs, self.ours):
            try:
                refused[side] = side.open(self.protocol, requests, events)
            except (resp.Disconnected, resp.NoReply, OSError):
                side.server.restart()
                refused[side] = side.open(self.protocol, requests, events)
        return [] if refused[self.theirs] else refused[self.ours]

    def close(self):
        self.theirs.close()
        self.ours.close()

    def run(self, requests, accept=lambda mismatch: True):
        """The place and the Mismatch of the first request that differs, or None. Differences in what
        is said are passed over where `accept` says so."""
        start = 0
        while start < len(requests):
            end, size = start, 0
            queueing = False
            while end < len(requests) and (
                    queueing or end - start < BATCH and size < BATCH_BYTES):
                args = requests[end]
                size += sum(map(len, args))
                end += 1
                if args[0] == b"debug" and args[1:2] == [b"sleep"]:
                    break  # What comes next is read at a later time, on any server.
                # What marks the end of a batch must not be queued.
                queueing = args[0] == b"multi" or queueing and args[0] not in (b"exec", b"discard")
            found = self._run_batch(requests[start:end], accept)
            if found is not None:
                return start + found[0], found[1]
            start = end
        return None

    def _run_batch(self, batch, accept):
        data = b"".join(map(resp.encode, batch))
        wanted = len(batch)
        if self.events:
            data += b"*3\r\n$7\r\npublish\r\n$12\r\nend-of-batch\r\n$0\r\n\r\n"
            wanted += 1
        answers = []
        problem = None
        for side in (self.theirs, self.ours):
            try:
                side.main.send(data)
            except resp.NoReply:
                problem = "silence"
        for side in (self.theirs, self.ours):
            replies = []
            answers.append(replies)
            try:
                side.main.read(wanted, replies, self.patience)
            except resp.Disconnected:
                problem = "disconnect" if side.server.is_alive() else "crash"
            except resp.NoReply:
                problem = "silence"
        theirs, ours = answers
        for place, args in enumerate(batch):
            if place >= len(theirs) or place >= len(ours):
                last = [replies[place] if place < len(replies) else None for replies in answers]
                return place, Mismatch(problem or "silence", args, *last)
            if self.coverage is not None:
                self.coverage.count(args, theirs[place])
            if not self.comparer.same(args, ours[place], theirs[place]):
                mismatch = Mismatch("reply", args, theirs[place], ours[place])
                if accept(mismatch):
                    return place, mismatch
        if problem is None and self.events:
            return self._compare_events(batch)
        return None

    def _compare_events(self, batch):
        told = []
        for side in (self.theirs, self.ours):
            try:
                told.append(side.read_events())
            except (resp.NoReply, resp.Disconnected):
                told.append(None)
        if told[0] == told[1]:
            return None
        theirs, ours = told
        if theirs is None or ours is None:
            first = "no end"
        else:
            place = next((place for place, pair in enumerate(zip(theirs, ours))
                          if pair[0] != pair[1]), min(len(theirs), len(ours)))
            first = " / ".join((events[place].split(b":")[-1].split(b" ")[0].decode("latin1")
                                if place < len(events) else "nothing") for events in told)
        return len(batch) - 1, Mismatch("events", batch[-1], None, None, (theirs, ours, first))


def flatten(groups):
    return [args for group in groups for args in group]
