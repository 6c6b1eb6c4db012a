"""DUMP payloads: whether two say the same.

They must be the same bytes, except where the order is nobody's to say (large sets and hashes) and
where a stream tells when a consumer was seen and a message delivered.
"""

_SET, _HASH, _STREAM, _STREAM_2 = 2, 4, 15, 19
_FOOTER = 10  # Version and checksum.


class _Malformed(Exception):
    pass


class _Reader:
    def __init__(self, data):
        self.data = data
        self.position = 1
        self.pieces = []

    def take(self, size):
        end = self.position + size
        if end > len(self.data):
            raise _Malformed
        piece = self.data[self.position:end]
        self.position = end
        return piece

    def length(self):
        """A length and, as the second, whether it is a special encoding."""
        first = self.take(1)[0]
        top = first >> 6
        if top == 0:
            return first & 63, False
        if top == 1:
            return (first & 63) << 8 | self.take(1)[0], False
        if first == 0x80:
            return int.from_bytes(self.take(4), "big"), False
        if first == 0x81:
            return int.from_bytes(self.take(8), "big"), False
        return first & 63, True

    def number(self):
        value, _ = self.length()
        return value

    def string(self):
        """The raw bytes of a string with its header: how it is packed must be the same, too."""
        start = self.position
        size, special = self.length()
        if not special:
            self.take(size)
        elif size < 3:
            self.take(1 << size)
        else:
            compressed = self.number()
            self.number()
            self.take(compressed)
        return self.data[start:self.position]


def _elements(data, strings_each):
    reader = _Reader(data)
    return sorted([reader.string() for _ in range(strings_each)] for _ in range(reader.number()))


def _stream_without_times(data):
    reader = _Reader(data)
    parts = []
    for _ in range(reader.number()):
        parts += [reader.string(), reader.string()]
    # Length, last ID; in the second form the first ID, the greatest deleted one, all ever added.
    parts += [reader.number() for _ in range(8 if data[0] == _STREAM_2 else 3)]
    for _ in range(reader.number()):
        parts.append(reader.string())
        parts += [reader.number() for _ in range(3 if data[0] == _STREAM_2 else 2)]
        for _ in range(reader.number()):
            parts.append(reader.take(16))
            reader.take(8)
            parts.append(reader.number())
        for _ in range(reader.number()):
            parts.append(reader.string())
            reader.take(8)
            parts += [reader.take(16) for _ in range(reader.number())]
    return parts, data[reader.position:]


def same(a, b):
    if a == b:
        return True
    if min(len(a), len(b)) <= _FOOTER or a[0] != b[0] or a[-_FOOTER:-8] != b[-_FOOTER:-8]:
        return False
    kind, a, b = a[0], a[:-_FOOTER], b[:-_FOOTER]
    try:
        if kind in (_SET, _HASH):
            return _elements(a, 1 + (kind == _HASH)) == _elements(b, 1 + (kind == _HASH))
        if kind in (_STREAM, _STREAM_2):
            return _stream_without_times(a) == _stream_without_times(b)
    except _Malformed:
        pass
    return False
