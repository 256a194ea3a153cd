"""Which rows of a file could not be used, each with its reason. Knows nothing of logs or catalogues."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from intertask.errors import DataError
from intertask.storage.files import strange, written_aside
from intertask.storage.ours import foreign

REPEATED = "duplicate row"  # usable, and refused on request alone
SCHEMA = {"row": pl.UInt32, "reason": pl.String, "column": pl.String, "value": pl.String}


def refused_rows(rows: pl.Series, reason: str, column: str, values: pl.Series | None = None) -> pl.DataFrame:
    """Rows that are refused for one reason, as `Refusals` lists them.

    Args:
        rows: Their numbers.
        reason: Why.
        column: The column of the file that the reason is about.
        values: What stands there; left out where the reason is about the whole row.
    """
    shown = [None] * len(rows) if values is None else values.cast(pl.String)
    columns = {"row": rows.cast(pl.UInt32), "reason": reason, "column": column, "value": shown}
    return pl.DataFrame(columns, schema_overrides=SCHEMA)


@dataclass(frozen=True)
class Refusals:
    """The account of one reading: every row was either kept or refused, and says why.

    Args:
        source: The file, as the user wrote it.
        read: Rows in the file.
        kept: Rows that were used.
        rows: One line for each refused row, in file order: `row` (the first row of data is 1, a header
            is not counted), `reason`, `column` (its name in the file), `value` (as text).
        columns: What was read from where, canonical name to column of the file.
        notes: What else was noticed and a reader should know, each in a line.
        repeated: Rows that are equal to an earlier one in every column that was read.

    Raises:
        DataError: The counts do not reconcile, or a row is refused twice.
    """

    source: str
    read: int
    kept: int
    rows: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=SCHEMA))
    columns: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    repeated: int = 0

    def __post_init__(self) -> None:
        if self.read != self.kept + self.refused:
            raise DataError(
                self.source,
                f"{self.read} rows to be kept or refused",
                f"{self.kept} kept and {self.refused} refused",
                "did the file change while it was read?",
            )

    @property
    def refused(self) -> int:
        """Number of rows that were not used."""
        return self.rows.height

    @property
    def counts(self) -> dict[str, int]:
        """Refused rows for each reason, the most frequent first."""
        table = self.rows.group_by("reason").len("count").sort(["count", "reason"], descending=[True, False])
        return dict(table.iter_rows())

    def first(self, count: int = 10) -> pl.DataFrame:
        """The first refused rows of the file."""
        return self.rows.head(count)

    def summary(self) -> str:
        """The account in one line."""
        line = f"{self.source}: read {self.read:,} rows, kept {self.kept:,}, refused {self.refused:,}"
        return f"{line} ({self._reasons()})" if self.refused else line

    def write(self, path: Path, *, overwrite: bool = False) -> None:
        """Write all refused rows, as Parquet or CSV by the name's ending, all or nothing.

        Refused rows that were written before are replaced.

        In CSV, text that a spreadsheet would take for a formula begins with an apostrophe: what stands there
        is what somebody else has written into a log. Parquet holds it as it is.

        Args:
            path: Of the file.
            overwrite: Whether a file that holds anything else is replaced too.

        Raises:
            DataError: The name ends in neither, or a file of something else stands there.
        """
        refuse_ending(path)
        wrong = strange(path, "file") if overwrite else foreign(path, f"refused{path.suffix}")
        if wrong:
            raise DataError(str(path), "a new file, or one of refused rows", wrong, "choose another name")
        with written_aside(path) as aside:
            if path.suffix == ".csv":
                self.rows.with_columns(_harmless(pl.col(pl.String))).write_csv(aside)
            else:
                self.rows.write_parquet(aside)

    def check(self, strict: bool, *, half: bool = False) -> None:
        """Refuse the whole file if one row is bad (`strict`), if more than half are (`half`), or if all are.

        Raises:
            DataError: Names the first refused row and counts all of them.
        """
        bad = self.rows.filter(pl.col("reason") != REPEATED)
        nothing_left = self.refused > 0 and self.kept == 0
        most = nothing_left or (half and 2 * self.refused > self.read)
        if bad.is_empty() or not (strict or most):
            return
        row, reason, column, value = bad.row(0)
        hint = "is it the right column?" if most else "mend the rows, or read without strict"
        raise DataError(
            f"{self.source} row {row}" + ("" if column is None else f" column {column!r}"),
            "usable values",
            f"{reason} ({value!r}); {self.refused:,} of {self.read:,} rows are refused: {self._reasons()}",
            hint,
        )

    def _reasons(self) -> str:
        return ", ".join(f"{reason} {count:,}" for reason, count in self.counts.items())


def refuse_ending(path: Path) -> None:
    """Refuse a name that refused rows cannot be written to.

    Raises:
        DataError: It has another ending.
    """
    if path.suffix not in {".parquet", ".csv"}:
        raise DataError(str(path), "a name ending in .parquet or .csv", repr(path.suffix))


def _harmless(text: pl.Expr) -> pl.Expr:
    """Text that no spreadsheet runs.

    Source: OWASP, "CSV Injection"; also with blanks before the sign, which some programs cut off.
    """
    formula = text.str.contains(r"^[\t\r\n]|^\s*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]")
    return pl.when(formula).then(text.str.replace("^", "'")).otherwise(text).name.keep()
