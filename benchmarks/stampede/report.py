"""Makes runs readable, and says what is kept of what is asked of Larder."""

import dataclasses

from comparison import report as tables

from . import origin, scenarios

_MOST_P99_MS = 5.0

_HEAD = ["", "reads", "loads", "lost", "loads an expiry", "at worst", "concurrent", "p50", "p99",
         "p99.9", "max", "p99 with loads", "stale reads", "oldest, s", "errors",
         "machine"]


@dataclasses.dataclass(frozen=True)
class Condition:
    text: str
    seen: str
    is_met: bool

    def __str__(self):
        return f"{'pass' if self.is_met else 'FAIL'}  {self.text}: {self.seen}"


def _row(title, run):
    return [title, f"{run.reads:,}", f"{run.loads:,}", f"{run.lost_loads:,}",
            f"{run.loads_per_expiry:.3f}", f"{run.worst_expiry:,}", f"{run.concurrent_loads:,}",
            *(f"{value:.1f}" for value in (run.p50_ms, run.p99_ms, run.p999_ms, run.max_ms,
                                           run.p99_all_ms)),
            f"{run.stale_reads:,}", f"{run.oldest_seconds:.1f}", f"{run.errors:,}",
            f"{run.machine_delay_ms:.0f}"]


def scenario_markdown(scenario, competing, runs):
    titles = {contestant.name: contestant.title for contestant in competing}
    table = [_HEAD]
    table += [_row(titles[run.contestant], run) for run in runs if run.scenario == scenario.name]
    return f"## {scenario.title}\n\n{tables.aligned(table)}\n"


def conditions(contestant, run, lock):
    """What `contestant`, a Larder, has to keep in `run`. `lock` is the lock's run, or None."""
    where = f"{run.scenario}, {contestant.title}"
    yield Condition(f"{where}: 1 load a key and expiry",
                    f"{run.expiries:,} expiries, {run.loads:,} loads, {run.surplus_loads:,} too "
                    f"many", run.surplus_loads == 0 and run.loads > 0)
    yield Condition(f"{where}: 0 concurrent loads of a key", f"{run.concurrent_loads:,}",
                    run.concurrent_loads == 0)
    yield Condition(f"{where}: no errors", f"{run.errors:,} of {run.reads:,} reads",
                    run.errors == 0 and run.reads > 0)
    if not contestant.grace_seconds:
        yield Condition(f"{where}: no stale reads", f"{run.stale_reads:,}", run.stale_reads == 0)
        return
    oldest = scenarios.TTL_SECONDS + contestant.grace_seconds
    yield Condition(f"{where}: nothing older than TTL and grace, {oldest:g} s",
                    f"{run.oldest_seconds:.1f} s", run.oldest_seconds <= oldest + 0.1)
    beside = f" (lock: {lock.p99_ms:.1f} ms)" if lock else ""
    yield Condition(f"{where}: who does not load reads within {_MOST_P99_MS:g} ms, p99",
                    f"{run.p99_ms:.1f} ms{beside}", run.p99_ms <= _MOST_P99_MS)


def all_conditions(competing, runs):
    by_cell = {(run.scenario, run.contestant): run for run in runs}
    for run in runs:
        contestant = next(c for c in competing if c.name == run.contestant)
        if contestant.is_ours:
            yield from conditions(contestant, run, by_cell.get((run.scenario, "lock")))


def head_markdown(facts, seconds):
    described = {
        **facts,
        "Readers": f"{scenarios.READERS}, one connection each, "
                   f"{scenarios.THINK_SECONDS * 1000:g} ms between two reads on average",
        "Values": f"TTL {scenarios.TTL_SECONDS:g} s, loaded in {origin.LOAD_SECONDS * 1000:g} ms",
        "Each run": f"{seconds:g} s"}
    lines = [f"* {name}: {value}" for name, value in described.items()]
    return "\n".join([
        "# Stampedes", "",
        "Latencies in milliseconds, of the reads that did not load the value themselves; `p99 with",
        "loads` is of all. `loads an expiry`: 1 is the least that keeps values fresh; `lost`: who",
        "loaded was killed, and another load was due. `machine`: the longest delay of a timer",
        "beside all this; where it is long, the latencies are the machine's.", "", *lines, ""])


def document(facts, seconds, chosen, competing, runs):
    parts = [head_markdown(facts, seconds)]
    parts += [scenario_markdown(scenario, competing, runs) for scenario in chosen
              if any(run.scenario == scenario.name for run in runs)]
    found = list(all_conditions(competing, runs))
    if found:
        parts.append("## What is asked of Larder\n\n" +
                     "".join(f"    {condition}\n" for condition in found))
    return "\n".join(parts)


def as_json(facts, seconds, competing, runs):
    return {"facts": facts, "seconds": seconds,
            "runs": [dataclasses.asdict(run) for run in runs],
            "conditions": [dataclasses.asdict(c) for c in all_conditions(competing, runs)]}
