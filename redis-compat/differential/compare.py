"""Whether two replies to the same request mean the same.

Replies are the same if their bytes are. Where Redis promises less than that (the members of a set
have no order) or can promise nothing (the time of day), a rule of the command says what must hold.
The rules see parsed replies, so type and text count everywhere else.
"""

from collections import Counter
import re

import resp
import serialized

# A TTL is read a moment later on one server than on the other.
NEAR_SECONDS = 3
NEAR_MILLISECONDS = 3000

# Of CONFIG GET: what differs between two processes by nature or by name. That Larder bounds the
# output buffers of all clients, and defragments unless told otherwise, is on purpose.
PROCESS_SETTINGS = frozenset((
    b"port", b"dir", b"pidfile", b"bind", b"logfile", b"unixsocket", b"save", b"io-threads",
    b"client-output-buffer-limit", b"maxmemory-clients", b"activedefrag",
    b"syslog-ident"))

_NUMBER = re.compile(rb"-?\d+\Z")


def kind_only(_args, a, b):
    return a[0] == b[0] and (a[1] is None) == (b[1] is None)


def unordered(_args, a, b):
    if not isinstance(a[1], tuple) or not isinstance(b[1], tuple):
        return a == b
    return a[0] == b[0] and len(a[1]) == len(b[1]) and Counter(a[1]) == Counter(b[1])


def pairs_of(items):
    return list(zip(items[::2], items[1::2]))


def unordered_pairs(_args, a, b):
    """Flat lists of key, value, key, value."""
    if not isinstance(a[1], tuple) or not isinstance(b[1], tuple):
        return a == b
    return a[0] == b[0] and Counter(pairs_of(a[1])) == Counter(pairs_of(b[1]))


def canonical(value):
    """With everything in it sorted, for replies that are sets of sets."""
    if isinstance(value[1], tuple):
        return value[0], tuple(sorted((canonical(item) for item in value[1]), key=repr))
    return value


def unordered_deeply(_args, a, b):
    return canonical(a) == canonical(b)


def command_info(args, a, b):
    """Of the commands that are named. Which there are differs, and is told by COMMAND LIST."""
    return a[0] == b[0] if len(args) == 2 else canonical(a) == canonical(b)


def command_docs(args, a, b):
    """Since when there are these commands, and their groups. How they are described is everybody's own
    words, and which options later versions have added is told, too."""
    if len(args) == 2:
        return a[0] == b[0]

    def essence(value):
        return sorted((name, [pair for pair in pairs_of(entry[1]) if pair[0][1] in (
            b"since", b"group", b"deprecated_since", b"doc_flags")])
                      for name, entry in pairs_of(value[1]))
    return a[0] == b[0] and isinstance(b[1], tuple) and essence(a) == essence(b)


def shape(value):
    """Types and lengths without the text."""
    if isinstance(value[1], tuple):
        return value[0], tuple(shape(item) for item in value[1])
    return value[0], value[1] is None


def same_shape(_args, a, b):
    if a[0] == "-" or b[0] == "-":
        return a == b
    return shape(a) == shape(b)


def random_choice(args, a, b):
    """As many as asked for; the same ones only if all are asked for, which the final state shows."""
    if isinstance(a[1], tuple) and isinstance(b[1], tuple):
        return a[0] == b[0] and Counter(map(shape, a[1])) == Counter(map(shape, b[1]))
    return same_shape(args, a, b)


def near(tolerance):
    def rule(_args, a, b):
        if a[0] != ":" or b[0] != ":":
            return a == b
        x, y = int(a[1]), int(b[1])
        return x == y or (min(x, y) >= 0 and abs(x - y) <= tolerance)
    return rule


def whole_scan(_args, a, b):
    """Where a scan stands is each server's own affair. That it began and ended in one call is not
    promised either, but then both have told everything."""
    if a[0] != "*" or b[0] != "*" or len(a[1]) != 2 or len(b[1]) != 2:
        return a == b
    (cursor_a, items_a), (cursor_b, items_b) = a[1], b[1]
    if cursor_a[0] != cursor_b[0] or items_a[0] != items_b[0]:
        return False
    begins_at = _args[1 if _args[0].lower() == b"scan" else 2]
    if cursor_a[1] == cursor_b[1] == b"0" and begins_at.strip(b"0") == b"":
        if _args[0].lower() in (b"hscan", b"zscan"):
            return unordered_pairs(_args, items_a, items_b)
        return unordered(_args, items_a, items_b)
    return True


def config_get(_args, a, b):
    if a[0] not in "*%" or a[0] != b[0]:
        return a == b
    theirs, ours = dict(pairs_of(a[1])), dict(pairs_of(b[1]))
    return all(ours.get(name) == value for name, value in theirs.items()
               if name[1] not in PROCESS_SETTINGS)


