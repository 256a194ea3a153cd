"""What there is: items with text, tags, categories, numbers, vectors and images. Knows nothing of events."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from intertask.data import tables, values
from intertask.data.columns import MISSING, account, read_columns
from intertask.data.ids import alike
from intertask.data.refusals import Refusals, refused_rows
from intertask.data.tables import Source
from intertask.errors import DataError
from intertask.options import arguments

_ROWS = 10_000  # digested at once
# The types of the columns of each role.
_TYPES: dict[str, tuple[pl.DataType, ...]] = {
    "text": (pl.String(),),
    "tags": (pl.List(pl.String),),
    "categories": (pl.String(),),
    "numbers": (pl.Float32(),),
    "image": (pl.String(),),
    "vectors": (pl.List(pl.Float32),),
}


@dataclass(frozen=True)
class Catalogue:
    """Items, each once, in file order.

    Args:
        frame: `item` (Int64, UInt64 or String), the text and category columns (String, null where
            missing), the tags (List of String, empty where missing), the numbers (Float32, null where
            missing), the path of the image (String), and the vectors (List of Float32, null where missing,
            as long in all rows).
        report: Which rows of the source were refused, and why.
        text: Names of the text columns, the first one being the title.
        tags: Names of the tag columns.
        categories: Names of the category columns.
        numbers: Names of the number columns.
        image: Name of the image column.
        vectors: Names of the columns of vectors, of pictures for instance.
    """

    frame: pl.DataFrame
    report: Refusals
    text: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    image: str | None = None
    vectors: tuple[str, ...] = ()

    def __len__(self) -> int:
        return self.frame.height

    @classmethod
    def read(
        cls,
        source: Source,
        *,
        item: str = "item",
        text: Sequence[str] = (),
        tags: Sequence[str] = (),
        categories: Sequence[str] = (),
        numbers: Sequence[str] = (),
        image: str | None = None,
        vectors: Sequence[str] = (),
        tag_separator: str = "|",
        missing: Sequence[str] = MISSING,
        separator: str | None = None,
        encoding: str | None = None,
        strict: bool = False,
        name: str | None = None,
    ) -> "Catalogue":
        """A catalogue from a Parquet, CSV (any separator, also .gz) or JSONL file, or from a frame.

        Args:
            source: A path, a table of Polars (also lazy), pandas or Arrow, or a dict of columns.
            item: The column of the item ids. Of several rows with one id the first is kept.
            text: Columns of free text, the title first.
            tags: Columns of several words each, as lists or as text with `tag_separator`.
            categories: Columns of one word each.
            numbers: Columns of numbers. NaN and blank mean missing; infinite ones are refused.
            image: The column of image paths.
            vectors: Columns of vectors that another program made of the item, of its picture for instance: a
                list of numbers, or text of numbers between spaces, commas or semicolons.
            tag_separator: What stands between the tags of one item.
            missing: Words that stand for a missing item or number; blank always does.
            separator: The separator of the columns of a text file; found out if None.
            encoding: The encoding of a text file, as Python names it (`cp1252`, `utf-16`, `gb18030`); None is
                UTF-8, or what the file's first bytes say.
            strict: Refuse the file for a single bad row.
            name: What reports and errors call the source; None takes its path, or "DataFrame".

        Raises:
            DataError: The file or a column is missing, or of the wrong kind; all rows are bad; a row is
                bad and `strict` is set.
        """
        if isinstance(source, str | Path):
            source = arguments.path(source, "source", "a file")
        text, tags = arguments.names(text, "text"), arguments.names(tags, "tags")
        categories, numbers = arguments.names(categories, "categories"), arguments.names(numbers, "numbers")
        missing, vectors = arguments.names(missing, "missing"), arguments.names(vectors, "vectors")
        item, strict = arguments.word(item, "item"), arguments.flag(strict, "strict")
        arguments.words({"image": image}, "the name of a column")
        tag_separator = arguments.word(tag_separator, "tag_separator", "text")
        arguments.words({"separator": separator, "encoding": encoding, "name": name}, "text")
        table = tables.scan(source, separator, name, encoding)
        images = [] if image is None else [image]
        names = ["item", *text, *tags, *categories, *numbers, *images, *vectors]
        tables.refuse_names(table.name, names)
        columns = [
            values.identifier(table, item, "item", missing=missing),
            *(values.word(table, name, name) for name in (*text, *categories, *images)),
            *(values.words(table, name, name, tag_separator) for name in tags),
            *(values.number(table, name, name, missing) for name in numbers),
            *(values.vector(table, name, name, missing) for name in vectors),
        ]
        rows, good, refused = read_columns(table, columns)
        first = good["item"].is_first_distinct()
        again = refused_rows(rows.filter(~first), "duplicate item", item, good["item"].filter(~first))
        frame = good.filter(first).select(names)
        report = account(table, columns, frame.height, pl.concat([refused, again]).sort("row"))
        report.check(strict)
        words = (tuple(text), tuple(tags), tuple(categories), tuple(numbers))
        return cls(frame, report, *words, image, tuple(vectors))

    def roles(self) -> dict[str, list[str]]:
        """The columns of each role, for a file; `from_roles` reads it back."""
        roles = {
            "text": list(self.text),
            "tags": list(self.tags),
            "categories": list(self.categories),
            "numbers": list(self.numbers),
            "image": [] if self.image is None else [self.image],
        }
        return roles | ({"vectors": list(self.vectors)} if self.vectors else {})  # older folders have none

    @classmethod
    def from_roles(cls, frame: pl.DataFrame, roles: Mapping[str, Sequence[str]]) -> "Catalogue":
        """A catalogue from the frame and the roles of an earlier one.

        Raises:
            DataError: A column of a role is missing or of another type, or the items are not distinct.
        """
        if unknown := sorted(roles.keys() - _TYPES.keys()):
            raise DataError("catalogue", f"columns in the roles {', '.join(_TYPES)}", repr(unknown[0]))
        table = tables.scan(frame, name="catalogue")
        columns = [(column, role) for role in _TYPES for column in roles.get(role, ())]
        tables.refuse_names("catalogue", ["item", *(column for column, _ in columns)])
        for column, role in [("item", "item"), *columns]:
            found = table.require(column, role)
            fitting = _TYPES.get(role, (pl.Int64(), pl.UInt64(), pl.String()))
            if found not in fitting:
                raise DataError(
                    f"catalogue {column}", " or ".join(map(str, fitting)), str(found), "read it again"
                )
        if len(frame.columns) > len(columns) + 1:
            raise DataError("catalogue", "no column without a role", f"{len(frame.columns)} columns")
        if len(roles.get("image", ())) > 1:
            raise DataError("catalogue", "one image column", f"{len(roles['image'])}")
        for column in roles.get("numbers", ()):
            if not frame[column].is_finite().all():
                raise DataError(f"catalogue {column}", "finite numbers", "others")
        for column in roles.get("vectors", ()):
            known = frame[column].drop_nulls()
            if known.list.len().n_unique() > 1 or not known.explode().is_finite().fill_null(False).all():
                raise DataError(f"catalogue {column}", "finite numbers, in all rows as many", "others")
        if frame["item"].has_nulls() or frame["item"].n_unique() < frame.height:
            raise DataError("catalogue", "every item once", "items without an id, or repeated")
        text, tags, categories, numbers, image, vectors = (tuple(roles.get(role, ())) for role in _TYPES)
        report = Refusals("catalogue", read=frame.height, kept=frame.height)
        return cls(frame, report, text, tags, categories, numbers, image[0] if image else None, vectors)

    def digest(self) -> str:
        """SHA-256 over items, columns and their roles."""
        total = hashlib.sha256(json.dumps(self.roles()).encode())
        for start in range(0, len(self), _ROWS):
            total.update(self.frame[start : start + _ROWS].write_json().encode())
        return total.hexdigest()

    def rows(self, ids: pl.Series) -> pl.DataFrame:
        """One row for each id, in the order asked; ids that are not listed have nulls.

        Integers and their spelling are the same id. `item` holds the ids as they were asked.
        """
        known, asked = alike(self.frame["item"], ids)
        listed = self.frame.with_columns(known.alias("item"))
        found = asked.alias("item").to_frame().join(listed, on="item", how="left", maintain_order="left")
        return found.with_columns(ids.alias("item"))

    def text_of(self, ids: pl.Series, column: str | None = None) -> pl.Series:
        """One text for each id, null where there is none.

        Args:
            ids: Item ids, in any order, also unknown ones.
            column: Which text; None takes the first, which is the title.

        Raises:
            DataError: The catalogue has no text, or not this one.
        """
        if not self.text or (column is not None and column not in self.text):
            found = f"the text columns {', '.join(self.text)}" if self.text else "a catalogue without text"
            raise DataError(
                self.report.source,
                f"the text {column or 'title'!r}",
                found,
                "read the catalogue with text=[...]",
            )
        return self.rows(ids)[column or self.text[0]]

    def tags_of(self, ids: pl.Series, column: str | None = None) -> pl.Series:
        """The list of tags for each id, empty where there are none.

        Args:
            ids: Item ids, in any order, also unknown ones.
            column: Which tags; None takes the first column of them.

        Raises:
            DataError: The catalogue has no tags, or not these.
        """
        if not self.tags or (column is not None and column not in self.tags):
            found = f"the tag columns {', '.join(self.tags)}" if self.tags else "a catalogue without tags"
            raise DataError(
                self.report.source,
                f"the tags {column or 'tags'!r}",
                found,
                "read the catalogue with tags=[...]",
            )
        return self.rows(ids)[column or self.tags[0]].fill_null([])
