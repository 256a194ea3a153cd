"""The options of a recipe as Markdown, from the classes that read it."""

import types
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path

import annotated_types
from pydantic.fields import FieldInfo

from docstrings import arguments_of, parsed
from intertask.data.catalogue import Catalogue
from intertask.data.event_log import EventLog
from intertask.data.rows import Rows
from intertask.data.series import SeriesFile
from intertask.evaluate.config import EvaluationConfig
from intertask.events.splits import LeaveOneOut, TimeSplit, UserSplit
from intertask.options.config import Config, config_class, kinds
from intertask.recipe import Recipe, StreamConfig
from intertask.recipe.data_section import CatalogueFile, DataConfig, EventsFile, RowsFile
from intertask.samples.splits import Folds, GroupsOut, Official, RowsSplit, WalkForward
from intertask.train.config import TrainConfig

MADE = "<!-- Made by docs/programs/write.py from the source; edit the docstrings there. -->\n\n"
MANY = 6  # parts of a default that are shown
DATA: dict[str, type[Config]] = {
    "[data]": DataConfig,
    "[data.events]": EventsFile,
    "[data.catalogue]": CatalogueFile,
    "[data.rows]": RowsFile,
    "[data.series]": SeriesFile,
    '[split] kind = "leave_one_out"': LeaveOneOut,
    '[split] kind = "time"': TimeSplit,
    '[split] kind = "users"': UserSplit,
    '[split] kind = "official"': Official,
    '[split] kind = "rows"': RowsSplit,
    '[split] kind = "folds"': Folds,
    '[split] kind = "groups_out"': GroupsOut,
    '[split] kind = "walk_forward"': WalkForward,
}
SECTIONS: dict[str, type[Config]] = {
    "[train]": TrainConfig,
    "[evaluation]": EvaluationConfig,
    "[streams.NAME]": StreamConfig,
}
# Options that are explained where the same thing can be called.
ELSEWHERE: dict[type[Config], typing.Callable[..., object]] = {
    EventsFile: EventLog.read,
    CatalogueFile: Catalogue.read,
    RowsFile: Rows.read,
}
ALREADY: dict[type[Config], dict[str, str]] = {
    EventsFile: {"path": "The log: a file, from the recipe's folder on."},
    CatalogueFile: {"path": "The catalogue: a file, from the recipe's folder on."},
    RowsFile: {"path": "The rows: a file, from the recipe's folder on."},
}
INPUTS = {"inputs": ("[input]", "How events, rows, pictures or recordings become sequences of vectors.")}
FOLDERS = {
    "items": ("[items]", "How an item becomes a vector, which the input and all rankings read."),
    "encoders": ("[encoder]", "How a sequence of vectors becomes a sequence of states."),
    "communication": ("[communication]", "How the tasks exchange what they know, at each event."),
}
QUESTIONS = {
    "tasks": ("[tasks.NAME]", "What is asked: the target, the head and the loss of one task."),
    "losses": ("[tasks.NAME.loss]", "How a `next_item` task learns from the whole catalogue."),
    "balance": ("[balance]", "How the losses of several tasks become one."),
}
DATASETS = {
    "datasets": ("[data.dataset]", 'Known data sets. `dataset = "NAME"` takes the defaults.'),
}
BASELINES = {
    "sources": ("[evaluation.baselines.NAME]", "What a model of a log is compared with."),
    "rankers": ("[ranker]", "What mixes the scores of the tasks with those of sources that count."),
    "references": ("[evaluation.references.NAME]", "What a model of rows is compared with."),
}


RECIPE_HEAD = """\
# Options of a recipe

A recipe is one TOML file. Every option has a default, except the path of a log. An unknown option is
refused, with its section and a suggestion. `recipe.json` in the folder of a run holds the whole recipe,
defaults included.

`[data]` and `[split]` are on the page [Data and splits](data.md), `[input]` on [Inputs](inputs.md),
`[encoder]` and `[communication]` on [Parts of a model](model.md), `[tasks.NAME]` and `[balance]` on
[Tasks, losses and balance](tasks.md), known data sets on [Data sets](datasets.md), baselines and rankers on
[Baselines and rankers](baselines.md).
"""


def recipe_page() -> str:
    """The sections of a recipe."""
    parts = [
        MADE,
        RECIPE_HEAD,
        _section("At the top", Recipe, only=("name", "seed", "width", "max_length")),
        *(_section(f"`{title}`", kind) for title, kind in SECTIONS.items()),
    ]
    return "".join(parts)


def data_page() -> str:
    """Where data come from, and which of them train."""
    head = "# Data and splits\n\nA recipe says where its data come from, and which of them train.\n"
    return MADE + head + "".join(_section(f"`{title}`", kind) for title, kind in DATA.items())


def model_page() -> str:
    """The parts of a model, kind by kind."""
    head = (
        "# Parts of a model\n\n"
        "Each kind is one file in the folder of that name; `intertask list` names them.\n"
        'A section may be the kind alone, such as `encoder = "gru"`.\n'
    )
    return MADE + head + "".join(_folder(name, *told) for name, told in FOLDERS.items())


def inputs_page() -> str:
    """The inputs, kind by kind."""
    head = (
        "# Inputs\n\n"
        "`intertask list inputs` names the kinds. A section may be the kind alone, such as "
        '`input = "table"`.\n'
    )
    return MADE + head + "".join(_folder(name, *told) for name, told in INPUTS.items())