_CHOICES = re.compile(rb"(.*argument\(s\) must be one of the following: )(.*)\Z", re.DOTALL)


def config_set_error(a, b):
    """Of a setting with a list of values: what Redis lists is listed, and all else is the same."""
    theirs, ours = _CHOICES.match(a[1]), _CHOICES.match(b[1])
    if a[0] != b[0] or theirs is None or ours is None:
        return a == b
    return theirs[1] == ours[1] and set(theirs[2].split(b", ")) <= set(ours[2].split(b", "))


def config_get_keys(_args, a, b):
    """For patterns: what Redis has is there."""
    if a[0] not in "*%" or a[0] != b[0]:
        return a == b
    return set(dict(pairs_of(a[1]))) <= set(dict(pairs_of(b[1])))


def info_fields(text):
    return {line.split(b":")[0] for line in text.split(b"\r\n") if line}


def info(args, a, b):
    """The fields that Redis tells; for the keyspace also how many keys there are."""
    if a[0] not in "$=" or a[0] != b[0]:
        return a == b
    if any(arg.lower() == b"keyspace" for arg in args[1:]) and len(args) == 2:
        return re.sub(rb"avg_ttl=-?\d+", b"", a[1]) == re.sub(rb"avg_ttl=-?\d+", b"", b[1])
    return True


def client_line(_args, a, b):
    if a[0] not in "$=" or a[0] != b[0]:
        return a == b
    if not a[1] or not b[1]:
        return a[1] == b[1]
    fields = [[word.split(b"=")[0] for word in text.split(b"\n")[0].split(b" ") if word]
              for text in (a[1], b[1])]
    return set(fields[0]) <= set(fields[1])


def hello(_args, a, b):
    if a[0] not in "*%" or a[0] != b[0]:
        return a == b
    theirs, ours = dict(pairs_of(a[1])), dict(pairs_of(b[1]))
    return all(ours.get(name) == value for name, value in theirs.items() if name[1] != b"id")


def command_names(not_compared):
    def rule(_args, a, b):
        """What one server has more than the other is told elsewhere."""
        if a[0] not in "*~" or a[0] != b[0]:
            return a == b
        missing = {item[1] for item in a[1]} - {item[1] for item in b[1]}
        return all(name.decode() in not_compared for name in missing)
    return rule


def xadd(args, a, b):
    """An ID that the server makes up begins with the time of day."""
    if b"*" not in args:
        return a == b
    return a[0] == b[0] and (a[0] != "-" or a == b)


def masked(names):
    """Maps in which some values tell times or inner structure."""
    def mask(value):
        if not isinstance(value[1], tuple):
            return value
        items = [mask(item) for item in value[1]]
        for place in range(len(items) - 1):
            if items[place][1] in names and items[place + 1][0] == ":":
                items[place + 1] = (":", b"?")
        return value[0], tuple(items)
    return lambda _args, a, b: mask(a) == mask(b)


def _without_times(entry):
    """An entry of a list of pending messages: ID, consumer, idle time, deliveries."""
    if isinstance(entry[1], tuple) and len(entry[1]) == 4 and entry[1][2][0] == ":":
        return entry[0], (*entry[1][:2], ":?", entry[1][3])
    return entry


def xpending(_args, a, b):
    if not isinstance(a[1], tuple) or not isinstance(b[1], tuple):
        return a == b
    return a[0] == b[0] and (
        tuple(map(_without_times, a[1])) == tuple(map(_without_times, b[1])))


_STREAM_TIMES = masked((b"idle", b"inactive", b"seen-time", b"active-time",
                        b"radix-tree-keys", b"radix-tree-nodes"))


def _pending_masked(value):
    """XINFO STREAM FULL: the pending lists hold delivery times as the last but one number."""
    if not isinstance(value[1], tuple):
        return value
    items = [_pending_masked(item) for item in value[1]]
    if 3 <= len(items) <= 4 and [item[0] for item in items[-2:]] == [":", ":"] and (
            items[0][0] == "$" and items[0][1] and b"-" in items[0][1]):
        items[-2] = (":", b"?")
    return value[0], tuple(items)


def xinfo_stream(args, a, b):
    return _STREAM_TIMES(args, _pending_masked(a), _pending_masked(b))


def geo(args, a, b):
    """Without ASC, DESC or COUNT (which sorts) there is no order. ANY takes what comes first."""
    words = {arg.lower() for arg in args}
    if b"any" in words:
        return random_choice(args, a, b)
    if words & {b"asc", b"desc", b"count"}:
        return a == b or unordered(args, a, b) and _same_distances(a, b)
    return unordered(args, a, b)


def _same_distances(a, b):
    """Members at one distance have no order among them."""
    def distances(value):
        return [next((part[1] for part in item[1][1:] if part[0] in "$,"), None)
                if isinstance(item[1], tuple) else None for item in value[1]]
    return distances(a) == distances(b)


