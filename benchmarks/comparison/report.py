"""Writes figures as Markdown, which reads well on a terminal too."""


def _number(value, digits):
    return f"{value:,.{digits}f}"


def _cell(row, column):
    spread = row.spread(column)
    if spread is None:
        return "–"
    text = _number(spread.median, row.digits)
    if len(row.values[column]) > 1:
        text += f" ({_number(spread.least, row.digits)}–{_number(spread.most, row.digits)})"
    return text


def _ratio(row):
    ratio = row.ratio()
    if ratio is None:
        return "–"
    text = f"{ratio.median:.2f}"
    if len(row.values[row.ours]) > 1:
        text += f" ({ratio.least:.2f}–{ratio.most:.2f})"
    return text


def _goal(row):
    if row.goal is None:
        return ""
    met = row.goal_met()
    verdict = "" if met is None else " met" if met else " **missed**"
    return f"{row.goal}{verdict}"


def aligned(rows):
    """Markdown of a table whose first row is its head."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]

    def line(cells):
        padded = [cells[0].ljust(widths[0])]
        padded += [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:])]
        return f"| {' | '.join(padded)} |"

    rule = ["-" * widths[0]] + ["-" * (width - 1) + ":" for width in widths[1:]]
    return "\n".join([line(rows[0]), f"| {' | '.join(rule)} |", *map(line, rows[1:])])


def section_markdown(section):
    columns = section.columns
    table = [["", *columns, "ratio", "goal"]]
    for row in section.rows:
        if not row.values:
            continue
        name = row.what + (f", {row.unit}" if row.unit else "")
        compared = _ratio(row)
        if row.against not in (columns[0], row.ours) and row.ratio():
            compared += f" to {row.against.rpartition(', ')[2]}"
        table.append([name, *(_cell(row, column) for column in columns), compared, _goal(row)])
    return f"## {section.title}\n\n{section.note}\n\n{aligned(table)}\n"


def head_markdown(facts, rounds):
    lines = [f"* {name}: {value}" for name, value in facts.items()]
    return "\n".join([
        "# Larder beside its peers", "",
        f"Medians of {rounds} rounds (least–most), one server after the other in each; the ratio is",
        "ours over the other's, taken round by round. Absolute figures belong to this machine; ratios",
        "hold better.", "", *lines, ""])


def document(facts, rounds, sections, plots):
    """The whole report. `plots` maps a section's title to the file names of its plots."""
    parts = [head_markdown(facts, rounds)]
    for section in sections:
        parts.append(section_markdown(section))
        for name in plots.get(section.title, []):
            parts.append(f"![{section.title}]({name})\n")
    return "\n".join(parts)
