"""A bar for each ratio, as SVG."""
from xml.sax.saxutils import escape

BAR, GAP, LEFT, WIDTH = 14, 6, 600, 400


def svg_of(rows):
    """One bar for each record that has a ratio; the line is where ours and the peer take the same."""
    shown = [record for record in rows if record["ratio"] is not None]
    largest = max([1.2, *(record["ratio"] for record in shown)])
    height = len(shown) * (BAR + GAP) + 40
    scale = WIDTH / largest
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 80}" height="{height}" '
             'font-family="sans-serif" font-size="11">',
             f'<text x="{LEFT}" y="14">ours / peer (shorter is better)</text>']
    for number, record in enumerate(shown):
        y = 24 + number * (BAR + GAP)
        length = record["ratio"] * scale
        colour = {True: "#2a7", False: "#c43", None: "#789"}[record["met"]]
        parts += [f'<text x="{LEFT - 8}" y="{y + BAR - 3}" text-anchor="end">'
                  f'{escape(record["case"])} / {escape(record["peer"])}</text>',
                  f'<rect x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR}" fill="{colour}"/>',
                  f'<text x="{LEFT + length + 4:.1f}" y="{y + BAR - 3}">{record["ratio"]:.2f}</text>']
    x = LEFT + scale
    parts += [f'<line x1="{x:.1f}" y1="20" x2="{x:.1f}" y2="{height - 10}" stroke="#333"/>', "</svg>"]
    return "\n".join(parts) + "\n"
