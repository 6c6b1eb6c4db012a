"""RESP2 and RESP3 as a comparison needs them: replies keep their type and their text."""

import socket
import time

# First bytes of replies, as numbers because indexing bytes yields numbers.
_BULK = frozenset(b"$=!")
_LIST = frozenset(b"*~>")
_MAP = ord("%")
_ATTRIBUTE = ord("|")
_ERROR = ord("-")


class Disconnected(Exception):
    """The server has closed the connection, or reset it."""


class NoReply(Exception):
    """The server has not answered in time."""


def encode(args):
    """One request, from arguments that are bytes."""
    parts = [b"*%d\r\n" % len(args)]
    for arg in args:
        parts.append(b"$%d\r\n%b\r\n" % (len(arg), arg))
    return b"".join(parts)


def end_of(data, start):
    """Where the reply that begins at `start` ends, or -1 if not all of it is there."""
    length = len(data)
    left = 1
    while left:
        end = data.find(b"\r\n", start)
        if end < 0:
            return -1
        kind = data[start]
        if kind in _BULK:
            size = int(data[start + 1:end])
            start = end + 2
            if size >= 0:
                start += size + 2
                if start > length:
                    return -1
        else:
            if kind in _LIST:
                left += max(int(data[start + 1:end]), 0)
            elif kind == _MAP:
                left += 2 * int(data[start + 1:end])
            elif kind == _ATTRIBUTE:  # Comes before the reply that it describes.
                left += 2 * int(data[start + 1:end]) + 1
            start = end + 2
        left -= 1
    return start


def parse(data):
    """A reply as (type, content): content is bytes, None for a null, or a tuple of replies.

    Maps are flat: key, value, key, value. An attribute is dropped here, but not by who compares bytes.
    """
    reply, _ = _parse_at(data, 0)
    return reply


def _parse_at(data, start):
    end = data.find(b"\r\n", start)
    kind = chr(data[start])
    text = data[start + 1:end]
    start = end + 2
    if kind in "$=!":
        size = int(text)
        if size < 0:
            return (kind, None), start
        return (kind, data[start:start + size]), start + size + 2
    if kind in "*~>%|":
        count = int(text)
        if count < 0:
            return (kind, None), start
        items = []
        for _ in range(count * 2 if kind in "%|" else count):
            item, start = _parse_at(data, start)
            items.append(item)
        if kind == "|":
            return _parse_at(data, start)
        return (kind, tuple(items)), start
    return (kind, text), start


def is_error(data):
    """Whether a reply in bytes is an error."""
    return data[0] == _ERROR


def quoted(arg):
    """An argument as redis-cli reads it."""
    text = []
    plain = bool(arg)
    for byte in arg:
        char = chr(byte)
        if char in '"\\':
            text.append("\\" + char)
            plain = False
        elif 32 < byte < 127:
            text.append(char)
            plain = plain and char != "'"
        else:
            text.append(char if char == " " else f"\\x{byte:02x}")
            plain = False
    return "".join(text) if plain else '"' + "".join(text) + '"'


def command_line(args, limit=400):
    """A request as a line for redis-cli. What is very long is cut, and says so."""
    words = []
    for arg in args:
        word = quoted(arg)
        if len(word) > limit:
            word = f"{word[:60]}...<{len(arg)} bytes>"
        words.append(word)
        if len(words) == 60 and len(args) > 80:
            words.append(f"...<{len(args)} arguments>")
            break
    return " ".join(words)


def reply_text(reply, indent=""):
    """A parsed reply for people: a line an element, type first."""
    lines = _reply_lines(reply, indent)
    return "\n".join(lines if len(lines) <= 45 else [*lines[:40], f"{indent}..."])


def _reply_lines(reply, indent):
    kind, content = reply
    if content is None:
        return [f"{indent}{kind} (null)"]
    if isinstance(content, tuple):
        lines = [f"{indent}{kind} {len(content)} elements"]
        for item in content[:50]:
            lines += _reply_lines(item, indent + "  ")
        return lines
    text = quoted(content) if content else '""'
    if len(text) > 2000:
        text = f"{text[:2000]}...<{len(content)} bytes>"
    return [f"{indent}{kind} {text}"]


class Connection:
    """A connection that sends many requests and then reads as many replies."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.data = b""

    def close(self):
        self.socket.close()

    def send(self, data):
        try:
            self.socket.settimeout(20)
            self.socket.sendall(data)
        except socket.timeout:
            raise NoReply from None
        except OSError:
            pass  # What it has said before it hung up can still be read.

    def read(self, count, replies, seconds=20):
        """Appends `count` replies to `replies`. What has come before an exception is there, too."""
        data = self.data
        position = 0
        deadline = time.monotonic() + seconds
        try:
            while count > 0:
                end = end_of(data, position) if position < len(data) else -1
                if end >= 0:
                    replies.append(data[position:end])
                    position = end
                    count -= 1
                    continue
                data = data[position:] + self._receive(deadline)
                position = 0
        finally:
            self.data = data[position:]

    def _receive(self, deadline):
        self.socket.settimeout(max(deadline - time.monotonic(), 0.001))
        try:
            data = self.socket.recv(1 << 20)
        except socket.timeout:
            raise NoReply from None
        except OSError:
            raise Disconnected from None
        if not data:
            raise Disconnected
        return data

    def has_reply(self, seconds):
        """Whether a whole reply is there, now or within `seconds`."""
        deadline = time.monotonic() + seconds
        while not self.data or end_of(self.data, 0) < 0:
            if time.monotonic() >= deadline and seconds > 0:
                return False
            try:
                self.data += self._receive(deadline)
            except NoReply:
                return False
        return True

    def call(self, *args, seconds=20):
        """Sends one request and returns its reply in bytes."""
        self.send(encode([arg if isinstance(arg, bytes) else str(arg).encode() for arg in args]))
        replies = []
        self.read(1, replies, seconds)
        return replies[0]
