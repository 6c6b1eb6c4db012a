"""Bar charts as SVG, drawn by hand: no library is worth a dependency for rectangles and text."""

from xml.sax.saxutils import escape

_COLOURS = ["#8a8f98", "#c9873c", "#1f6fb2", "#3a9d6d"]  # Peers pale, ours strong.
_LABEL_WIDTH, _PLOT_WIDTH, _VALUE_WIDTH = 210, 430, 150
_WIDTH = _LABEL_WIDTH + _PLOT_WIDTH + _VALUE_WIDTH
_BAR, _GAP, _GROUP_GAP = 16, 3, 16
_FONT = 'font-family="system-ui, sans-serif"'


def grid_step(largest, wanted=5):
    """A round distance between grid lines, about `wanted` of them up to `largest`."""
    raw = largest / wanted
    power = _power_of_ten_below(raw)
    for factor in (1, 2, 5, 10):
        if factor * power >= raw:
            return factor * power
    return 10 * power


def _power_of_ten_below(value):
    power = 1.0
    while power > value:
        power /= 10
    while power * 10 <= value:
        power *= 10
    return power


def _text(x, y, text, size=12, anchor="start", colour="#222", weight="normal"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" '
            f'fill="{colour}" font-weight="{weight}" {_FONT}>{escape(text)}</text>')


def bar_chart(title, groups, digits=2):
    """Horizontal bars.

    `groups` is a list of (label, {series: (value, least, most)}). Series keep their colour over all
    groups; a thin line shows from least to most.
    """
    series = list(dict.fromkeys(name for _, bars in groups for name in bars))
    colours = dict(zip(series, _COLOURS if len(series) > 2 else [_COLOURS[0], _COLOURS[2]]))
    largest = max((most for _, bars in groups for _, _, most in bars.values()), default=0) or 1
    step = grid_step(largest)
    scale = _PLOT_WIDTH / largest

    top = 66
    height = top + sum(len(bars) * (_BAR + _GAP) + _GROUP_GAP for _, bars in groups) + 24
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
           f'viewBox="0 0 {_WIDTH} {height}" role="img">',
           f"<title>{escape(title)}</title>",
           f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
           _text(16, 24, title, size=15, weight="600")]
    x = 16
    for name in series:
        out.append(f'<rect x="{x}" y="36" width="11" height="11" fill="{colours[name]}"/>')
        out.append(_text(x + 16, 46, name))
        x += 16 + 7.2 * len(name) + 20
    line = 0
    while line * step <= largest:
        at = _LABEL_WIDTH + line * step * scale
        out.append(f'<line x1="{at:.1f}" y1="{top - 8}" x2="{at:.1f}" y2="{height - 22}" '
                   'stroke="#e4e6ea"/>')
        out.append(_text(at, height - 8, f"{line * step:,g}", size=11, anchor="middle",
                         colour="#666"))
        line += 1
    y = top
    for label, bars in groups:
        middle = y + len(bars) * (_BAR + _GAP) / 2
        out.append(_text(_LABEL_WIDTH - 10, middle + 3, label, anchor="end"))
        for name, (value, least, most) in bars.items():
            out.append(f'<rect x="{_LABEL_WIDTH}" y="{y}" width="{max(value, 0) * scale:.1f}" '
                       f'height="{_BAR}" fill="{colours[name]}"/>')
            if most > least:
                out.append(f'<line x1="{_LABEL_WIDTH + least * scale:.1f}" y1="{y + _BAR / 2}" '
                           f'x2="{_LABEL_WIDTH + most * scale:.1f}" y2="{y + _BAR / 2}" '
                           'stroke="#222"/>')
            out.append(_text(_LABEL_WIDTH + max(value, most) * scale + 6, y + _BAR - 4,
                             f"{value:,.{digits}f}", size=11))
            y += _BAR + _GAP
        y += _GROUP_GAP
    out.append("</svg>")
    return "\n".join(out) + "\n"


def chart_of(title, rows, strip=""):
    """The chart of some rows of one unit, named without what they all say."""
    groups = []
    for row in rows:
        bars = {}
        for column in row.values:
            spread = row.spread(column)
            bars[column] = (spread.median, spread.least, spread.most)
        if bars:
            groups.append((row.what.replace(strip, ""), bars))
    return bar_chart(title, groups, digits=max((row.digits for row in rows), default=0))
