#!/usr/bin/python3
"""Writes what the three judges found as Markdown.

Usage: report.py RESULTS REPORT

RESULTS is the folder with differential.json, upstream.json and clients.tsv. Nothing in REPORT is
written by hand, and the same results give the same text. The last line that is printed is the
differential judge's `N passed, N failed`: a command counts as one check, a kind of mismatch as a
failure.
"""

import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
NAMES = {"applications": "connect-redis, Socket.IO"}
MODES = {
    "external": "against a server on a port",
    "launched": "against servers that the suite starts",
}


def read(folder, name):
    path = folder / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None


def read_clients(folder):
    """Rows of name, version, passed, failed; null if there are none."""
    path = folder / "clients.tsv"
    if not path.exists():
        return None
    libraries = {}
    for line in path.read_text().splitlines():
        name, version, passed, failed = line.split("\t")
        name = NAMES.get(name, name).removesuffix("-types")
        row = libraries.setdefault(name, [name, version, 0, 0])
        row[2] += int(passed)
        row[3] += int(failed)
    return list(libraries.values())


def read_with_scripting():
    lines = (HERE / "clients" / "with_scripting.tsv").read_text().splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")]


def table(head, rows):
    """A Markdown table; numbers stand to the right."""
    columns = list(zip(head, *rows))
    numeric = [all(not isinstance(cell, str) or cell == "" for cell in column[1:]) and rows
               for column in columns]
    lines = [head, ["---:" if right else "---" for right in numeric], *rows]
    return ["| " + " | ".join(escape(cell) for cell in line) + " |" for line in lines] + [""]


def escape(cell):
    if isinstance(cell, int):
        return f"{cell:,}"
    return cell.replace("|", "\\|")


def details(summary, lines):
    return [f"<details><summary>{summary}</summary>", "", *lines, "", "</details>", ""]


def code(text):
    """A name as it is, whatever is in it."""
    ticks = "``" if "`" in text else "`"
    return f"{ticks}{text}{ticks}"


def verdict(failed):
    return "holds" if failed == 0 else "**does not hold**"


def percent(part, whole):
    # Never rounded up to a hundred that it is not.
    return f"{int(1000 * part / whole) / 10:.1f} %" if whole else ""


def differential_summary(result):
    if result is None:
        return ["Differential", "did not come to its end", "**does not hold**"]
    protocols = " and ".join(f"RESP{number}" for number in result["protocols"])
    bad = result["mismatches"] + len(result["never_sent"])
    return ["Differential",
            f"{result['commands']:,} generated commands in {protocols}, of {len(result['per_command'])} "
            f"kinds: {result['mismatches']:,} replies differ from redis-server's", verdict(bad)]


def differential_section(result):
    lines = ["## Differential", ""]
    if result is None:
        return lines + ["It did not come to its end.", ""]
    lines += ["Generated requests, valid and not, go to redis-server and to Larder side by side; replies, "
              "events and final states are compared, type and text. Seed "
              f"{result['seed']}.", ""]
    if result["findings"]:
        lines += table(["Mismatch", "Times"],
                       [[code(f["signature"]), f["count"]] for f in result["findings"]])
    for name in result["never_sent"]:
        lines += [f"- never sent: {code(name)}"]
    rows = [[code(name.replace("|", " ")), row["sent"], row["refused"],
             f"{row['options_taken']} of {row['options']}" if row["options"] else "none"]
            for name, row in result["per_command"].items()]
    lines += details(f"{len(rows)} commands",
                     table(["Command", "Sent", "Answered with an error", "Options taken"], rows))
    if result["not_compared"]:
        lines += details(f"{len(result['not_compared'])} that are not compared",
                         table(["Command", "Why"], sorted(
                             [code(name.replace("|", " ")), why]
                             for name, why in result["not_compared"].items())))
    return lines


def totals(units):
    passed = sum(len(unit["passed"]) for unit in units)
    failed = sum(len(unit["failed"]) for unit in units)
    excused = sum(len(unit["excused"]) for unit in units)
    later = sum(len(names) for unit in units for names in unit["later"].values())
    return passed, failed, excused, later


