"""Census Income (KDD) as events: a person is a sequence of columns, as `census_income` was before rows.

From INTERTASK_DATA. Terms: CC BY 4.0 (UCI). Source: UCI, "Census-Income (KDD)", 2000,
https://doi.org/10.24432/C5N30T; its tasks as in Ma et al., "Modeling Task Relationships in Multi-task
Learning with Multi-gate Mixture-of-Experts", KDD 2018.
"""

from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

from intertask.data import fetch
from intertask.data.event_log import EventLog
from intertask.datasets import DatasetConfig, Loaded
from intertask.errors import DataError

_ORIGIN = "https://archive.ics.uci.edu/dataset/117/census+income+kdd, its test part, as test.parquet"
ASKED = "asked"  # the event that carries the labels
TENTHS = 10
MANY = 60  # values of a number, from which on it is told by tenths


class Config(DatasetConfig):
    """Each person is a sequence: an event for each column, then one that asks.

    An item is a column and its value; numbers of many values are cut into tenths of those above zero.
    The weight of the row is left out, as is usual. Only the official test part is here, 99,762 people.

    Labels, of the last event: `income` (1: above 50,000 dollars a year) and `never_married`.

    Args:
        columns: The columns to read, in order; if left out all except those that hold the answers. Columns of
            the household or the tax form nearly say whether a person is married.
    """

    kind: Literal["census_income_events"] = "census_income_events"
    columns: tuple[str, ...] = ()

    def load(self, folder: Path) -> Loaded:
        """Events in the order of the columns; no catalogue.

        Raises:
            DataError: The file is not below INTERTASK_DATA, or has no such column.
        """
        place = fetch.require_local("census-income-kdd", ("test.parquet",), _ORIGIN)
        people = pl.read_parquet(place / "test.parquet").with_row_index("person")
        answers = ("income_50k", "marital_stat")
        known = [name for name in people.columns if name not in ("person", "instance_weight", *answers)]
        for name in self.columns:
            if name not in known:
                raise DataError("[data.dataset] columns", f"some of {', '.join(known)}", repr(name))
        columns = list(self.columns or known)
        told = people.select("person", *(_told(people[name]) for name in columns))
        facts = told.unpivot(index="person", variable_name="column", value_name="value").with_columns(
            pl.concat_str("column", pl.lit("="), "value").alias("item"),
            pl.lit("told").alias("behaviour"),
            pl.col("column").replace_strict({name: n for n, name in enumerate(columns)}).alias("order"),
        )
        asked = people.select(
            "person",
            pl.lit(ASKED).alias("item"),
            pl.lit(ASKED).alias("behaviour"),
            pl.lit(len(columns), pl.Int64).alias("order"),
            pl.col("income_50k").str.contains("+", literal=True).cast(pl.Float64).alias("income"),
            (pl.col("marital_stat") == "Never married").cast(pl.Float64).alias("never_married"),
        )
        events = pl.concat([facts.select("person", "item", "behaviour", "order"), asked], how="diagonal")
        return Loaded(
            EventLog.read(
                events,
                user="person",
                item="item",
                order="order",
                behaviour="behaviour",
                labels=("income", "never_married"),
                name=self.kind,
            ),
            None,
        )


def _told(column: pl.Series) -> pl.Series:
    """The values as text; many numbers as the tenth in which they lie."""
    if not column.dtype.is_numeric() or column.n_unique() <= MANY:
        return column.cast(pl.String)
    values = column.to_numpy()
    edges = np.quantile(values[values > 0], np.arange(1, TENTHS) / TENTHS)
    tenth = np.where(values > 0, 1 + np.searchsorted(edges, values), 0)
    return pl.Series(column.name, tenth).cast(pl.String)
