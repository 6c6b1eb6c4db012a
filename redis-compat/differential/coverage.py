"""Which commands were sent how often, and which of their options a server has taken."""

import re

import resp
from compare import command_name


def _tokens(arguments, found):
    """The words of a command's syntax, from COMMAND DOCS as a flat list in RESP2."""
    for argument in arguments:
        fields = dict(zip((part[1] for part in argument[1][::2]), argument[1][1::2]))
        if b"token" in fields and fields[b"token"][1] not in (b"", b'""'):
            found.add(fields[b"token"][1])
        if b"arguments" in fields:
            _tokens(fields[b"arguments"][1], found)


def read_commands(connection):
    """What a server has: name of command (subcommand after a bar) to the words of its syntax."""
    commands = {}

    def read(entries):
        for name, entry in zip(entries[::2], entries[1::2]):
            fields = dict(zip((part[1] for part in entry[1][::2]), entry[1][1::2]))
            words = set()
            if b"arguments" in fields:
                _tokens(fields[b"arguments"][1], words)
            commands[name[1].decode()] = words
            if b"subcommands" in fields:
                read(fields[b"subcommands"][1])

    read(resp.parse(connection.call("COMMAND", "DOCS"))[1])
    return commands


class Coverage:
    """Counts by command: requests, those that were refused, words of the syntax in those that were
    not."""

    def __init__(self, commands):
        self.commands = commands
        self.sent = dict.fromkeys(commands, 0)
        self.refused = dict.fromkeys(commands, 0)
        self.unseen = {name: set(words) for name, words in commands.items()}
        self.total = 0
        self.unknown = 0

    def count(self, args, reply):
        self.total += 1
        name = command_name(args)
        if name not in self.sent:
            name = args[0].lower().decode("latin1")  # A container with a subcommand that is none.
            if name not in self.sent:
                self.unknown += 1
                return
        self.sent[name] += 1
        if reply[0] == 45:  # An error.
            self.refused[name] += 1
        elif self.unseen[name]:
            self.unseen[name].difference_update([arg.upper() for arg in args[1:]])

    def merge(self, other):
        for name, count in other.sent.items():
            self.sent[name] += count
            self.refused[name] += other.refused[name]
            self.unseen[name] &= other.unseen[name]
        self.total += other.total
        self.unknown += other.unknown

    def missing(self, not_compared):
        """Commands never sent, and words never taken."""
        commands = [name for name, count in sorted(self.sent.items())
                    if count == 0 and name not in not_compared]
        words = {name: sorted(word.decode() for word in left)
                 for name, left in sorted(self.unseen.items())
                 if left and name not in not_compared and self.sent[name]}
        return commands, words

    def table(self, not_compared):
        lines = [f"{'command':26} {'sent':>8} {'refused':>8}  options taken"]
        for name, count in sorted(self.sent.items()):
            if name in not_compared:
                continue
            words = self.commands[name]
            seen = len(words) - len(self.unseen[name])
            left = " ".join(sorted(word.decode() for word in self.unseen[name]))
            options = f"{seen}/{len(words)}" if words else "-"
            lines.append(f"{name:26} {count:8} {self.refused[name]:8}  {options}"
                         + (f"  not: {left}" if left else ""))
        return "\n".join(lines)


def read_not_compared(path, commands):
    """Name of command to reason. Every line must be about a command that there is."""
    reasons = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        pattern, reason = line.split("\t")
        matching = re.compile(re.escape(pattern).replace(r"\*", r"(\|.*)?") + r"\Z")
        names = [name for name in commands if matching.match(name)]
        if not names:
            raise ValueError(f"{path.name}: Redis has no {pattern}")
        reasons.update(dict.fromkeys(names, reason))
    return reasons
