"""Samples: rows of a table, each with its own labels. Reads files; knows nothing of arrays or models."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intertask.data import contents, row_roles, tables, times, values
from intertask.data.columns import MISSING, Column, Problem, account, raw_of, read_columns
from intertask.data.refusals import Refusals
from intertask.data.tables import Source, Table
from intertask.data.texts import TEXT, text
from intertask.errors import DataError, RecipeError
from intertask.options import arguments
from intertask.terminal.markup import card

# Further roles, by the name of the option; each is one column or none.
ROLES = ("group", "time", "part", "weight")
_INPUT, _LABEL = "input ", "label "  # before names in one frame: a column called "group" may be an input


@dataclass(frozen=True)
class Rows:
    """Rows in file order.

    Args:
        inputs: The columns that are read: categories as String, numbers as Float32, null where
            missing; files as their names and bytes (`contents.FILE`); texts as lists of one text or of
            its words (`data.texts`).
        labels: What is asked for, as String, or as a list of them where a row has several; null where it is
            not known.
        roles: Of these columns those that there are: `group` (String: rows that belong together, such as
            those of a person or a hospital), `time` (Datetime, naive UTC), `part` (String: "train",
            "validation" or "test", as whoever made the data said), `weight` (Float32: how much the row
            counts in training).
        report: Which rows of the source were refused, and why.
    """

    inputs: pl.DataFrame
    labels: pl.DataFrame
    roles: pl.DataFrame
    report: Refusals

    def __len__(self) -> int:
        return self.inputs.height

    @property
    def categories(self) -> tuple[str, ...]:
        """Names of the inputs that are categories."""
        return tuple(name for name, kind in self.inputs.schema.items() if kind == pl.String)

    @property
    def numbers(self) -> tuple[str, ...]:
        """Names of the inputs that are numbers."""
        return tuple(name for name, kind in self.inputs.schema.items() if kind == pl.Float32)

    @property
    def files(self) -> tuple[str, ...]:
        """Names of the inputs that are files, such as pictures or recordings."""
        return tuple(name for name, kind in self.inputs.schema.items() if kind == contents.FILE)

    @property
    def texts(self) -> tuple[str, ...]:
        """Names of the inputs that are texts."""
        return tuple(name for name, kind in self.inputs.schema.items() if kind == TEXT)

    def file(self, named: str | None, needed_by: str) -> str:
        """The name of the input that is files.

        Args:
            named: It, where a recipe says it.
            needed_by: Where.

        Raises:
            RecipeError: There is none, or there are several and none is named.
        """
        if named in self.files or (named is None and len(self.files) == 1):
            return named or self.files[0]
        known = ", ".join(map(repr, self.files)) or "none"
        hint = 'name it: column = "..."' if self.files else 'say files = ["..."] in [data.rows]'
        raise RecipeError(f"{needed_by} column", f"an input that is files: {known}", repr(named), hint)

    def role(self, name: str, needed_by: str) -> pl.Series:
        """The column of a role.

        Raises:
            DataError: There is none; says who needs it.
        """
        if name in self.roles.columns:
            return self.roles[name]
        raise DataError(needed_by, f"rows with a {name}", "rows without", f"name its column: {name} = ...")

    def take(self, places: pl.Series | NDArray[np.int64]) -> "Rows":
        """Some of the rows, in this order; the report stays that of all."""
        parts = (self.inputs, self.labels, self.roles)
        inputs, labels, roles = (part[places] if part.columns else part for part in parts)
        return Rows(inputs, labels, roles, self.report)

    def digest(self) -> str:
        """SHA-256 over everything but the report."""
        total = hashlib.sha256()
        for frame in (self.inputs, self.labels, self.roles):
            lists = [name for name, kind in frame.schema.items() if isinstance(kind, pl.List)]
            total.update(repr(frame.schema).encode())
            files = [name for name, kind in frame.schema.items() if kind == contents.FILE]
            for name in files:
                for content in frame[name].struct.field("content"):
                    total.update(hashlib.sha256(content).digest())
            if len(files) < frame.width or not files:
                told = frame.drop(files).with_columns(pl.col(lists).list.join("\0"))
                # Polars writes no frame that has rows and no column.
                total.update((told if told.width else pl.DataFrame()).write_csv().encode())
        return total.hexdigest()

    def whole(self) -> pl.DataFrame:
        """Everything but the report in one frame; `of` reads it back."""
        inputs, labels = (
            own.rename({name: before + name for name in own.columns})
            for before, own in ((_INPUT, self.inputs), (_LABEL, self.labels))
        )
        return pl.concat([inputs, labels, self.roles], how="horizontal")

    @classmethod
    def of(cls, frame: pl.DataFrame, where: str) -> "Rows":
        """The rows of a frame that `whole` made.

        Raises:
            DataError: It is another one.
        """
        known = {
            _INPUT: [pl.String(), pl.Float32(), contents.FILE, TEXT],
            _LABEL: [pl.String(), pl.List(pl.String)],
        }
        kinds = {"time": pl.Datetime("us"), "weight": pl.Float32()}
        for name, kind in frame.schema.items():
            before = name[: len(_INPUT)]
            fits = known.get(before, [kinds.get(name, pl.String())] if name in ROLES else [])
            if kind not in fits:
                raise DataError(where, "prepared rows", f"a column {name!r} of {kind}", "prepare them again")
        return _rows(frame, Refusals(where, frame.height, frame.height))

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        facts = [("rows", f"{len(self):,}"), ("labels", ", ".join(self.labels.columns) or "none")]
        facts += [("categories", ", ".join(self.categories) or "none")]
        facts += [("numbers", ", ".join(self.numbers) or "none")]
        further = (("files", self.files), ("texts", self.texts))
        facts += [(kind, ", ".join(names)) for kind, names in further if names]
        facts += [(name, f"{self.roles[name].n_unique():,} different") for name in self.roles.columns]
        return card("Rows", [*facts, ("read", self.report.summary())])

    @classmethod
    def read(
        cls,
        source: Source,
        *,
        labels: Sequence[str] = (),
        categories: Sequence[str] | None = None,
        numbers: Sequence[str] | None = None,
        files: Sequence[str] = (),
        texts: Sequence[str] = (),
        several: Sequence[str] = (),
        label_separator: str = "|",
        group: str | None = None,
        time: str | None = None,
        part: str | None = None,
        weight: str | None = None,
        time_format: str | None = None,
        missing: Sequence[str] = MISSING,
        separator: str | None = None,
        encoding: str | None = None,
        strict: bool = False,
        name: str | None = None,
    ) -> "Rows":
        """Rows from a Parquet, CSV (any separator, also .gz) or JSONL file, or from a frame.

        Rows that cannot be used are refused one by one and accounted for in `report`.

        Args:
            source: A path, a table of Polars (also lazy), pandas or Arrow, or a dict of columns.
            labels: The columns that tasks ask for. A row without a label trains the other tasks alone.
            categories: The inputs that are one of a few words or codes. Without both this and `numbers` all
                columns without another role are read, and their values say which they are.
            numbers: The inputs that are numbers. NaN and blank mean missing; infinite ones are refused.
            files: The inputs that are paths of files, such as pictures or recordings, from the folder of the
                table where they are relative; of a frame also their bytes. Other inputs are then those that
                are named.
            texts: The inputs that are texts, or lists of the words of one. Other inputs are then those that
                are named.
            several: Of the labels those of which a row may have several, as a list or as text with a
                separator.
            label_separator: That separator.
            group: The column of what rows belong to, such as a person or a hospital; `groups_out`, and
                `rows` and `folds` with `grouped`, never part rows of one group, and intervals resample
                whole groups.
            time: The column of the times, for `walk_forward`.
            part: The column that says "train", "validation" or "test", for `official`.
            weight: The column that says how much a row counts in training, zero or more.
            time_format: As for `EventLog.read`.
            missing: Words that stand for a missing value; blank always does.
            separator: The separator of the columns of a text file; found out if None.
            encoding: The encoding of a text file, as Python names it; None is UTF-8, or what its first bytes
                say.
            strict: Refuse the file for a single bad row.
            name: What reports and errors call the source; None takes its path, or "DataFrame".

        Raises:
            DataError: The file or a column is missing, or of the wrong kind; a label is among the inputs;
                all rows are bad; a row is bad and `strict` is set.
        """
        if isinstance(source, str | Path):
            source = arguments.path(source, "source", "a file")
        said = {"group": group, "time": time, "part": part, "weight": weight}
        arguments.words({**said, "name": name}, "the name of a column")
        arguments.words({"time_format": time_format, "separator": separator, "encoding": encoding}, "text")
        labels, several = arguments.names(labels, "labels"), arguments.names(several, "several")
        missing, strict = arguments.names(missing, "missing"), arguments.flag(strict, "strict")
        label_separator = arguments.word(label_separator, "label_separator", "text")
        table = tables.scan(source, separator, name, encoding)
        roles = {role: column for role, column in said.items() if column is not None}
        tables.refuse_names(table.name, labels)
        for label in several:
            if label not in labels:
                raise DataError(f"{table.name} several", "labels", repr(label), "name it among the labels")
        files, texts = arguments.names(files, "files"), arguments.names(texts, "texts")
        if categories is None and numbers is None and not files and not texts:
            found = row_roles.guessed(table, [*labels, *roles.values()], missing)
        else:
            found = row_roles.Inputs(
                tuple(arguments.names(categories or (), "categories")),
                tuple(arguments.names(numbers or (), "numbers")),
            )
        _refuse_shared(table, found, [*files, *texts], labels, roles)
        named = [contents.file(table, n, _INPUT + n, missing) for n in files]
        columns = [
            *named,
            *(text(table, n, _INPUT + n) for n in texts),
            *(values.word(table, n, _INPUT + n, missing=missing) for n in found.categories),
            *(values.number(table, n, _INPUT + n, missing) for n in found.numbers),
            *(_label(table, n, n in several, label_separator, missing) for n in labels),
            *(_role(table, role, n, time_format, missing) for role, n in roles.items()),
        ]
        numbered, frame, refused = read_columns(table, columns)
        repeated = frame.height - frame.n_unique()
        if named:
            folder = source.absolute().parent if isinstance(source, Path) else Path()
            frame, lost = contents.read(numbered, frame, named, folder)
            refused = pl.concat([refused, lost]).sort("row")
        report = account(table, columns, frame.height, refused)
        report.check(strict, half=True)  # more is a table whose columns are others
        if frame.is_empty():
            raise DataError(table.name, "at least one row", "none", "check the file")
        rows = _rows(frame, replace(report, notes=report.notes + found.notes, repeated=repeated))
        ordered = [n for n in table.schema if n in rows.inputs.columns]  # as the file has them
        return replace(rows, inputs=rows.inputs.select(ordered))


def _rows(frame: pl.DataFrame, report: Refusals) -> Rows:
    inputs, labels = (
        frame.select(name for name in frame.columns if name.startswith(before)) for before in (_INPUT, _LABEL)
    )
    return Rows(
        inputs.rename(lambda name: name.removeprefix(_INPUT)),
        labels.rename(lambda name: name.removeprefix(_LABEL)),
        frame.select(name for name in frame.columns if name in ROLES),
        report,
    )


def _label(table: Table, name: str, several: bool, separator: str, missing: Sequence[str]) -> Column:
    kind, own = table.require(name, "a label"), _LABEL + name
    if several:
        found = values.words(table, name, own, separator)
        return replace(found, value=pl.when(raw_of(own).is_not_null()).then(found.value))
    if isinstance(kind, pl.List | pl.Array):
        raise DataError(
            f"{table.name} column {name!r}",
            "one label a row",
            f"lists, the type {kind}",
            f"say several = [{name!r}], if a row may have several",
        )
    return values.word(table, name, own, missing=missing)


def _role(table: Table, role: str, name: str, time_format: str | None, missing: Sequence[str]) -> Column:
    if role == "time":
        return times.moment(table, name, "time", time_format, missing)
    if role != "weight":
        return values.word(table, name, role, required=True, missing=missing)
    found = values.number(table, name, role, missing)
    bad = Problem(((found.value.is_null(), "missing weight"), (found.value < 0, "weight below zero")))
    return replace(found, problem=found.problem + bad)


def _refuse_shared(
    table: Table,
    found: row_roles.Inputs,
    further: Sequence[str],
    labels: Sequence[str],
    roles: Mapping[str, str],
) -> None:
    """Refuse an input that is a label, or that says which rows test; a column in two roles is a slip."""
    inputs = [*found.categories, *found.numbers, *further]
    tables.refuse_names(table.name, inputs)
    for name in inputs:
        if name in labels:
            raise DataError(
                f"{table.name} column {name!r}",
                "no label among the inputs",
                "one, which would tell the answer",
                "take it out of the inputs",
            )
    for role, name in roles.items():
        wrong = "an input" if role in ("part", "weight") and name in inputs else ""
        wrong = "a label" if name in labels else wrong
        if wrong:
            raise DataError(f"{table.name} column {name!r}", f"the {role} alone", f"{wrong}, too")
    if not inputs:
        raise DataError(table.name, "at least one input", "none", "name categories, numbers, files or texts")
