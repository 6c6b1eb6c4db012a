"""What the runs add up to: tables, goals and charts."""

import dataclasses
import statistics

from comparison import plots, report
from comparison.figures import Goal, Section

from . import cells

# What the recommended policy and our versions of Redis's own are held against.
MEAN_GOAL = Goal(0.905, of_ratio=False)
WORST_GOAL = Goal(1.03, of_ratio=False)
CELL_GOAL = Goal(1.03)
SAME_POLICY_GOAL = Goal(1.02)
SIZED_GOAL = Goal(1.0)

_RSS_ALLOWED = 1.25  # Times maxmemory.


def void_runs(runs):
    """Those that took so much memory that they prove nothing.

    In the smallest cells a process with nothing in it takes as much as that; what Redis takes,
    everybody may.
    """
    allowed = {}
    for run in runs:
        of_redis = run.peak_rss_bytes if run.product == "Redis" else 0
        allowed[run.cell] = max(allowed.get(run.cell, _RSS_ALLOWED * run.maxmemory), of_redis)
    return [run for run in runs if run.peak_rss_bytes > allowed[run.cell]]


class Board:
    """Miss ratios by cell and contestant, each a list over the repeats."""

    def __init__(self, runs):
        self.void = void_runs(runs)
        valid = (run for run in runs if run not in self.void)
        self._runs = sorted(valid, key=lambda run: run.repeat)
        found = {run.cell for run in self._runs}
        self.cells = [cell for name, cell in cells.CELLS.items() if name in found]

    def contestants(self, product=None, policy=None):
        """Names, in the order in which policies are listed; peers first."""
        wanted = {(run.order, run.contestant) for run in self._runs
                  if product in (None, run.product) and policy in (None, run.policy)}
        return [name for _, name in sorted(wanted)]

    @property
    def judged(self):
        """The contestant that is held against the goals: Larder's last policy. None without one."""
        return next(reversed(self.contestants("Larder")), None)

    def values(self, cell, contestant, figure):
        return [getattr(run, figure) for run in self._runs
                if run.cell == cell.name and run.contestant == contestant]

    def misses(self, cell, contestant):
        return self.values(cell, contestant, "miss_ratio")

    def better_redis(self, cell):
        """Redis's policy that misses less here, which users cannot know beforehand."""
        measured = [name for name in self.contestants("Redis") if self.misses(cell, name)]
        return min(measured, key=lambda name: statistics.median(self.misses(cell, name)),
                   default=None)

    def ratios(self, contestant):
        """Of misses to those of Redis's better policy: for each repeat a list over the cells."""
        columns = []
        for cell in self.cells:
            redis = self.better_redis(cell)
            ours = self.misses(cell, contestant)
            if redis and ours:
                columns.append([a / b for a, b in zip(ours, self.misses(cell, redis))])
        return [list(row) for row in zip(*columns)]


def _record(section, what, board, cell, contestants, figure, scale=1):
    for name in contestants:
        for value in board.values(cell, name, figure):
            section.record(what, name, value * scale)


def misses_section(board, contestants=None):
    """Miss ratios of `contestants` (all by default)."""
    contestants = contestants or board.contestants()
    section = Section("Misses", "Share of the requests that were not answered from the cache. The "
                      "ratio is of misses to those of Redis's better policy.", board.judged, None)
    for cell in board.cells:
        section.declare(cell.title, "%", 2, CELL_GOAL, against=board.better_redis(cell))
        _record(section, cell.title, board, cell, contestants, "miss_ratio", 100)
    return section


def summary_section(board):
    left_out = f" **Runs that are void and left out: {len(board.void)}.**" if board.void else ""
    section = Section("All cells", f"Misses over those of Redis's better policy in each of "
                      f"{len(board.cells)} cells.{left_out}", board.judged, None)
    section.declare("geometric mean", "", 3, MEAN_GOAL)
    section.declare("worst cell", "", 3, WORST_GOAL)
    for name in board.contestants():
        for ratios in board.ratios(name):
            section.record("geometric mean", name, statistics.geometric_mean(ratios))
            section.record("worst cell", name, max(ratios))
    return section


def sized_section(board):
    """Where sizes differ, memcached, which keeps sizes apart, is the stronger rival."""
    memcached = next(iter(board.contestants("memcached")), None)
    section = Section("Values of many sizes", "The same misses, beside memcached's.", board.judged,
                      memcached)
    for cell in board.cells:
        if cell.value_bytes is None and memcached:
            section.declare(cell.title, "%", 2, SIZED_GOAL)
            _record(section, cell.title, board, cell, (memcached, board.judged), "miss_ratio", 100)
    return section


