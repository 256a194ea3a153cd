"""Plots that a phone can show: rows of a label and a bar, or a dot with its interval, as small SVG files."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, LABELS, ROW, RIGHT = 400, 140, 22, 12
INK, FAINT, PLAIN, STRONG = "#24292f", "#8c959f", "#7d8590", "#0a5fb4"


@dataclass(frozen=True)
class Mark:
    """One row.

    Args:
        label: What it is.
        value: Where the bar ends, or the dot stands.
        words: The figure as it is written.
        interval: Its 95 % interval, drawn as a line.
        strong: Whether it is what the verdict is about.
        heading: A line of its own above the row.
    """

    label: str
    value: float
    words: str
    interval: tuple[float, float] | None = None
    strong: bool = False
    heading: str = ""


def plot(title: str, axis: str, marks: Sequence[Mark], *, bars: bool) -> str:
    """A plot as SVG.

    Args:
        title: What is shown; read out to who cannot see it.
        axis: What a value is.
        marks: Rows from top to bottom.
        bars: Bars from zero instead of dots.
    """
    lows = [min([mark.value, *(mark.interval or ())]) for mark in marks] if marks else [0.0]
    highs = [max([mark.value, *(mark.interval or ())]) for mark in marks] if marks else [1.0]
    low, high = min(0.0, *lows), max(0.0, *highs)
    room = WIDTH - LABELS - RIGHT - (52 if bars else 60)

    def place(value: float) -> float:
        return round(LABELS + room * (value - low) / ((high - low) or 1), 1)

    y, parts = 14, []
    for mark in marks:
        if mark.heading:
            y += 8
            parts.append(_text(8, y + 4, mark.heading, weight="bold"))
            y += ROW
        parts += _row(mark, y, place, bars=bars)
        y += ROW
    zero = place(0)
    bottom = y - 4
    grid = f'<line x1="{zero}" y1="6" x2="{zero}" y2="{bottom}" stroke="{FAINT}" stroke-width="1"/>'
    end = _text(LABELS, y + 12, axis, colour=INK, size=11)
    height = y + 22
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" role="img" font-family="system-ui, sans-serif">'
    )
    back = f'<rect width="{WIDTH}" height="{height}" rx="6" fill="#ffffff"/>'
    return "\n".join([head, f"<title>{escape(title)}</title>", back, grid, *parts, end, "</svg>"]) + "\n"


def _row(mark: Mark, y: int, place: Callable[[float], float], *, bars: bool) -> list[str]:
    colour = STRONG if mark.strong else PLAIN
    parts = [_text(LABELS - 8, y + 4, mark.label, anchor="end", weight="bold" if mark.strong else "")]
    at = place(mark.value)
    if bars:
        start = min(at, place(0))
        size = max(1.0, round(abs(at - place(0)), 1))
        parts.append(f'<rect x="{start}" y="{y - 6}" width="{size}" height="12" rx="2" fill="{colour}"/>')
        return [*parts, _text(max(at, place(0)) + 5, y + 4, mark.words, size=11)]
    if mark.interval is not None:
        left, right = (place(end) for end in mark.interval)
        parts.append(
            f'<line x1="{left}" y1="{y}" x2="{right}" y2="{y}" stroke="{colour}" stroke-width="2.5" '
            'stroke-linecap="round" stroke-opacity="0.55"/>'
        )
    parts.append(f'<circle cx="{at}" cy="{y}" r="4.5" fill="{colour}"/>')
    parts.append(_text(WIDTH - RIGHT, y + 4, mark.words, anchor="end", size=11))
    return parts


def _text(
    x: float,
    y: float,
    words: str,
    *,
    anchor: str = "start",
    size: int = 12,
    weight: str = "",
    colour: str = INK,
) -> str:
    bold = f' font-weight="{weight}"' if weight else ""
    return (
        f'<text x="{x}" y="{y}" font-size="{size}" text-anchor="{anchor}" fill="{colour}"{bold}>'
        f"{escape(words)}</text>"
    )
