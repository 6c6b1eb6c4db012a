"""Generated commands: the registry of generators, and what they draw keys and values from.

A generator is a function under `@command(NAME)` that returns the arguments after the name, or a
`Group` of whole requests that only make sense together (a random choice and what makes the state
equal again). Everything is drawn from the seed, and a request is a list of bytes.
"""

import random

from compare import command_name

FAR_SECONDS = 4102444800  # 2100-01-01, so that nothing expires by itself.

# Redis remembers these for each list from when it is created, Larder looks at what holds now: they are
# set only where there are no lists yet.
FOR_NEW_LISTS = (("list-max-listpack-size", (-2, -2, 4, 8, -1)), ("list-compress-depth", (0, 0, 1, 2)))

# Names of keys tell which type they mostly have. Numbers, bits and HyperLogLogs are strings and
# positions sorted sets to the server, but have content of their own.
KINDS = ("string", "number", "bits", "hll", "list", "set", "hash", "zset", "geo", "stream")
KEYS_A_KIND = 3
ALL_KEYS = tuple(f"{kind}{place}".encode() for kind in KINDS for place in range(KEYS_A_KIND))
ODD_KEYS = (b"", b"k\x00\xff\r\n", b"{tag}key", b"none", b"k" * 300)

EDGE_INTEGERS = (
    b"0", b"1", b"-1", b"2", b"-2", b"10", b"100", b"9223372036854775807", b"9223372036854775808",
    b"-9223372036854775808", b"-9223372036854775809", b"4294967296", b"18446744073709551616",
    b"1.0", b"1.5", b"abc", b"", b" 1", b"1 ", b"01", b"+1", b"-0", b"1e3", b"0x10", b"nan", b"inf")
FLOATS = (
    b"0", b"1", b"-1", b"1.5", b"-2.25", b"3.14159", b"10", b"100.125", b"0.1", b"1e3", b"1e-5",
    b"1e20", b"123456789012345678", b"-0.0", b"5.", b".5", b"1000000", b"17179869184")
EDGE_FLOATS = (
    b"inf", b"-inf", b"+inf", b"Infinity", b"nan", b"-nan", b"1e308", b"-1e308", b"1e400", b"1e-400",
    b"4.9e-324", b"abc", b"", b" 1", b"1 ", b"1x", b"0x10", b"0x1p3", b"1,5", b"9007199254740993",
    b"1.7976931348623157e308", b"--1", b"+5", b"1e", b"9" * 50)
JUNK = EDGE_INTEGERS + (b"-inf", b"x", b"*", b"(", b"(1", b"[a", b"-", b"+", b"NX", b"COUNT",
                        b"WITHSCORES", b"LIMIT", b"\x00\xff", b"key", b"nosuch", b"$", b">", b"a" * 70)
WORDS = tuple(bytes([letter]) for letter in b"abcdefghij") + (b"alpha", b"beta", b"Gamma", b"omega")
BINARY = (b"", b"\x00", b"\xff\xfe", b"a\r\nb", b" ", b'"quoted"', b"\xc3\xa9t\xc3\xa9", b"a\x00b")


class Group(list):
    """Requests that are sent, and kept by the shrinker, together."""


class Entry:
    """One generator. `weight` is how often it comes in the random runs."""

    def __init__(self, name, function, weight, mutate):
        self.name = name
        self.function = function
        self.weight = weight
        self.mutate = mutate
        self.prefix = [part.encode() for part in name.split("|")]


REGISTRY = {}


def command(*names, weight=1.0, mutate=True):
    """Registers a generator for commands of one shape. `mutate=False` keeps random damage off."""
    def register(function):
        for name in names:
            REGISTRY[name] = Entry(name, function, weight, mutate)
        return function
    return register


def to_bytes(arg):
    if isinstance(arg, bytes):
        return arg
    return arg.encode() if isinstance(arg, str) else b"%d" % arg


# Commands in which a small number may be a TTL that passes in the middle of a comparison.
_EXPIRING = frozenset("set getex setex psetex expire pexpire restore restore-asking".split())
_WAITING = frozenset("blpop brpop brpoplpush blmove blmpop bzpopmin bzpopmax bzmpop xread "
                     "xreadgroup wait".split())


def is_risky(args):
    """Whether a damaged request might wait for long, expire a key soon, or store the time of day."""
    name = args[0].lower().decode()
    if name in _EXPIRING:
        numbers = (arg.strip(b"+- ") for arg in args[2:])
        return any(number.isdigit() and 0 < int(number) < 100000 for number in numbers)
    return name in _WAITING or name == "xadd" and b"*" in args


