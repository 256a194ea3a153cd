"""Records as a frame, a row each. Knows nothing of what they say."""

from collections.abc import Mapping, Sequence

import polars as pl

from intertask.options.config import Config

KINDS: dict[object, type[pl.DataType]] = {
    str: pl.String,
    int: pl.Int64,
    int | None: pl.Int64,
    float: pl.Float64,
    bool: pl.Boolean,
}


def frame_of(kind: type[Config], rows: Sequence[Config]) -> pl.DataFrame:
    """The texts and numbers of records; an interval becomes the columns `low` and `high`.

    Args:
        kind: Of the records, which says the columns where there are none.
        rows: The records.
    """
    fields = {name: field.annotation for name, field in kind.model_fields.items()}
    fields |= {name: field.return_type for name, field in kind.model_computed_fields.items()}
    schema: dict[str, type[pl.DataType]] = {}
    for name, of in fields.items():
        if name == "interval":
            schema |= {"low": pl.Float64, "high": pl.Float64}
        elif of in KINDS:
            schema[name] = KINDS[of]
    flat = [_flat(row.model_dump()) for row in rows]
    return pl.DataFrame({name: [row.get(name) for row in flat] for name in schema}, schema=schema)


def _flat(told: Mapping[str, object]) -> dict[str, object]:
    interval = told.get("interval")
    return {**told, **(interval if isinstance(interval, dict) else {})}
