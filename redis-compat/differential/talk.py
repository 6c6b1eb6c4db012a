"""A conversation of several clients, held with both servers at once.

What each client says is written down; the first answer that differs ends the conversation with a
`Difference`, which tells all that was said.
"""

import socket
import time

from compare import Comparer
import resp

WRITER = "writer"


class Difference(Exception):
    """The servers did not say the same. The text is the conversation."""


def to_bytes(arg):
    if isinstance(arg, bytes):
        return arg
    return arg.encode() if isinstance(arg, str) else b"%d" % arg


class Client:
    """One client: a connection to each of the servers."""

    def __init__(self, ports, protocol):
        self.connections = [resp.Connection(port) for port in ports]
        self.ids = [resp.parse(connection.call("CLIENT", "ID"))[1]
                    for connection in self.connections]
        for connection in self.connections:
            connection.call("HELLO", str(protocol))
        self.waits = False

    def close(self):
        for connection in self.connections:
            connection.close()


class Talk:
    """Clients by name; they come into being when they speak first."""

    def __init__(self, theirs, ours, protocol, not_compared, coverage=None):
        self.ports = (theirs.port, ours.port)
        self.protocol = protocol
        self.coverage = coverage
        self.comparer = Comparer(not_compared)
        self.clients = {}
        self.lines = []
        self.token = 0
        # Asks how many wait, apart from the clients that speak.
        self.watchers = [resp.Connection(port) for port in self.ports]
        for watcher in self.watchers:
            watcher.call("CONFIG", "SET", "hz", "500")
            watcher.call("FLUSHALL")

    def close(self):
        for client in (*self.clients.values(), *self.watchers):
            client.close()

    def client(self, name):
        if name not in self.clients:
            self.clients[name] = Client(self.ports, self.protocol)
        return self.clients[name]

    def leave(self, name):
        """Closes a client's connections; one that waited waits no more."""
        client = self.clients.pop(name)
        self.lines.append(f"{name}: (hangs up)")
        client.close()
        self.wait_until_blocked(sum(other.waits for other in self.clients.values()))

    def differ(self, what, theirs, ours):
        text = [what, *(f"  {line}" for line in self.lines[-60:])]
        for name, replies in (("Redis", theirs), ("Larder", ours)):
            text.append(f"{name} says:")
            if isinstance(replies, (bytes, type(None))):
                replies = [replies]
            for reply in replies:
                text.append("  nothing" if reply is None else resp.reply_text(
                    resp.parse(reply), "  ") if reply[:1] in b"+-:$*%~>,#(=_|" else f"  {reply}")
            if not replies:
                text.append("  nothing")
        raise Difference("\n".join(text))

    # ------------------------------------------------------------ Speaking

    def send(self, name, *args):
        args = [to_bytes(arg) for arg in args]
        self.lines.append(f"{name}: {resp.command_line(args)}")
        data = resp.encode(args)
        for connection in self.client(name).connections:
            connection.send(data)
        return args

    def read(self, name, count=1, seconds=5):
        """`count` replies from each; None where one has hung up or stays silent."""
        both = []
        for connection in self.client(name).connections:
            replies = []
            try:
                connection.read(count, replies, seconds)
            except (resp.NoReply, resp.Disconnected):
                replies += [None] * (count - len(replies))
            both.append(replies)
        return both

    def ask(self, name, *args):
        """One request with its one reply."""
        args = self.send(name, *args)
        (theirs,), (ours,) = self.read(name)
        self.compare(args, theirs, ours)
        return theirs

    def compare(self, args, theirs, ours):
        if theirs is not None and self.coverage is not None:
            self.coverage.count(args, theirs)
        if theirs is None or ours is None:
            if theirs is not ours:
                self.differ("one is silent", theirs, ours)
        elif not self.comparer.same(args, ours, theirs):
            self.differ("different replies", theirs, ours)

    def expect(self, name, count, order=None):
        """`count` replies or messages that come by themselves."""
        theirs, ours = self.read(name, count)
        self._compare_lists(theirs, ours, order)
        return theirs

    def _compare_lists(self, theirs, ours, order):
        if theirs == ours:
            return
        if order is not None and None not in theirs + ours and order(theirs) == order(ours):
            return
        self.differ("different messages", theirs, ours)

    def sync(self, name, order=None):
        """Everything that has come for a client up to now."""
        self.token += 1
        token = b"token-%d" % self.token
        both = []
        for connection in self.client(name).connections:
            connection.send(resp.encode([b"ping", token]))
            replies = []
            try:
                while not replies or token not in replies[-1]:
                    connection.read(1, replies, 5)
            except (resp.NoReply, resp.Disconnected):
                replies.append(None)
            both.append(replies)
        self._compare_lists(*both, order)
        return both[0]

    def drain(self, name, order=None):
        """The same for one in a state in which PING is not answered: RESET ends every state."""
        self.send(name, "RESET")
        self.lines.pop()
        result = self.sync(name, order)
        for connection in self.client(name).connections:
            connection.call("HELLO", str(self.protocol))
        return result

    def until_closed(self, name, order=None):
        """All that comes until the servers hang up, which they must."""
        both = []
        for connection in self.client(name).connections:
            replies = []
            try:
                while True:
                    connection.read(1, replies, 3)
            except resp.Disconnected:
                pass
            except resp.NoReply:
                replies.append(b"+(stays)\r\n")
            both.append(replies)
        self._compare_lists(*both, order)
        self.clients.pop(name).close()

    def raw(self, name, data):
        """Bytes as they are, the last that this client says."""
        self.lines.append(f"{name}: (raw) {data[:300]!r}")
        for connection in self.client(name).connections:
            connection.send(data)
            try:
                connection.socket.shutdown(socket.SHUT_WR)
            except OSError:
                pass
        self.until_closed(name)

    # ------------------------------------------------------------ Waiting

    def blocked(self, side):
        text = resp.parse(self.watchers[side].call("INFO", "clients"))[1]
        return int(text.split(b"blocked_clients:")[1].split(b"\r\n")[0])

    def wait_until_blocked(self, count, sides=(0, 1)):
        """Whether that many wait, within a second or two."""
        for side in sides:
            deadline = time.monotonic() + 2
            while self.blocked(side) != count:
                if time.monotonic() > deadline:
                    return False
                time.sleep(0.0005)
        return True

    def wait_in(self, name, *args):
        """Sends a request that may have to wait, and finds out whether it does."""
        client = self.client(name)
        before = sum(other.waits for other in self.clients.values())
        args = self.send(name, *args)
        waits = []
        for side, connection in enumerate(client.connections):
            deadline = time.monotonic() + 5
            while not connection.has_reply(0.0005):
                if self.blocked(side) == before + 1 or time.monotonic() > deadline:
                    break
            waits.append(not connection.has_reply(0))
        if waits[0] != waits[1]:
            self.differ("one waits", *(None if waiting else self._take(name, side)
                                       for side, waiting in enumerate(waits)))
        client.waits = waits[0]
        client.request = args
        if client.waits:
            self.lines[-1] += "    (waits)"
            if self.coverage is not None:
                self.coverage.count(args, b"*-1\r\n")
        else:
            self.compare(args, self._take(name, 0), self._take(name, 1))

    def _take(self, name, side):
        replies = []
        try:
            self.clients[name].connections[side].read(1, replies, 2)
        except (resp.NoReply, resp.Disconnected):
            replies.append(None)
        return replies[0]

    def served(self):
        """After something has happened: who waited and has got an answer now, and which."""
        before = [name for name, client in self.clients.items() if client.waits]
        if not before:
            return
        left = self.blocked(0)
        answered = [self._wait_for_answers(side, before, len(before) - left) for side in (0, 1)]
        self.wait_until_blocked(left, (1,))
        for name in before:
            if (name in answered[0]) != (name in answered[1]):
                self.lines.append(f"{name}: (answered by one only)")
                self.differ("one is woken", *(self._take(name, side) if name in answered[side]
                                              else None for side in (0, 1)))
            if name in answered[0]:
                client = self.clients[name]
                client.waits = False
                theirs, ours = self._take(name, 0), self._take(name, 1)
                self.lines.append(f"{name}: (is answered)")
                self.compare(client.request, theirs, ours)

    def _wait_for_answers(self, side, names, count):
        """The names of those that have an answer; waits until they are `count`."""
        deadline = time.monotonic() + 2
        while True:
            answered = [name for name in names
                        if self.clients[name].connections[side].has_reply(0.0002)]
            if len(answered) >= count or time.monotonic() > deadline:
                return answered
