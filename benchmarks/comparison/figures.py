"""Figures of several servers over several rounds: medians, ratios, spreads and goals."""

import dataclasses
import statistics


@dataclasses.dataclass(frozen=True)
class Goal:
    """What our figure, or its ratio to the one it is compared with, should be."""

    limit: float
    at_least: bool = False
    of_ratio: bool = True
    # The best round counts: each does the same work, and what disturbs one only makes it longer.
    of_best: bool = False

    def met_by(self, value):
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self):
        sign = "≥" if self.at_least else "≤"
        unit = " ×" if self.of_ratio else ""
        return f"{sign} {self.limit:g}{unit}{' once' if self.of_best else ''}"


@dataclasses.dataclass(frozen=True)
class Spread:
    median: float
    least: float
    most: float

    @staticmethod
    def of(values):
        return Spread(statistics.median(values), min(values), max(values))


@dataclasses.dataclass
class Row:
    """One figure: for each column (a server) a value a round."""

    what: str
    unit: str
    digits: int
    ours: str
    against: str
    goal: Goal | None = None
    values: dict = dataclasses.field(default_factory=dict)

    def spread(self, column):
        values = self.values.get(column)
        return Spread.of(values) if values else None

    def ratio(self):
        """Of ours to the other's, round by round, so that what disturbs a whole round cancels."""
        pairs = list(zip(self.values.get(self.ours, []), self.values.get(self.against, [])))
        if self.ours == self.against or not pairs or any(theirs == 0 for _, theirs in pairs):
            return None
        return Spread.of([ours / theirs for ours, theirs in pairs])

    def goal_met(self):
        """None where there is no goal, or nothing to hold against it."""
        spread = self.goal and (self.ratio() if self.goal.of_ratio else self.spread(self.ours))
        if not spread:
            return None
        return self.goal.met_by(spread.least if self.goal.of_best else spread.median)


class Section:
    """The figures of one scenario, in the order in which they are first recorded."""

    def __init__(self, title, note, ours, against):
        self.title = title
        self.note = note
        self._ours = ours
        self._against = against
        self._rows = {}

    @property
    def rows(self):
        return list(self._rows.values())

    @property
    def columns(self):
        """Ours last and what it is compared with first, whoever was measured first."""
        found = dict.fromkeys(column for row in self.rows for column in row.values)
        return sorted(found, key=lambda column: (column == self._ours) - (column == self._against))

    def declare(self, what, unit, digits=2, goal=None, ours=None, against=None):
        """Says how a figure is to be read; it is recorded afterwards."""
        self._rows[what] = Row(what, unit, digits, ours or self._ours, against or self._against,
                               goal)

    def record(self, what, column, value):
        self._rows[what].values.setdefault(column, []).append(value)

    def row(self, what):
        return self._rows[what]
