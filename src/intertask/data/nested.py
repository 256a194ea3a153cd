"""Objects within a column, taken apart: `track = {"id": ...}` becomes the column `track.id`."""

import polars as pl

_DEEPEST = 8  # objects within objects that are taken apart


def unfolded(rows: pl.LazyFrame, schema: pl.Schema) -> tuple[pl.LazyFrame, pl.Schema]:
    """Rows whose objects are columns, one for each part, in the file's order.

    A part whose name is that of another column is left out, since the column has it already.
    """
    if not any(isinstance(kind, pl.Struct) for kind in schema.values()):
        return rows, schema
    plain = {name for name, kind in schema.items() if not isinstance(kind, pl.Struct)}
    parts: dict[str, pl.Expr] = {}
    kinds: dict[str, pl.DataType] = {}
    open_ = [(name, kind, pl.col(name), 0) for name, kind in reversed(schema.items())]
    while open_:
        name, kind, value, depth = open_.pop()
        if isinstance(kind, pl.Struct) and depth < _DEEPEST:
            open_ += [
                (f"{name}.{field.name}", field.dtype, value.struct.field(field.name), depth + 1)  # type: ignore[misc]
                for field in reversed(kind.fields)
            ]
        elif name not in parts and (depth == 0 or name not in plain):
            parts[name], kinds[name] = value.alias(name), kind
    return rows.select(parts.values()), pl.Schema(kinds)