def same_policy_section(board, policy):
    """Larder's version of a policy beside Redis's."""
    ours, theirs = (next(iter(board.contestants(product, policy)), None)
                    for product in ("Larder", "Redis"))
    section = Section(f"Larder's {policy} beside Redis's", "Misses with the policy of one name.",
                      ours, theirs)
    for cell in board.cells:
        if ours and theirs:
            section.declare(cell.title, "%", 2, SAME_POLICY_GOAL)
            _record(section, cell.title, board, cell, (theirs, ours), "miss_ratio", 100)
    return section


def keys_section(board):
    section = Section("Keys held", "In the end. With values of one size, who spends less on a key "
                      "holds more of them.", board.judged, None)
    for cell in board.cells:
        section.declare(cell.title, "", 0, against=board.better_redis(cell))
        _record(section, cell.title, board, cell, board.contestants(), "keys")
    return section


def runs_markdown(runs):
    """Everything that was observed, a line a run."""
    void = void_runs(runs)
    table = [["run", "requests", "hits", "misses", "miss %", "of bytes, %", "refused SETs",
              "seconds", "keys", "used / maxmemory", "RSS / maxmemory", "evictions",
              "server CPU, s"]]
    for run in sorted(runs, key=lambda run: (list(cells.CELLS).index(run.cell), run.order,
                                             run.repeat)):
        rss = f"{run.peak_rss_bytes / run.maxmemory:.2f}{' **void**' if run in void else ''}"
        table.append([
            f"{cells.CELLS[run.cell].title}, {run.contestant}", f"{run.requests:,}",
            f"{run.hits:,}", f"{run.misses:,}", f"{run.miss_ratio * 100:.2f}",
            f"{run.byte_miss_ratio * 100:.2f}", f"{run.refused_sets:,}", f"{run.seconds:.1f}",
            f"{run.keys:,}", f"{run.used_bytes / run.maxmemory:.3f}", rss, f"{run.evictions:,}",
            f"{run.server_cpu_seconds:.1f}"])
    return ("## Every run\n\nRSS is the largest. A run is void, and counts nowhere above, with "
            f"more than\n{_RSS_ALLOWED:g} × maxmemory and more than Redis in the same cell.\n\n"
            f"{report.aligned(table)}\n")


def sections(runs):
    board = Board(runs)
    if board.judged is None or not board.contestants("Redis"):
        return [misses_section(board)]
    in_order = sorted(runs, key=lambda run: run.order)
    policies = dict.fromkeys(run.policy for run in in_order if run.product == "Redis")
    wanted = [misses_section(board), summary_section(board), sized_section(board),
              *(same_policy_section(board, policy) for policy in policies), keys_section(board)]
    return [section for section in wanted if section.columns]


def head_markdown(facts, pace):
    lines = [f"* {name}: {value}" for name, value in {**facts, "Pace": pace}.items()]
    return "\n".join([
        "# Hit ratio", "",
        "Real traces against real servers, each with the same memory: a GET for each request, a",
        "SET for each miss. Medians (least–most) where a replay was repeated. `web12 5 %` is the",
        "trace `web12` in a memory that holds 5 % of its keys in Redis.", "", *lines, ""])


def document(facts, pace, runs, chart_names):
    parts = [head_markdown(facts, pace)]
    parts += [report.section_markdown(section) for section in sections(runs)]
    parts += [f"![Miss ratios]({name})\n" for name in chart_names]
    parts.append(runs_markdown(runs))
    return "\n".join(parts)


def charts(runs):
    """(suffix of a file name, SVG) of each chart that there is something for."""
    board = Board(runs)
    rivals = [*board.contestants("Redis"), *board.contestants("memcached")]
    wanted = [("", "Misses, % of the requests", [*rivals, board.judged]),
              ("-policies", "Misses, % of the requests, with the policies that Redis has",
               [*board.contestants(policy="lru"), *board.contestants(policy="lfu")])]
    for suffix, title, names in wanted:
        rows = [row for row in misses_section(board, [n for n in names if n]).rows if row.values]
        if rows:
            yield suffix, plots.chart_of(title, rows)


def as_json(facts, pace, runs):
    void = void_runs(runs)
    return {"facts": facts, "pace": pace,
            "runs": [{**dataclasses.asdict(run), "void": run in void} for run in runs]}