def tasks_page() -> str:
    """Tasks, their losses, and how losses become one."""
    head = "# Tasks, losses and balance\n\n`intertask list tasks` names the kinds.\n"
    return MADE + head + "".join(_folder(name, *told) for name, told in QUESTIONS.items())


def datasets_page() -> str:
    """Known data sets."""
    head = "# Data sets\n\n`intertask list datasets` names them.\n"
    return MADE + head + "".join(_folder(name, *told) for name, told in DATASETS.items())


def baselines_page() -> str:
    """What a model is compared with, and what mixes its scores with others."""
    head = (
        "# Baselines and rankers\n\n"
        "`intertask list sources`, `intertask list rankers` and `intertask list references` name them.\n"
    )
    return MADE + head + "".join(_folder(name, *told) for name, told in BASELINES.items())


def undescribed() -> list[str]:
    """Options without a word about them."""
    own = DATA | SECTIONS | {"top": Recipe}
    others = {
        f"{folder}/{kind}": config_class(folder, kind, folder)
        for folder in (*INPUTS, *FOLDERS, *QUESTIONS, *DATASETS, *BASELINES)
        for kind in kinds(folder)
    }
    return [
        f"{place} {name}"
        for place, kind in (own | others).items()
        for name, _, _, told in _rows(kind)
        if not told and not (place == "top" and name not in ("name", "seed", "width", "max_length"))
    ]


def _folder(folder: str, section: str, told: str) -> str:
    parts = [f"\n## `{section}`\n\n{told}\n"]
    for kind in kinds(folder):
        config = config_class(folder, kind, folder)
        words = _words(folder, kind, config)
        parts.append(f"\n### `{kind}`\n\n{words}\n{_table(config)}")
    return "".join(parts)


def _words(folder: str, kind: str, config: type[Config]) -> str:
    """What a kind is: of a plugin its file says it best, of a data set its class."""
    module = parsed(__import__(config.__module__, fromlist=["_"]).__doc__)
    own = parsed(config.__doc__)
    words = [own.summary, own.description] if folder == "datasets" else [module.summary, module.description]
    return "\n\n".join(filter(None, words)) + "\n"


def _section(title: str, kind: type[Config], only: tuple[str, ...] = ()) -> str:
    own = parsed(kind.__doc__)
    words = "" if kind is Recipe else "\n\n".join(filter(None, [own.summary, own.description])) + "\n\n"
    return f"\n## {title}\n\n{words}{_table(kind, only).lstrip()}"


def _table(kind: type[Config], only: tuple[str, ...] = ()) -> str:
    rows = [row for row in _rows(kind) if not only or row[0] in only]
    if not rows:
        return ""
    lines = ["", "| Option | Meaning | Value | Default |", "|---|---|---|---|"]
    lines += [f"| `{name}` | {told} | {value} | {default} |" for name, value, default, told in rows]
    return "\n".join(lines) + "\n"


def _rows(kind: type[Config]) -> Iterator[tuple[str, str, str, str]]:
    told = dict(arguments_of(kind))
    if kind in ELSEWHERE:
        told = dict(parsed(ELSEWHERE[kind].__doc__).arguments()) | told | ALREADY[kind]
    for name, field in kind.model_fields.items():
        if name == "kind" or field.json_schema_extra:
            continue
        yield name, value_of(field.annotation, field.metadata), _default(field), _cell(told.get(name, ""))


def _default(field: FieldInfo) -> str:  # noqa: PLR0911 (one form of value a line)
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None or value in ((), {}):
        return ""
    if isinstance(value, Mapping):
        return ", ".join(f"`{name}`" for name in value)
    if isinstance(value, Config):
        return f"`{getattr(value, 'kind', '')}`" if hasattr(value, "kind") else ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        shown = [_toml(part) for part in value[:MANY]] + (["…"] if len(value) > MANY else [])
        return f"`[{', '.join(shown)}]`"
    return f"`{_toml(value)}`"


def _toml(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else f"{value}"


def value_of(annotation: object, metadata: typing.Sequence[object] = ()) -> str:  # noqa: PLR0911 (likewise)
    """What a value may be, in words."""
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return value_of(parts[0], parts[1:])
    if origin in (typing.Union, types.UnionType):
        return " or ".join(
            dict.fromkeys(value_of(part, metadata) for part in parts if part is not type(None))
        )
    if origin is typing.Literal:
        return ", ".join(f"`{_toml(part)}`" for part in parts)
    if origin is tuple:
        return f"list: {value_of(parts[0])}"
    if origin is dict:
        return "tables"
    if isinstance(annotation, type) and issubclass(annotation, Config):
        return "table"
    simple: dict[object, str] = {
        bool: "`true`, `false`",
        str: "text",
        Path: "path",
        int: "whole number",
        float: "number",
    }
    return simple.get(annotation, "value") + _bounds(metadata)


def _bounds(metadata: typing.Sequence[object]) -> str:
    words = []
    for part in metadata:
        if isinstance(part, annotated_types.Ge):
            words.append(f"{_number(part.ge)} or more")
        elif isinstance(part, annotated_types.Gt):
            words.append(f"above {_number(part.gt)}")
        elif isinstance(part, annotated_types.Le):
            words.append(f"at most {_number(part.le)}")
        elif isinstance(part, annotated_types.Lt):
            words.append(f"below {_number(part.lt)}")
    return f", {', '.join(words)}" if words else ""


def _number(bound: object) -> str:
    if isinstance(bound, int) and bound == 2**63:
        return "2^63"
    return f"{bound:,}" if isinstance(bound, int) else f"{bound}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
