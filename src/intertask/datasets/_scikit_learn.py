"""The small data sets that scikit-learn brings along."""

from collections.abc import Callable

import numpy as np
import polars as pl

from intertask.data.rows import Rows


def read(load: Callable[[], object], label: str, name: str) -> Rows:
    """The rows of a set, its numbers under their names there.

    Args:
        load: Of scikit-learn.
        label: What the target is called here.
        name: Of the data set.
    """
    found = load()
    data, target, names = (np.asarray(getattr(found, part)) for part in ("data", "target", "feature_names"))
    frame = pl.DataFrame(data, schema=[str(own) for own in names])
    words = getattr(found, "target_names", None)
    labels = pl.Series(label, target if words is None else [str(words[code]) for code in target])
    return Rows.read(
        frame.with_columns(labels), labels=[label], numbers=frame.columns, categories=[], name=name
    )
