r"""Text as it may be shown: what cannot be printed, or hides and reorders its neighbours, is written out.

An id may hold escape sequences of terminals, marks that turn the writing direction, characters without
width, halves of surrogate pairs. `printable` is applied where text leaves for people: the terminal, a page,
a plot, an error. Data files keep the ids as they are. A text that passes two such borders is escaped once,
since everything in the answer can be printed.
"""

import json
import re
import unicodedata

_SUSPECT = re.compile(r"[^\x20-\x7e]")
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})  # Unicode's categories
# Persian and Indic words and families of emoji need these two, between characters that are not Latin.
_JOINERS = re.compile("(?<=[^\x00-\u024f\u2000-\u206f])[\u200c\u200d](?=[^\x00-\u024f\u2000-\u206f])")


def printable(text: str, keep: str = "") -> str:
    r"""The text with what cannot be printed written as `\n`, `\x1b`, `\u202e` or `\U000e0001`.

    Args:
        text: Anything.
        keep: Characters that stay, such as the line feeds of a text of several lines.
    """
    if text.isprintable():
        return text
    joiners = {match.start() for match in _JOINERS.finditer(text)}

    def written(match: re.Match[str]) -> str:
        shown = match[0] in keep or match.start() in joiners or _can_be_shown(match[0])
        return match[0] if shown else repr(match[0])[1:-1]

    return _SUSPECT.sub(written, text)


def printable_json(value: object) -> str:
    """A value as indented JSON of printable characters alone, which is read back as the same value."""
    text = json.dumps(value, indent=1, ensure_ascii=False, default=str)

    def written(match: re.Match[str]) -> str:
        shown = match[0] == "\n" or _can_be_shown(match[0])
        # JSON itself escapes all but this one of ASCII.
        return match[0] if shown else json.dumps(match[0])[1:-1].replace("\x7f", "\\u007f")

    return _SUSPECT.sub(written, text)


def _can_be_shown(character: str) -> bool:
    return unicodedata.category(character) not in _HIDDEN
