"""The options of benchmarks/stampede.py, and what they set going."""

import argparse
import json
import pathlib
import signal
import sys

from comparison import machine, servers
from hitratio.contestants import Memcached

from . import contestants, report, runs, scenarios

_BENCHMARKS = pathlib.Path(__file__).resolve().parents[1]
_SECONDS = 60
_QUICK_SECONDS = 10


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(
        prog="stampede.py", description="200 readers, one slow origin, and caches in between.")
    parser.add_argument("--scenario", action="append", choices=scenarios.SCENARIOS,
                        metavar="SCENARIO", help=f"one of: {', '.join(scenarios.SCENARIOS)}; may "
                                                 "be given several times")
    parser.add_argument("--contestant", action="append", metavar="CONTESTANT",
                        help="naive, lock, xfetch, memcached, rule, rule-grace, leases or "
                             "leases-grace; may be given several times")
    parser.add_argument("--seconds", type=float, help=f"of each run; default: {_SECONDS}")
    parser.add_argument("--quick", action="store_true",
                        help=f"a first look: {_QUICK_SECONDS} seconds each, writes nothing")
    parser.add_argument("--larder", default=str(_BENCHMARKS.parent / "build/release/larder-server"),
                        help="our server")
    parser.add_argument("--redis", default="redis-server", help="one that it is compared with")
    parser.add_argument("--memcached", default="memcached", help="another")
    parser.add_argument("--json", type=pathlib.Path, help="file for all figures")
    parser.add_argument("--output", type=pathlib.Path,
                        help="Markdown file for the report; default: benchmarks/results/"
                             "stampede.md, and none with --scenario, --contestant or --quick")
    options = parser.parse_args(arguments)
    in_part = options.scenario or options.contestant or options.quick
    if options.seconds is None:
        options.seconds = _QUICK_SECONDS if options.quick else _SECONDS
    if options.seconds < 3 * scenarios.TTL_SECONDS:
        parser.error("--seconds: at least three times the TTL")
    if options.output is None and not in_part:
        options.output = _BENCHMARKS / "results/stampede.md"
    return options


def chosen_contestants(options):
    found = contestants.all_contestants(servers.Program(options.redis),
                                        Memcached(options.memcached),
                                        servers.Program(options.larder))
    unknown = set(options.contestant or ()) - {contestant.name for contestant in found}
    if unknown:
        raise ValueError(f"no such contestant: {', '.join(sorted(unknown))}")
    return [c for c in found if not options.contestant or c.name in options.contestant]


def _say(text):
    print(text, file=sys.stderr, flush=True)


def _write(options, facts, chosen, competing, done):
    if options.json is not None:
        content = json.dumps(report.as_json(facts, options.seconds, competing, done), indent=1)
        options.json.write_text(content + "\n", encoding="utf-8")
    if options.output is not None:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(
            report.document(facts, options.seconds, chosen, competing, done), encoding="utf-8")


def run(arguments):
    options = parse_arguments(arguments)
    chosen = [scenario for name, scenario in scenarios.SCENARIOS.items()
              if not options.scenario or name in options.scenario]
    competing = chosen_contestants(options)
    facts = machine.facts()
    done = []
    for scenario in chosen:
        for contestant in competing:
            result = runs.measure(contestant, scenario, options.seconds)
            done.append(result)
            _say(f"{scenario.name}, {contestant.title}: {result.loads:,} loads for "
                 f"{result.expiries:,} expiries, {result.concurrent_loads:,} concurrent, p99 "
                 f"{result.p99_ms:.1f} ms, {result.errors:,} errors")
            for error in result.first_errors:
                _say(f"  {error}")
            # After each, so that an interrupted run leaves what it had.
            _write(options, facts, chosen, competing, done)
    print(report.document(facts, options.seconds, chosen, competing, done))
    return 0 if all(c.is_met for c in report.all_conditions(competing, done)) else 1


def main(arguments):
    # Ends like an interrupt: through all `with` blocks, which end readers and servers.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        return run(arguments)
    except KeyboardInterrupt:
        return 130
    except (RuntimeError, FileNotFoundError, ValueError, ConnectionError) as error:
        _say(f"stampede.py: {error}")
        return 1
