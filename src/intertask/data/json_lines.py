"""The exact way through a damaged JSONL file; what it leaves is a file that Polars reads."""

import json
import math
from collections import Counter, defaultdict
from pathlib import Path

from intertask.data.lines import Account, Lines, Mended, strange
from intertask.data.scratch import Scratch

NO_JSON, NO_OBJECT = "no JSON", "no JSON object"
_MOST_DIGITS = 38  # of a whole number that Polars can hold


def mend_jsonl(path: Path) -> Mended:
    """A JSONL file without the lines that hold no object, or a value of another form than most others.

    NaN, which Python writes and JSON does not know, becomes null. Blank lines are no rows.

    Args:
        path: In UTF-8, not packed.
    """
    usual = _usual(path)
    account, out = Account(), Scratch()
    with path.open("rb") as file:
        lines = Lines(file)
        while (content := lines.next()) is not None:
            if not content.strip():
                continue
            account.row += 1
            value, wrong = _object(content)
            if wrong is None:
                wrong = next(
                    (
                        f"{name} is {_form(part)}"
                        for name, part in value.items()
                        if part is not None and _form(part) != usual.get(name)
                    ),
                    None,
                )
            if wrong is not None:
                account.refuse(lines.number, wrong, content)
                continue
            # As it stands, unless Polars would stumble over NaN.
            text = json.dumps(_without_nan(value)).encode() if b"NaN" in content else content
            out.file.write(text + b"\n")
    return account.mended(out)


def _usual(path: Path) -> dict[str, str]:
    """The form that most values of each name have."""
    forms: defaultdict[str, Counter[str]] = defaultdict(Counter)
    with path.open("rb") as file:
        lines = Lines(file)
        while (content := lines.next()) is not None:
            for name, part in _object(content)[0].items():
                if part is not None:
                    forms[name][_form(part)] += 1
    return {name: counts.most_common(1)[0][0] for name, counts in forms.items()}


def _form(value: object) -> str:
    return (
        "a list" if isinstance(value, list) else "an object" if isinstance(value, dict) else "a plain value"
    )


def _object(content: bytes) -> tuple[dict[str, object], str | None]:
    """The object in a line, or what is wrong with the line."""
    wrong = strange(content)
    if wrong is not None:
        return {}, wrong
    try:
        value = json.loads(content, parse_float=_finite, parse_int=_whole, parse_constant=_constant)
    except (ValueError, RecursionError):
        return {}, NO_JSON
    return (value, None) if isinstance(value, dict) else ({}, NO_OBJECT)


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(text)
    return number


def _whole(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise ValueError(text)
    return int(text)


def _constant(name: str) -> float:
    if name == "NaN":
        return math.nan
    raise ValueError(name)


def _without_nan(value: object) -> object:
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, dict):
        return {name: _without_nan(part) for name, part in value.items()}
    return [_without_nan(part) for part in value] if isinstance(value, list) else value
