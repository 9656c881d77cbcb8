# SPDX-License-Identifier: GPL-2.0
"""Plots as SVG, for report and connect.  Python's standard library only."""
import math

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 420, 290, 56, 10, 12, 64
TITLE = 26              # height of a title above a plot


def nice_step(top):
    step = 1
    while top / step > 6:
        step *= 2 if str(step)[0] == "1" else 2.5 if str(step)[0] == "2" else 2
    return int(step)


def decades(low, high):
    """Powers of ten: from the last one not above @low up to @high."""
    return [10 ** e for e in range(math.floor(math.log10(low)), math.floor(math.log10(high)) + 1)]


def short(v):
    return f"{v // 1000000} M" if v >= 1000000 else f"{v // 1000} k" if v >= 10000 else v


def plot(points, style, *, tip, names, log=False, caption=""):
    """An SVG of {name: [(x, y, lowest y, highest y)]}, a line for each name.

    @style: {name: (colour, dash)}
    @tip: what a point says when pointed at, with {name}, {x}, {y}
    @names: {name: text in the legend}
    @log: logarithmic y; all y above 0
    @caption: below the x axis; there is room for it if the legend has one row
    """
    xs = sorted({x for g in points.values() for x, *_ in g})
    top = max(p[3] for g in points.values() for p in g) * (1.5 if log else 1.05) or 1
    ticks = range(0, int(top) + 1, nice_step(top))
    if log:
        ticks = decades(min(p[2] for g in points.values() for p in g), top)

    def at_x(v):
        span = xs[-1] - xs[0] or 1
        return LEFT + (WIDTH - LEFT - RIGHT) * ((v - xs[0]) / span if len(xs) > 1 else .5)

    def at_y(v):
        part = math.log(v / ticks[0]) / math.log(top / ticks[0]) if log else v / top
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * part

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
           ' font-family="system-ui, sans-serif" font-size="12">']
    for v in ticks:
        out.append(f'<path d="M{LEFT} {at_y(v):.1f}H{WIDTH - RIGHT}" stroke="#8888"'
                   f' stroke-width=".5"/><text x="{LEFT - 6}" y="{at_y(v) + 4:.1f}"'
                   f' text-anchor="end" fill="#777">{short(v)}</text>')
    last = -100
    for v in xs:
        if at_x(v) - last > 22:
            last = at_x(v)
            out.append(f'<text x="{at_x(v):.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle"'
                       f' fill="#777">{v}</text>')
    for n, line in points.items():
        colour, dash = style[n]
        path = "M" + "L".join(f"{at_x(x):.1f} {at_y(y):.1f}" for x, y, *_ in line)
        out.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"'
                   f' stroke-dasharray="{dash}"/>')
        for x, y, low, high in line:
            out.append(f'<path d="M{at_x(x):.1f} {at_y(low):.1f}V{at_y(high):.1f}"'
                       f' stroke="{colour}"/>'
                       f'<circle cx="{at_x(x):.1f}" cy="{at_y(y):.1f}" r="2.5" fill="{colour}">'
                       f'<title>{tip.format(name=n, x=x, y=y)}</title></circle>')
    for i, n in enumerate(points):
        colour, dash = style[n]
        lx, ly = LEFT + i % 3 * 120 - 40, HEIGHT - 26 + i // 3 * 18
        out.append(f'<path d="M{lx} {ly - 4}h20" stroke="{colour}" stroke-width="2"'
                   f' stroke-dasharray="{dash}"/><text x="{lx + 25}" y="{ly}" fill="#777">'
                   f'{names[n]}</text>')
    if caption:
        out.append(f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 6}" text-anchor="end" fill="#777">'
                   f'{caption}</text>')
    return "\n".join(out) + "\n</svg>\n"


def row(plots, comment):
    """One SVG of [(title, plot)], side by side, with a comment in its source."""
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH * len(plots)}'
           f' {HEIGHT + TITLE}" font-family="system-ui, sans-serif" font-size="14">',
           f"<!-- {comment} -->"]
    for i, (title, svg) in enumerate(plots):
        place = f'<svg x="{WIDTH * i}" y="{TITLE}" width="{WIDTH}" height="{HEIGHT}"'
        out.append(f'<text x="{WIDTH * i + 16}" y="18" fill="#777" font-weight="600">{title}</text>')
        out.append(svg.rstrip().replace('<svg xmlns="http://www.w3.org/2000/svg"', place, 1))
    return "\n".join(out) + "\n</svg>\n"
