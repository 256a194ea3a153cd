"""The command line as Markdown, from the functions behind it."""

import enum
import inspect
import types
import typing
from collections.abc import Callable, Iterator

from typer.models import ArgumentInfo, OptionInfo

from docstrings import parsed
from intertask.cli import app
from options import MADE


def commands_page() -> str:
    """Every command with its arguments and options."""
    commands = [(str(told.name), told.callback) for told in app.registered_commands if told.callback]
    links = ", ".join(f"[`{name}`](#intertask-{name})" for name, _ in commands)
    head = (
        "# Commands\n\n"
        f"{links}.\n\n"
        "`--json` prints the result as JSON ([JSON outputs](json.md)) and nothing else to standard output.\n"
        "A user's mistake ends with exit code 2 and one line on standard error; an interrupt with 130.\n"
        "`intertask --install-completion` completes commands and options in your shell.\n"
    )
    return MADE + head + "".join(_command(name, function) for name, function in commands)


def undescribed() -> list[str]:
    """Arguments and options without help, or with brackets in it: a terminal takes them for colours."""
    return [
        f"{told.name} {name}"
        for told in app.registered_commands
        if told.callback
        for name, _, _, _, help in _parameters(told.callback)
        if not help or "[" in help
    ]


def _command(name: str, function: Callable[..., object]) -> str:
    told = parsed(function.__doc__)
    rows = list(_parameters(function))
    words = [flags for _, flags, is_argument, _, _ in rows if is_argument]
    usage = " ".join(["intertask", name, *words, *(["[OPTIONS]"] if len(words) < len(rows) else [])])
    lines = [f"\n## intertask {name}\n", "\n\n".join(filter(None, [told.summary, told.description])), ""]
    lines += ["```text", usage, "```", ""]
    if rows:
        lines += ["| | Meaning | Default |", "|---|---|---|"]
    for _, flags, _, default, help in rows:
        lines.append(f"| `{flags}` | {help} | {default} |".replace("|  |", "| |"))
    return "\n".join(lines) + "\n"


def _parameters(function: Callable[..., object]) -> Iterator[tuple[str, str, bool, str, str]]:
    """Name, what is typed, whether it is an argument, default, and help."""
    hints = typing.get_type_hints(function, include_extras=True)
    for name, part in inspect.signature(function).parameters.items():
        kind, *more = typing.get_args(hints[name]) or (hints[name],)
        info = next((one for one in more if isinstance(one, ArgumentInfo | OptionInfo)), None)
        default = part.default if part.default is not part.empty else None
        help = " ".join((info.help or "").split()).replace("|", "\\|") if info else ""
        if isinstance(info, ArgumentInfo):
            word = f"{name.upper()}{'...' if typing.get_origin(kind) is list else ''}"
            yield name, word if part.default is part.empty else f"[{word}]", True, "", help
        else:
            yield name, _flags(_names(info, name), kind), False, _default(default), help


def _names(info: OptionInfo | None, name: str) -> list[str]:
    """How an option is typed; in Annotated, what comes first in `Option(...)` is a name, not a default."""
    given = [info.default, *(info.param_decls or ())] if info else []
    named = [str(one) for one in given if isinstance(one, str) and one.startswith("-")]
    return named or [f"--{name.replace('_', '-')}"]


def _flags(flags: list[str], kind: object) -> str:
    joined = ", ".join(flags)
    value = _value(kind)
    if value or "/" in joined:
        return f"{joined} {value}".strip()
    return joined


def _value(kind: object) -> str:
    parts = [part for part in typing.get_args(kind) if part is not types.NoneType]
    if parts:
        return _value(parts[0])
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return "/".join(str(one.value) for one in kind)
    return (
        ""
        if kind is bool
        else getattr(kind, "__name__", "value").upper().replace("STR", "TEXT").replace("INT", "NUMBER")
    )


def _default(value: object) -> str:
    if value is None or value is False or value == "":
        return ""
    return f"`{getattr(value, 'value', value)}`"
