"""Google docstrings, taken apart: what the pages of the reference are made of."""

import inspect
import re
from dataclasses import dataclass, field

_SECTION = re.compile(
    r"^(Args|Attributes|Returns|Raises|Source|Example|Examples|Shapes|Relations|Yields):\s*(.*)$"
)
_ENTRY = re.compile(r"^(\w+): (.*)$")


@dataclass(frozen=True)
class Docstring:
    """A docstring in parts.

    Args:
        summary: The first paragraph.
        description: The paragraphs between it and the first section.
        entries: Of "Args" and "Raises", the text for each name.
        sections: Of the other sections, the text.
    """

    summary: str = ""
    description: str = ""
    entries: dict[str, dict[str, str]] = field(default_factory=dict)
    sections: dict[str, str] = field(default_factory=dict)

    def arguments(self) -> dict[str, str]:
        """The text for each argument."""
        return self.entries.get("Args", {})


def parsed(text: str | None) -> Docstring:
    """The parts of a docstring."""
    lines = inspect.cleandoc(text or "").splitlines()
    blocks: dict[str, list[str]] = {"": []}
    current = ""
    for line in lines:
        if found := _SECTION.match(line):
            current = found[1]
            blocks[current] = [found[2]] if found[2] else []
        else:
            blocks[current].append(line)
    free = [_flowing(part) for part in "\n".join(blocks.pop("")).split("\n\n") if part.strip()]
    return Docstring(
        summary=free[0] if free else "",
        description="\n\n".join(free[1:]),
        entries={name: _entries(blocks.pop(name)) for name in ("Args", "Raises") if name in blocks},
        sections={name: inspect.cleandoc("\n".join(own)) for name, own in blocks.items()},
    )


def arguments_of(kind: type) -> dict[str, str]:
    """The text for each argument of a class, with those of the classes that it extends."""
    found: dict[str, str] = {}
    for parent in reversed(kind.__mro__):
        found |= parsed(parent.__dict__.get("__doc__")).arguments()
    return found


def _entries(lines: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    name = ""
    for line in inspect.cleandoc("\n".join(lines)).splitlines():
        if entry := _ENTRY.match(line):
            name = entry[1]
            found[name] = entry[2]
        elif name:
            found[name] += " " + line.strip()
    return {key: text.strip() for key, text in found.items()}


def _flowing(paragraph: str) -> str:
    return " ".join(line.strip() for line in paragraph.splitlines())
