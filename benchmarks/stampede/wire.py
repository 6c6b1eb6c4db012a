"""Connections of one event loop: requests go out as bytes, answers come back in their order."""

import asyncio
import collections


class ServerError(RuntimeError):
    """The server answered with an error."""


class Connection(asyncio.Protocol):
    """`parse` takes one answer off a buffer: (answer, bytes used), or None if it is not whole.

    An answer that is a ServerError is raised where it was asked for.
    """

    def __init__(self, parse):
        self._parse = parse
        self._buffer = bytearray()
        self._asked = collections.deque()
        self._transport = None

    @classmethod
    async def open(cls, port, parse):
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(lambda: cls(parse), "127.0.0.1", port)
        return connection

    def ask(self, request):
        """Sends a request; the future gets its answer."""
        answer = asyncio.get_running_loop().create_future()
        if self._transport.is_closing():
            answer.set_exception(ConnectionError("the connection is closed"))
            return answer
        self._asked.append(answer)
        self._transport.write(request)
        return answer

    def send(self, message):
        """Sends what is not answered."""
        self._transport.write(message)

    def close(self):
        self._transport.close()

    def connection_made(self, transport):
        self._transport = transport

    def data_received(self, data):
        self._buffer += data
        while self._asked and (parsed := self._parse(self._buffer)) is not None:
            answer, used = parsed
            del self._buffer[:used]
            future = self._asked.popleft()
            if future.done():  # Whoever asked has given up.
                continue
            if isinstance(answer, ServerError):
                future.set_exception(answer)
            else:
                future.set_result(answer)

    def connection_lost(self, exception):
        for future in self._asked:
            if not future.done():
                future.set_exception(exception or ConnectionError("the peer closed the connection"))
        self._asked.clear()


def parse_line(buffer):
    end = buffer.find(b"\n")
    return None if end < 0 else (bytes(buffer[:end]), end + 1)


def resp(*words):
    """A request in the protocol of Redis."""
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        text = word if isinstance(word, bytes) else str(word).encode()
        parts.append(b"$%d\r\n%b\r\n" % (len(text), text))
    return b"".join(parts)


def parse_resp(buffer, begin=0):
    """Version 2. Null is None, an array a list."""
    line_end = buffer.find(b"\r\n", begin)
    if line_end < 0:
        return None
    kind, text, after = buffer[begin:begin + 1], bytes(buffer[begin + 1:line_end]), line_end + 2
    if kind == b"+":
        return text, after
    if kind == b"-":
        return ServerError(text.decode()), after
    if kind == b":":
        return int(text), after
    if kind == b"$":
        return _parse_bulk(buffer, int(text), after)
    if kind == b"*":
        return _parse_array(buffer, int(text), after)
    raise ValueError(f"not an answer: {bytes(buffer[begin:begin + 80])!r}")


def _parse_bulk(buffer, length, begin):
    if length < 0:
        return None, begin
    if len(buffer) < begin + length + 2:
        return None
    return bytes(buffer[begin:begin + length]), begin + length + 2


def _parse_array(buffer, count, begin):
    if count < 0:
        return None, begin
    items = []
    for _ in range(count):
        parsed = parse_resp(buffer, begin)
        if parsed is None:
            return None
        item, begin = parsed
        items.append(item)
    return items, begin


def parse_meta(buffer):
    """memcached's meta commands: (the words of the answer's line, value or None)."""
    line_end = buffer.find(b"\r\n")
    if line_end < 0:
        return None
    words, after = bytes(buffer[:line_end]).split(), line_end + 2
    if words[0] in (b"ERROR", b"CLIENT_ERROR", b"SERVER_ERROR"):
        return ServerError(b" ".join(words).decode()), after
    if words[0] != b"VA":
        return (words, None), after
    parsed = _parse_bulk(buffer, int(words[1]), after)
    return None if parsed is None else ((words, parsed[0]), parsed[1])