class Generator:
    """The source of one episode's requests."""

    def __init__(self, seed, protocol, payloads, available):
        self.source = random.Random(seed)
        self.random = self.source.random
        self.protocol = protocol
        self.payloads = payloads
        self.ttl = 100_000  # Grows, so that comparing two TTLs never depends on milliseconds.
        self.stamps = 10  # Of streams: those below have been given.
        self.entries = [REGISTRY[name] for name in sorted(REGISTRY) if name in available]
        self.available = available
        self.odd_share = self.pick((0.02, 0.06, 0.1))  # Of keys of a wrong type, odd arguments.
        self.long_share = self.pick((0.01, 0.05, 0.2))
        self.list_settings = [(name, self.pick(values)) for name, values in FOR_NEW_LISTS]
        # What SORT stores is packed by default whatever is set.
        self.sort_may_store = all(value == values[0] for (_, value), (_, values) in zip(
            self.list_settings, FOR_NEW_LISTS))
        self.pool = self.pick(("mixed", "integers", "words", "mixed"))
        total = 0.0
        self.cumulative = []
        for entry in self.entries:
            total += entry.weight
            self.cumulative.append(total)

    # ------------------------------------------------------------ Choices

    def pick(self, choices):
        return choices[int(self.random() * len(choices))]

    def chance(self, share):
        return self.random() < share

    def below(self, limit):
        return int(self.random() * limit)

    def between(self, first, last):
        return first + int(self.random() * (last - first + 1))

    def some(self, make, most, least=1):
        """Between `least` and `most` of what `make` makes, mostly few."""
        count = least + int(self.random() * self.random() * (most - least + 1))
        return [make() for _ in range(count)]

    def options(self, *options, share=0.35):
        """Some of the options, in any order. An option is a word, a list of arguments, or a
        function that makes either."""
        chosen = [option for option in options if self.random() < share]
        if len(chosen) > 1:
            self.source.shuffle(chosen)
        args = []
        for option in chosen:
            if callable(option):
                option = option()
            if isinstance(option, (list, tuple)):
                args.extend(option)
            else:
                args.append(option)
        return args

    # ------------------------------------------------------------ Keys and values

    def own_key(self, kind):
        """A key that has this type, if it exists."""
        return b"%b%d" % (kind.encode(), self.below(KEYS_A_KIND))

    def key(self, *kinds):
        """A key, mostly of one of these kinds."""
        roll = self.random()
        if roll >= self.odd_share:
            return self.own_key(self.pick(kinds))
        if roll < self.odd_share * 0.2:
            return self.pick(ODD_KEYS)
        return self.pick(ALL_KEYS)

    def keys(self, kind, most=4, least=1):
        return self.some(lambda: self.key(kind), most, least)

    def any_key(self):
        return self.pick(ALL_KEYS) if self.random() > 0.04 else self.pick(ODD_KEYS)

    def integer(self, least=-3, most=20):
        """Mostly small, sometimes odd."""
        if self.random() > self.odd_share:
            return b"%d" % self.between(least, most)
        return self.pick(EDGE_INTEGERS)

    def index(self):
        return self.integer(-12, 12)

    def count(self):
        return self.integer(0, 12)

    def float(self):
        roll = self.random()
        if roll < self.odd_share:
            return self.pick(EDGE_FLOATS)
        if roll < 0.5:
            return b"%d" % self.between(-10, 30)
        return self.pick(FLOATS)

    def element(self):
        """A member, a field, a value of a collection."""
        pool = self.pool
        roll = self.random()
        if roll < self.long_share * 0.3:
            return self.long_value()
        if roll < 0.06:
            return self.pick(BINARY)
        if pool == "integers":
            if roll < 0.9:
                return b"%d" % self.between(-4, 40)
            return self.pick((b"32767", b"32768", b"-32769", b"2147483647", b"2147483648", b"70000",
                              b"9223372036854775807", b"-9223372036854775808", b"5000000000"))
        if pool == "words" or roll < 0.6:
            return self.pick(WORDS)
        return self.integer(-4, 40)

    def long_value(self):
        """Around the limits of encodings: 20 (compression), 44 (embedded), 64 (listpacks) bytes."""
        size = self.pick((12, 19, 20, 21, 44, 45, 63, 64, 65, 66, 127, 128, 200, 300))
        if self.random() < 0.02:
            size = self.pick((4095, 4096, 8192, 9000, 16384, 40000))
        if self.random() < 0.5:
            return self.pick((b"a", b"xy", b"value-", b"0123456789")) * size
        return bytes(65 + (place * 7 + size) % 58 for place in range(size))

    def value(self):
        """What a string may hold."""
        roll = self.random()
        if roll < 0.35:
            return self.integer(-100, 1000)
        if roll < 0.6:
            return self.element()
        if roll < 0.8:
            return self.long_value()
        return self.float() if roll < 0.9 else self.pick(BINARY)

    # ------------------------------------------------------------ Times

    def seconds(self):
        """A time to live that outlasts the run, or one that is refused."""
        if self.random() > self.odd_share:
            self.ttl += self.between(7, 1000)
            return b"%d" % self.ttl
        return self.pick((b"0", b"-1", b"abc", b"", b"1.5", b"9223372036854775807", b" 1",
                          b"-9223372036854775808", b"9223372036854775808", b"9223372036854775",
                          b"-9223372036854775807"))

    def milliseconds(self):
        value = self.seconds()
        return value + b"000" if value.isdigit() and 99999 < int(value) < 10**12 else value

    def unix_seconds(self):
        roll = self.random()
        if roll < 0.06:
            return self.pick((b"1", b"1000000000", b"1600000000"))
        if roll < 0.06 + self.odd_share:
            return self.seconds() if roll < 0.1 else self.pick(EDGE_INTEGERS)
        return b"%d" % (FAR_SECONDS + self.below(10**8))

    def unix_milliseconds(self):
        value = self.unix_seconds()
        return value + b"000" if value.isdigit() and len(value) == 10 else value

    def next_stamp(self):
        self.stamps += self.below(2)
        return self.stamps

    def recent_stamp(self):
        return max(0, self.stamps - self.below(self.pick((4, 20))))

    # ------------------------------------------------------------ Requests

    def of(self, name):
        """A request or a group of `name`, undamaged."""
        entry = REGISTRY[name]
        made = entry.function(self)
        if isinstance(made, Group):
            return Group([to_bytes(arg) for arg in args] for args in made)
        return entry.prefix + [to_bytes(arg) for arg in made]

    def next_of(self, entry):
        """A group: one request, or several that belong together."""
        made = self.of(entry.name)
        if isinstance(made, Group):
            return made
        if entry.mutate and self.random() < 0.07:
            damaged = self._damage(made, len(entry.prefix))
            if not is_risky(damaged):
                made = damaged
        if self.random() < 0.05:
            made = [made[0].upper() if self.random() < 0.7 else made[0].title(), *made[1:]]
        return Group([made])

    def next(self):
        roll = self.random() * self.cumulative[-1]
        low, high = 0, len(self.cumulative) - 1
        while low < high:
            middle = (low + high) // 2
            if self.cumulative[middle] < roll:
                low = middle + 1
            else:
                high = middle
        return self.next_of(self.entries[low])

    def _damage(self, args, fixed):
        """Wrong arity, arguments out of place, nonsense."""
        args = list(args)
        place = self.between(fixed, len(args) - 1) if len(args) > fixed else len(args)
        roll = self.below(7)
        if roll == 0:
            return args[:fixed]
        if roll == 1:
            return args[:place]
        if roll == 2:
            del args[place:place + 1]
        elif roll == 3:
            args.insert(place, self.pick(JUNK))
        elif roll == 4:
            args.append(self.pick(JUNK))
        elif roll == 5 and len(args) > fixed:
            args[place] = self.pick(JUNK)
        else:
            other = self.between(fixed, len(args) - 1) if len(args) > fixed else place
            if max(place, other) < len(args):
                args[place], args[other] = args[other], args[place]
        return args

    # ------------------------------------------------------------ The beginning of an episode

    def populate(self):
        """A key of every kind, in every encoding that comes with its content."""
        groups = [Group([[b"config", b"set", name.encode(), b"%d" % value]])
                  for name, value in self.list_settings]

        def add(name, *args):
            if name in self.available:
                groups.append(Group([[to_bytes(arg) for arg in (name, *args)]]))

        add("set", "fixed", "a string")
        add("rpush", "fixed-list", *self.some(self.element, 9, 2))
        for place in range(KEYS_A_KIND - 1):
            add("set", f"string{place}", self.value())
            add("set", f"number{place}", self.between(-50, 50))
            add("set", f"bits{place}", bytes(self.below(256) for _ in range(self.below(20))))
            add("pfadd", f"hll{place}", *self.some(self.element, 20))
            add("rpush", f"list{place}", *self.some(self.element, 20, 3))
            add("sadd", f"set{place}", *self.some(self.element, 20, 3))
            if place:
                add("sadd", f"set{place}", *range(self.below(10)))
            add("hset", f"hash{place}", *(self.element() for _ in range(2 * self.between(3, 12))))
            add("zadd", f"zset{place}", *(arg for _ in range(self.between(3, 15)) for arg in
                                          (self.pick(FLOATS), self.element())))
            add("geoadd", f"geo{place}",
                *(arg for _ in range(self.between(3, 10)) for arg in self.position_and_member()))
            for number in range(self.between(2, 6)):
                add("xadd", f"stream{place}", f"{number + 1}-1", "field", self.value())
            if "xgroup|create" in self.available:
                groups.append(Group([[b"xgroup", b"create", b"stream%d" % place, b"group0",
                                      self.pick((b"0", b"2", b"$"))]]))
        return groups

    def position_and_member(self):
        return [b"%d.%d" % (self.between(-20, 40), self.below(1000)),
                b"%d.%d" % (self.between(-60, 60), self.below(1000)), self.pick(WORDS)]