def upstream_summary(result):
    if result is None:
        return [["Redis's own suite", "did not come to its end", "**does not hold**"]]
    rows = []
    for mode, where in MODES.items():
        units = [unit for unit in result["units"] if unit["mode"] == mode]
        if units:
            passed, failed, excused, later = totals(units)
            rows.append([f"Redis's own suite, {where}",
                         f"{passed:,} of {passed + failed + excused:,} tests that redis-server passes, "
                         f"{later:,} more wait for a part of the server", verdict(failed)])
    return rows


def upstream_section(result):
    lines = ["## Redis's own suite", ""]
    if result is None:
        return lines + ["It did not come to its end.", ""]
    lines += ["The Tcl suite of Redis 7.0.15, unit by unit. A unit's tests are those that pass on "
              "redis-server 7.0.15 itself.", ""]
    for mode, where in MODES.items():
        units = [unit for unit in result["units"] if unit["mode"] == mode]
        if not units:
            continue
        rows = []
        for unit in [*units, None]:
            passed, failed, excused, later = totals([unit] if unit else units)
            rows.append([unit["unit"] if unit else "**all**", passed, failed, excused,
                         percent(passed, passed + failed + excused), later])
        lines += [f"### {where.capitalize()}", ""]
        lines += table(["Unit", "Pass", "Fail", "Excused", "Passing", "Later"], rows)
        failures = [f"- {unit['unit']}: {code(name)}" for unit in units for name in unit["failed"]]
        if failures:
            lines += ["What fails:", "", *failures, ""]
    lines += upstream_lists(result)
    return lines


def upstream_lists(result):
    lines = []
    excused = sorted({(unit["unit"], name, reason) for unit in result["units"]
                      for name, reason in unit["excused"].items()})
    if excused:
        lines += ["### Excused", ""]
        for heading, meaning in result["exceptions"].items():
            names = [f"- {unit}: {code(name)}" for unit, name, reason in excused if reason == heading]
            if names:
                lines += [f"{meaning}:", "", *names, ""]
    lines += ["### Later", "", "What waits for a part of the server that is not there yet.", ""]
    for heading, meaning in result["later"].items():
        names = [f"- {unit['unit']}: {code(name)}" for unit in result["units"]
                 for name in unit["later"].get(heading, [])]
        if names:
            lines += details(f"{heading}: {len(names)} tests ({meaning})", names)
    return lines


def clients_summary(libraries):
    if libraries is None:
        return ["Clients", "did not come to their end", "**does not hold**"]
    passed = sum(row[2] for row in libraries)
    failed = sum(row[3] for row in libraries)
    return ["Clients", f"{passed:,} of {passed + failed:,} checks with {len(libraries)} libraries and "
            "applications", verdict(failed)]


def clients_section(libraries):
    lines = ["## Clients", ""]
    if libraries is None:
        return lines + ["They did not come to their end.", ""]
    lines += ["What applications use, in real work against a server with four threads.", ""]
    lines += table(["Library or application", "Version", "Pass", "Fail"], libraries)
    lines += ["What runs scripts waits for them:", ""]
    lines += table(["With scripting", "Tests are there", "Why"], read_with_scripting())
    return lines


def main():
    results, report = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    differential = read(results, "differential")
    upstream = read(results, "upstream")
    clients = read_clients(results)
    lines = ["# Does a stranger see Redis?", "",
             "Written by `make compat`; see [README.md](README.md) for what the judges are.", ""]
    lines += table(["Judge", "What was seen", "Verdict"],
                   [differential_summary(differential), *upstream_summary(upstream),
                    clients_summary(clients)])
    lines += differential_section(differential) + upstream_section(upstream)
    lines += clients_section(clients)
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text("\n".join(lines).rstrip() + "\n")
    if differential is None:
        print("0 passed, 1 failed")
        return 1
    bad = len(differential["findings"]) + len(differential["never_sent"])
    print(f"{len(differential['per_command']) - len(differential['never_sent'])} passed, {bad} failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