def sort(args, a, b):
    if not isinstance(a[1], tuple) or not isinstance(b[1], tuple):
        return a == b
    words = [arg.lower() for arg in args]
    loose = False
    for place, word in enumerate(words[2:-1], 2):
        if word == b"by":
            # By a constant nothing is sorted, and a set has no order of its own; by words that are
            # the same for several elements, they have none among them.
            loose = loose or b"*" not in words[place + 1] or b"alpha" in words
    if b"alpha" in words and b"store" not in words:
        # Texts are compared by strcoll then, which does not see what comes behind a NUL.
        loose = loose or b"get" in words or any(item[1] and b"\0" in item[1] for item in a[1])
    if not loose:
        return a == b
    if b"limit" in words:
        return a[0] == b[0] and len(a[1]) == len(b[1])
    return unordered(args, a, b)


def dump(_args, a, b):
    if a[0] != "$" or b[0] != "$" or a[1] is None or b[1] is None:
        return a == b
    return serialized.same(a[1], b[1])


def protocol_lines(_args, a, b):
    """HELP of containers that have subcommands of their own: what Redis lists is listed."""
    return a[0] == b[0] and isinstance(b[1], tuple)


def make_rules(not_compared):
    """By name of command, a container's with its subcommand. What has no rule must be the same."""
    rules = {}
    for rule, names in {
            kind_only: "lolwut info memory|usage memory|stats memory|doctor memory|malloc-stats "
                       "latency|doctor latency|graph latency|histogram latency|history "
                       "latency|latest slowlog|len client|id randomkey time lastsave "
                       "debug|object object|idletime object|freq object|refcount command|count command "
                       "command debug|htstats debug|structsize slowlog|get client|pause latency|reset",
            unordered: "keys smembers sinter sunion sdiff hkeys hvals pubsub|channels "
                       "pubsub|shardchannels",
            unordered_pairs: "hgetall",
            unordered_deeply: "command|getkeysandflags",
            command_info: "command|info",
            command_docs: "command|docs",
            random_choice: "spop srandmember hrandfield zrandmember",
            near(NEAR_SECONDS): "ttl expiretime",
            near(NEAR_MILLISECONDS): "pttl pexpiretime",
            whole_scan: "scan sscan hscan zscan",
            config_get: "config|get",
            info: "info",
            client_line: "client|info client|list",
            hello: "hello",
            command_names(not_compared): "command|list",
            xadd: "xadd",
            _STREAM_TIMES: "xinfo|consumers",
            xinfo_stream: "xinfo|stream",
            xpending: "xpending",
            geo: "georadius georadius_ro georadiusbymember georadiusbymember_ro geosearch",
            sort: "sort sort_ro",
            dump: "dump",
            protocol_lines: "debug|help client|help config|help",
    }.items():
        for name in names.split():
            rules[name] = rule
    return rules


CONTAINERS = frozenset(
    b"client command config debug latency memory object pubsub slowlog xgroup xinfo acl cluster "
    b"function module script".split())


def command_name(args):
    """The name under which a request is counted and compared."""
    name = args[0].lower()
    if name in CONTAINERS and len(args) > 1:
        name = b"%b|%b" % (name, args[1].lower())
    return name.decode("latin1")


class Comparer:
    """Compares the replies to a stream of requests. Knows what is queued in a transaction."""

    def __init__(self, not_compared):
        self.rules = make_rules(not_compared)
        self.queued = []

    def reset(self):
        self.queued = []

    def same(self, args, ours, theirs):
        """Whether two replies in bytes are the same for this request."""
        name = args[0].lower()
        if name == b"exec":
            queued, self.queued = self.queued, []
            return ours == theirs or self._same_transaction(
                queued, resp.parse(theirs), resp.parse(ours))
        if theirs == b"+QUEUED\r\n":
            self.queued.append(args)
        elif name in (b"multi", b"discard", b"reset") and theirs[0] != 45:
            self.queued = []
        if ours == theirs:
            return True
        return self._same_parsed(args, resp.parse(theirs), resp.parse(ours))

    def _same_parsed(self, args, theirs, ours):
        name = command_name(args)
        if "-" in (theirs[0], ours[0]):
            return theirs == ours or name == "config|set" and config_set_error(theirs, ours)
        rule = self.rules.get(name)
        return theirs == ours if rule is None else rule(args, theirs, ours)

    def _same_transaction(self, queued, theirs, ours):
        if theirs[0] != ours[0] or not isinstance(theirs[1], tuple) or not isinstance(
                ours[1], tuple):
            return theirs == ours
        if not len(theirs[1]) == len(ours[1]) == len(queued):
            return False
        return all(self._same_parsed(args, their_item, our_item)
                   for args, their_item, our_item in zip(queued, theirs[1], ours[1]))
