"""Census Income (KDD): people in 40 columns of the American census of 1994 and 1995, and what they earn.

From INTERTASK_DATA. Terms: CC BY 4.0 (UCI). Source: UCI, "Census-Income (KDD)", 2000,
https://doi.org/10.24432/C5N30T; its tasks as in Ma et al., "Modeling Task Relationships in Multi-task
Learning with Multi-gate Mixture-of-Experts", KDD 2018.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

import polars as pl

from intertask.data import fetch
from intertask.data.rows import Rows
from intertask.datasets import RowsDatasetConfig
from intertask.errors import DataError

_ORIGIN = "https://archive.ics.uci.edu/dataset/117/census+income+kdd, its test part, as test.parquet"
CODES = ("det_ind_code", "det_occ_code", "own_or_self", "vet_benefits", "year")  # numbers that count nothing
_LEFT_OUT = ("instance_weight", "marital_stat", "income_50k")


class Config(RowsDatasetConfig):
    """Each person is a row. Only the official test part is here, 99,762 people.

    Labels: `income` (yes: above 50,000 dollars a year), `marital` (one of seven states) and `never_married`.
    The weight of the row is left out, as is usual; a question mark is a missing value, "Not in universe" an
    answer.

    Args:
        columns: The columns to read; if left out all except those that hold the answers. Columns of the
            household or the tax form nearly say whether a person is married.
    """

    usual: ClassVar[Mapping[str, str]] = {"income": "category", "never_married": "category"}
    kind: Literal["census_income"] = "census_income"
    columns: tuple[str, ...] = ()

    def load(self, folder: Path) -> Rows:
        """The people.

        Raises:
            DataError: The file is not below INTERTASK_DATA, or has no such column.
        """
        place = fetch.require_local("census-income-kdd", ("test.parquet",), _ORIGIN)
        people = pl.read_parquet(place / "test.parquet")
        known = [name for name in people.columns if name not in _LEFT_OUT]
        for name in self.columns:
            if name not in known:
                raise DataError("[data.dataset] columns", f"some of {', '.join(known)}", repr(name))
        inputs = list(self.columns or known)
        numbers = [name for name in inputs if people.schema[name].is_numeric() and name not in CODES]
        state = pl.col("marital_stat")
        return Rows.read(
            people.with_columns(
                income=_yes(pl.col("income_50k").str.contains("+", literal=True)),
                marital=state,
                never_married=_yes(state == "Never married"),
            ),
            labels=["income", "marital", "never_married"],
            numbers=numbers,
            categories=[name for name in inputs if name not in numbers],
            missing=["?"],
            name=self.kind,
        )


def _yes(condition: pl.Expr) -> pl.Expr:
    return pl.when(condition).then(pl.lit("yes")).otherwise(pl.lit("no"))
