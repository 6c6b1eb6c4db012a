"""Delta debugging: the least that still shows a mismatch (Zeller, Hildebrandt, TSE 2002)."""

import time

from session import flatten


class Shrinker:
    """Replays parts of an episode on emptied servers until nothing more can be left out."""

    def __init__(self, session, events, signature, seconds=25):
        self.session = session
        self.events = events
        self.signature = signature
        self.deadline = time.monotonic() + seconds

    def shows(self, groups):
        """The mismatch, if these requests still show it."""
        if time.monotonic() > self.deadline:
            return None
        self.session.restart(self.events)
        found = self.session.run(
            flatten(groups), lambda mismatch: mismatch.signature() == self.signature)
        if found is None or found[1].signature() != self.signature:
            return None
        return found[1]

    def shrink(self, groups):
        """Fewer groups, then shorter ones, then shorter requests; and the mismatch that is left, or
        None if it did not come again."""
        mismatch = self.shows(groups)
        if mismatch is None:
            return groups, None
        groups = self._without_strangers(groups)
        groups = self._fewer(groups)
        groups = self._split(groups)
        groups = self._shorter_requests(groups)
        return groups, self.shows(groups) or mismatch

    def _without_strangers(self, groups):
        """Most often only what names the same keys matters: tried first, because it saves most."""
        last = set(arg for args in groups[-1] for arg in args[1:] if len(arg) > 3)
        related = [group for group in groups[:-1] if any(
            args[0].lower() in (b"config", b"select") or last.intersection(args[1:])
            for args in group)] + groups[-1:]
        return related if len(related) < len(groups) and self.shows(related) else groups

    def _fewer(self, groups):
        """The minimizing algorithm over whole groups; events may come from any of them, a reply
        that differs is the last one's."""
        fixed = [] if self.events else groups[-1:]
        rest = groups if self.events else groups[:-1]
        pieces = 2
        while len(rest) >= 1 and time.monotonic() < self.deadline:
            size = max(1, len(rest) // pieces)
            for start in range(0, len(rest), size):
                candidate = rest[:start] + rest[start + size:]
                if self.shows(candidate + fixed):
                    rest = candidate
                    pieces = max(pieces - 1, 2)
                    break
            else:
                if size == 1:
                    break
                pieces = min(pieces * 2, len(rest))
        return rest + fixed

    def _split(self, groups):
        """Single requests out of groups that are not held together by chance or by waiting."""
        place = 0
        while place < len(groups):
            group = groups[place]
            names = {args[0].lower() for args in group}
            if len(group) > 1 and not names & {b"spop", b"blmove", b"bzmpop", b"hello"}:
                for start in range(len(group) - 1, -1, -1):
                    candidate = group[:start] + group[start + 1:]
                    trial = [*groups[:place], candidate, *groups[place + 1:]]
                    if candidate and self.shows(trial):
                        group, groups = candidate, trial
            place += 1
        return groups

    def _shorter_requests(self, groups):
        for place, group in enumerate(groups):
            if any(args[0].lower() in (b"spop", b"blpop", b"brpop") for args in group):
                continue
            for number in range(len(group)):
                groups = self._shorter_request(groups, place, number)
        return groups

    def _shorter_request(self, groups, place, number):
        def trial_with(args):
            group = list(groups[place])
            group[number] = args
            return [*groups[:place], group, *groups[place + 1:]]

        args = groups[place][number]
        size = len(args) // 2
        while size >= 1 and time.monotonic() < self.deadline:
            start = len(args) - size
            while start >= 2:
                trial = trial_with(args[:start] + args[start + size:])
                if self.shows(trial):
                    groups, args = trial, trial[place][number]
                start -= size
            size //= 2
        for position, arg in enumerate(args):
            for shorter in (arg[:1], arg[:65]):
                if len(arg) > 66 and len(shorter) < len(args[position]):
                    trial = trial_with([*args[:position], shorter, *args[position + 1:]])
                    if self.shows(trial):
                        groups, args = trial, trial[place][number]
                        break
        return groups
