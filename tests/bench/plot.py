"""A plot of the ratios: one row a peer, one mark a data set, tabark's own figure at 1, a logarithmic scale."""

import math
from statistics import median
from xml.sax.saxutils import escape

import peers
from measure import FOR_SIZE

WIDTH, LEFT, RIGHT = 900, 215, 20
ROW, HEADING, TOP = 24, 34, 92
TICKS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000]
# Told apart by shape as well as by colour; the colours are the Okabe-Ito set's, readable on white and on near-black.
MARKS = [("circle", "#d55e00"), ("square", "#0072b2"), ("diamond", "#009e73"), ("up", "#cc79a7"), ("down", "#b8860b")]
STYLE = """
  text { font: 13px system-ui, "DejaVu Sans", sans-serif; fill: #1f2328 }
  .title { font-size: 16px; font-weight: 600 } .heading { font-weight: 600 } .small { font-size: 11px; fill: #59636e }
  .ground { fill: #ffffff } .grid { stroke: #d1d9e0 }
  .one { stroke: #1f2328; stroke-width: 1.5 } .row { stroke: #eff2f5 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc } .small { fill: #9198a1 } .ground { fill: #0d1117 } .grid { stroke: #3d444d }
    .one { stroke: #f0f6fc } .row { stroke: #21262d } .mark { filter: brightness(1.35) }
  }"""


def time_of(entry):
    return median(entry["seconds"])


def size_of(entry):
    return entry["bytes"]


def peak_of(entry):
    return median(entry["peak"])


PANELS = [
    ("Time of a dump", "dump", time_of),
    ("Size", "dump", size_of),
    ("Time to verify", "verify", time_of),
    ("Time to restore all of it", "restore", time_of),
    ("Time to restore one small table", "one_table", time_of),
    ("Peak memory of a dump", "dump", peak_of),
    ("Peak memory of a restore", "restore", peak_of),
]


def usable(entry, figure):
    if not entry or entry["failed"]:
        return False
    if figure is size_of:
        return bool(entry["bytes"])
    # A run for the size alone is no contest of speed or memory.
    return bool(entry["seconds"]) and entry["once"] != FOR_SIZE


def ratios(results, item, figure):
    """{contender: {set: ratio}} of one panel; nothing where either side was not measured."""
    rows = {}
    for key, data in results["sets"].items():
        entries = data["items"].get(item, {})
        base = entries.get(peers.TABARK)
        if not usable(base, figure):
            continue
        for name, entry in entries.items():
            if name in (peers.TABARK, peers.FULL) or not usable(entry, figure):
                continue
            rows.setdefault(name, {})[key] = figure(entry) / figure(base)
    return rows


def mark(shape, colour, x, y):
    r = 4.5
    points = {
        "square": [(-4, -4), (4, -4), (4, 4), (-4, 4)],
        "diamond": [(0, -5.5), (5.5, 0), (0, 5.5), (-5.5, 0)],
        "up": [(0, -5), (5, 4), (-5, 4)],
        "down": [(0, 5), (5, -4), (-5, -4)],
    }
    if shape == "circle":
        return f'<circle class="mark" cx="{x:.1f}" cy="{y:.1f}" r="{r}" fill="{colour}"/>'
    path = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in points[shape])
    return f'<polygon class="mark" points="{path}" fill="{colour}"/>'


def svg(results):
    panels = [(title, ratios(results, item, figure)) for title, item, figure in PANELS]
    panels = [(title, rows) for title, rows in panels if rows]
    values = [value for _, rows in panels for row in rows.values() for value in row.values()] or [1]
    low = max([tick for tick in TICKS if tick <= min(*values, 0.5)] or TICKS[:1])
    high = min([tick for tick in TICKS if tick >= max(*values, 2)] or TICKS[-1:])
    height = TOP + sum(HEADING + ROW * len(rows) for _, rows in panels) + 36

    def across(value):
        share = (math.log(min(max(value, low), high)) - math.log(low)) / (math.log(high) - math.log(low))
        return LEFT + 12 + share * (WIDTH - LEFT - RIGHT - 24)

    keys = list(results["sets"])
    look = {key: MARKS[number % len(MARKS)] for number, key in enumerate(keys)}
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"',
        ' role="img">',
        "<title>What the peers need, in multiples of what tabark needs</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="ground" width="{WIDTH}" height="{height}"/>',
        '<text class="title" x="16" y="26">What the peers need, as a multiple of what tabark needs</text>',
        f'<text class="small" x="16" y="46">{escape(results["date"])} · rounds: {results["rounds"]}, medians'
        " · right of the line at 1, tabark is "
        "faster, smaller or leaner</text>",
    ]
    x = 16
    for key in keys:
        title = results["sets"][key]["title"]
        out.append(mark(*look[key], x + 5, 66))
        out.append(f'<text class="small" x="{x + 15}" y="70">{escape(title)}</text>')
        x += 34 + 6.6 * len(title)
    bottom = height - 30
    for tick in [tick for tick in TICKS if low <= tick <= high]:
        here = across(tick)
        look_of = "one" if tick == 1 else "grid"
        out.append(f'<line class="{look_of}" x1="{here:.1f}" x2="{here:.1f}" y1="{TOP - 8}" y2="{bottom}"/>')
        label = f"{tick:g}×"
        out.append(f'<text class="small" text-anchor="middle" x="{here:.1f}" y="{bottom + 16}">{label}</text>')
    y = TOP
    for title, rows in panels:
        out.append(f'<text class="heading" x="16" y="{y + 16}">{escape(title)}</text>')
        y += HEADING - 8
        for name, row in rows.items():
            middle = y + ROW / 2
            out.append(f'<line class="row" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{middle}" y2="{middle}"/>')
            out.append(f'<text text-anchor="end" x="{LEFT - 8}" y="{middle + 4.5}">{escape(name)}</text>')
            for key, value in row.items():
                spread = (keys.index(key) - (len(keys) - 1) / 2) * 2.2
                out.append(mark(*look[key], across(value), middle + spread))
            y += ROW
        y += 8
    out.append("</svg>")
    return "\n".join(out) + "\n"
