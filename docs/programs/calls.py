"""What `import intertask` offers, as Markdown, from signatures and docstrings."""

import inspect
import re
from collections.abc import Callable, Iterator, Sequence

import intertask
from docstrings import Docstring, parsed
from intertask.answering.door import Door
from options import MADE

WIDEST = 70  # characters of arguments in one line
HIDDEN = {
    "model_post_init",
    "with_targets",
    "roles",
    "from_roles",
    "rows",
    "text_of",
    "tags_of",
    "trained",
    "model_config",
    "shaping",
    "views",
    "all_tasks",
    "from_json",
    "to_json",
    "reads_rows",
    "split_events",
    "split_rows",
    "take",
    "of",
    "role",
    "digest",
    "whole",
    "table",
    "of_table",
}
OF_ROWS = ("Predictor", "Rows", "People", "load")  # on a page of their own
OF_RUNS = ("Evaluation", "compare", "train_recipe", "transfer")  # so are these


def python_page() -> str:
    """Every public name but those of rows and of runs."""
    apart = (*OF_ROWS, *OF_RUNS)
    names = [name for name in intertask.__all__ if not name.startswith("_") and name not in apart]
    head = (
        f"# Python\n\n`import intertask as it` offers {_links(names)}, and for "
        "[rows of a table](python_rows.md) and [runs](python_runs.md) a few more. Other modules may change "
        "without notice.\n"
    )
    return MADE + head + "".join(_entry(name, getattr(intertask, name)) for name in names)


def rows_page() -> str:
    """What is there for rows of a table."""
    head = f"# Python: rows of a table\n\n`import intertask as it` offers {_links(OF_ROWS)}.\n"
    return MADE + head + "".join(_entry(name, getattr(intertask, name)) for name in OF_ROWS)


def runs_page() -> str:
    """What trains from a recipe, measures and compares."""
    head = f"# Python: runs and what they found\n\n`import intertask as it` offers {_links(OF_RUNS)}.\n"
    return MADE + head + "".join(_entry(name, getattr(intertask, name)) for name in OF_RUNS)


def _links(names: Sequence[str]) -> str:
    return ", ".join(f"[`{name}`](#{name.lower()})" for name in names)


def _entry(name: str, thing: object) -> str:
    told = parsed(thing.__doc__)
    parts = [f"\n## {name}\n"]
    if inspect.isfunction(thing):
        parts.append(_call(f"it.{name}", thing))
        return "".join(parts)
    parts.append(_body(told))
    if isinstance(thing, type):
        parts += [_member(name, key, member) for key, member in _members(thing)]
    return "".join(parts)


def _members(kind: type) -> Iterator[tuple[str, object]]:
    inherited = [part for part in kind.__mro__[1:] if issubclass(part, Door)]
    named = {key: member for part in (*inherited, kind) for key, member in vars(part).items()}
    for key, member in named.items():
        raw = getattr(member, "__func__", member)
        if key.startswith("_") or key in HIDDEN or not getattr(raw, "__doc__", None):
            continue
        if isinstance(member, property) or inspect.isfunction(raw):
            yield key, member


def _member(owner: str, key: str, member: object) -> str:
    if isinstance(member, property):
        return f"\n### {owner}.{key}\n{_body(parsed(member.__doc__))}"
    raw = getattr(member, "__func__", member)
    assert inspect.isfunction(raw)
    return f"\n### {owner}.{key}\n{_call(f'{owner}.{key}', raw)}"


def _call(name: str, function: Callable[..., object]) -> str:
    signature = inspect.signature(function)
    words = [part for part in signature.parameters.values() if part.name not in ("self", "cls")]
    shown = ", ".join(_parameters(words))
    if len(shown) > WIDEST:
        shown = "".join(f"\n    {word}," for word in _parameters(words)) + "\n"
    return f"\n```text\n{name}({shown})\n```\n{_body(parsed(function.__doc__))}"


def _parameters(words: list[inspect.Parameter]) -> Iterator[str]:
    starred = False
    for part in words:
        if part.kind is part.KEYWORD_ONLY and not starred:
            starred = True
            yield "*"
        default = repr(part.default)
        shown = default if len(default) <= WIDEST else "(...)"
        yield part.name if part.default is part.empty else f"{part.name}={shown}"


def _body(told: Docstring) -> str:
    parts = [told.summary, told.description]
    for title, entries in told.entries.items():
        rows = "\n".join(f"| `{name}` | {_cell(text)} |" for name, text in entries.items())
        heads = {"Args": "Argument", "Raises": "Error"}
        parts.append(f"| {heads[title]} | |\n|---|---|\n{rows}")
    if returns := told.sections.get("Returns"):
        parts.append(f"Returns: {_flat(returns)}")
    if example := told.sections.get("Example"):
        parts.append(f"```text\n{example}\n```")
    return "\n" + "\n\n".join(filter(None, parts)) + "\n"


def _flat(text: str) -> str:
    return re.sub(r"\s*\n\s*", " ", text)


def _cell(text: str) -> str:
    return _flat(text).replace("|", "\\|")
