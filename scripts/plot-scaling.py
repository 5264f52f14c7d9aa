#!/usr/bin/env python3
"""Draws the figures of docs/scaling.md: `plot-scaling.py BINARY` asks `spanfleet simulate --json` and writes SVG.

Nothing is drawn that the model did not answer; the same costs and seed give the same files.
"""

import json
import math
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1] / "docs/scaling"
WORKERS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]
# A colour-blind reader's palette.
COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00"]
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 420, 70, 200, 40, 55


def ask(binary, *arguments):
    """The model's answers, one for each size of the fleet."""
    workers = ",".join(map(str, WORKERS))
    command = [binary, "simulate", "--json", "--workers", workers, *arguments]
    return json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)["runs"]


def scale(values, low, high):
    """A logarithmic axis from the power of ten below to that above."""
    least, most = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    most = max(most, least + 1)
    return least, most, lambda value: low + (math.log10(value) - least) / (most - least) * (high - low)


def text(x, y, words, anchor="middle", size=12):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">{words}</text>'


def figure(name, title, unit, lines):
    """Workers to the right, a line for each list of values."""
    xs = [LEFT + place * (WIDTH - LEFT - RIGHT) / (len(WORKERS) - 1) for place in range(len(WORKERS))]
    least, most, height = scale([value for _, values in lines for value in values], HEIGHT - BOTTOM, TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        text(LEFT, 22, title, "start", 15),
        text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, "workers of two slots"),
        text(LEFT - 8, TOP - 8, unit, "end"),
    ]
    for power in range(least, most + 1):
        y = height(10.0**power)
        parts.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(text(LEFT - 8, y + 4, f"{10.0**power:g}", "end"))
    parts += [text(x, HEIGHT - BOTTOM + 18, count) for x, count in zip(xs, WORKERS)]
    for (label, values), colour in zip(lines, COLOURS):
        points = " ".join(f"{x:.1f},{height(value):.1f}" for x, value in zip(xs, values))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
    # Labels stand at the ends of their lines, apart from each other.
    ends = sorted((height(values[-1]), label, colour) for (label, values), colour in zip(lines, COLOURS))
    below = 0.0
    for y, label, colour in ends:
        below = max(y + 4, below + 15)
        parts.append(f'<g fill="{colour}">{text(WIDTH - RIGHT + 8, below, label, "start")}</g>')
    (DOCS / f"{name}.svg").write_text("\n".join([*parts, "</svg>", ""]))


def hours(runs, of=lambda outcome: outcome["seconds"]):
    return [of(run["outcome"]) / 3600 for run in runs]


def main():
    binary = sys.argv[1]
    DOCS.mkdir(exist_ok=True)
    whole, tenth = ask(binary, "--annotations", "10e9"), ask(binary, "--annotations", "1e9")
    jobs = ask(binary, "--annotations", "1e9", "--jobs", "10")
    figure("time", "Until the export stands", "hours", [
        ("10 billion in one job", hours(whole)),
        ("10 billion in ten jobs", hours(jobs)),
        ("1 billion in one job", hours(tenth)),
    ])
    figure("where", "10 billion annotations in one job: where the time goes", "hours", [
        ("all", hours(whole)),
        ("partitions", hours(whole, lambda it: it["seconds"] - it["plan_seconds"] - it["seal_seconds"])),
        ("seal", hours(whole, lambda it: it["seal_seconds"])),
        ("plan", hours(whole, lambda it: it["plan_seconds"])),
    ])


if __name__ == "__main__":
    main()
