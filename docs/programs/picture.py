"""The picture of the concepts: how a log becomes lists, drawn narrow enough for a phone."""

from html import escape

WIDTH = 400
INK, LINE, FILL, STRONG, LIGHT = "#24292f", "#8c959f", "#f6f8fa", "#0a5fb4", "#dbeafe"


def picture() -> str:
    """The picture as SVG."""
    parts = [
        *_box(20, 14, 360, 62, "event log", "who did what with which item, and when"),
        _events(96),
        *_arrow(200, 126, 144),
        *_box(20, 144, 360, 46, "input", "each event becomes a vector"),
        *_arrow(200, 190, 208),
        *_box(20, 208, 360, 46, "encoder", "the sequence up to an event becomes a state"),
        *_arrow(200, 254, 272),
        *_box(20, 272, 360, 46, "communication", "one state for each task; tasks exchange them", strong=True),
        *(part for x in (72, 200, 328) for part in _arrow(x, 318, 338)),
        *_box(20, 338, 104, 64, "task: next", "next item", small=True),
        *_box(148, 338, 104, 64, "task: buy", "next purchase", small=True),
        *_box(276, 338, 104, 64, "task: liked", "yes or no", small=True),
        *(part for x in (72, 200, 328) for part in _arrow(x, 402, 422)),
        *_box(20, 422, 360, 62, "answers", "ranked items, probabilities, or one list by an objective"),
    ]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} 498" width="{WIDTH}" height="498" '
        'role="img" font-family="system-ui, sans-serif">'
    )
    title = "<title>An event log passes through input, encoder and communication to several tasks</title>"
    back = f'<rect width="{WIDTH}" height="498" rx="6" fill="#ffffff"/>'
    return "\n".join([head, title, back, *parts, "</svg>"]) + "\n"


def _box(
    x: int,
    y: int,
    width: int,
    height: int,
    name: str,
    words: str,
    *,
    strong: bool = False,
    small: bool = False,
) -> list[str]:
    fill, stroke = (LIGHT, STRONG) if strong else (FILL, LINE)
    middle = x + width / 2
    size = 13 if small else 15
    return [
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="8" fill="{fill}" stroke="{stroke}"/>',
        _text(middle, y + 20, name, size, "bold"),
        _text(middle, y + 38, words, 12),
    ]


def _events(y: int) -> str:
    """A history as a row of events."""
    names = ("view", "view", "cart", "buy", "?")
    parts = []
    for place, name in enumerate(names):
        x = 28 + 72 * place
        dashed = ' stroke-dasharray="4 3"' if name == "?" else ""
        parts.append(
            f'<rect x="{x}" y="{y - 12}" width="56" height="28" rx="14" fill="#ffffff" '
            f'stroke="{LINE}"{dashed}/>'
        )
        parts.append(_text(x + 28, y + 6, name, 13))
    return "\n".join(parts)


def _arrow(x: int, top: int, bottom: int) -> list[str]:
    return [
        f'<line x1="{x}" y1="{top}" x2="{x}" y2="{bottom - 6}" stroke="{LINE}" stroke-width="1.5"/>',
        f'<path d="M{x - 4} {bottom - 8} L{x} {bottom - 1} L{x + 4} {bottom - 8} Z" fill="{LINE}"/>',
    ]


def _text(x: float, y: float, words: str, size: int, weight: str = "normal") -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size}" font-weight="{weight}" text-anchor="middle" '
        f'fill="{INK}">'
        f"{escape(words)}</text>"
    )
