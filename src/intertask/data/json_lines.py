"""The exact way through a damaged JSONL file; what it leaves is a file that Polars reads."""

import json
import math
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path

from intertask.data.lines import Account, Lines, Mended, strange
from intertask.data.scratch import Scratch

NO_JSON, NO_OBJECT = "no JSON", "no JSON object"
_LARGEST = 10**38  # of the whole numbers that Polars can hold


def mend_jsonl(path: Path) -> Mended:
    """A JSONL file without the lines that hold no object, or a value of another form than most others.

    NaN, which Python writes and JSON does not know, becomes null. Blank lines are no rows.

    Args:
        path: In UTF-8, not packed.
    """
    forms: defaultdict[str, Counter[str]] = defaultdict(Counter)
    mended = _mended(path, forms, None)
    if all(len(counts) == 1 for counts in forms.values()):
        return mended
    return _mended(path, forms, {name: counts.most_common(1)[0][0] for name, counts in forms.items()})


def _mended(path: Path, forms: defaultdict[str, Counter[str]], usual: Mapping[str, str] | None) -> Mended:
    """What is left; counts the forms of the values, and refuses those that are not the usual ones."""
    account, out = Account(), Scratch()
    with path.open("rb") as file:
        lines = Lines(file)
        while (content := lines.next()) is not None:
            if not content.strip():
                continue
            account.row += 1
            value, wrong = _object(content)
            for name, part in value.items():
                if part is not None:
                    form = _form(part)
                    if usual is None:
                        forms[name][form] += 1
                    elif form != usual[name]:
                        wrong = f"{name} is {form}"
            if wrong is not None:
                account.refuse(lines.number, wrong, content)
                continue
            # As it stands, unless Polars would stumble over NaN.
            text = json.dumps(_without_nan(value)).encode() if b"NaN" in content else content
            out.file.write(text + b"\n")
    return account.mended(out)


def _form(value: object) -> str:
    if isinstance(value, list):
        return "a list"
    return "an object" if isinstance(value, dict) else "a plain value"


def _object(content: bytes) -> tuple[dict[str, object], str | None]:
    """The object in a line, or what is wrong with the line."""
    wrong = strange(content)
    if wrong is not None:
        return {}, wrong
    try:
        value = _DECODER.decode(content.decode())
        if not isinstance(value, dict):
            return {}, NO_OBJECT
        if _fits(value):
            return value, None
    except (ValueError, RecursionError):
        pass
    return {}, NO_JSON


def _fits(value: object) -> bool:
    """Whether Polars can hold all numbers."""
    if isinstance(value, dict):
        return all(isinstance(part, str) or _fits(part) for part in value.values())
    if isinstance(value, list):
        return all(_fits(part) for part in value)
    if isinstance(value, float):
        return not math.isinf(value)
    return not isinstance(value, int) or abs(value) < _LARGEST


def _constant(name: str) -> float:
    if name == "NaN":
        return math.nan
    raise ValueError(name)


_DECODER = json.JSONDecoder(parse_constant=_constant)


def _without_nan(value: object) -> object:
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, dict):
        return {name: _without_nan(part) for name, part in value.items()}
    return [_without_nan(part) for part in value] if isinstance(value, list) else value
