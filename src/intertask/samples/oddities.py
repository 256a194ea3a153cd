"""What rows have that does not keep a model from being trained, and that a reader should know."""

import numpy as np

from intertask.data.rows import Rows
from intertask.model import ModelConfig
from intertask.samples.facts import Facts, row_task
from intertask.samples.splits import Split
from intertask.samples.told import told_labels
from intertask.tasks._rows import known


def oddities(config: ModelConfig, rows: Rows, split: Split, facts: Facts) -> tuple[str, ...]:
    """Columns that say nothing or too much, labels that are missing or unseen, parts with one class."""
    found = [
        *facts.notes(),
        *(f"{told.text} {told.advice}" for told in told_labels(config, rows.take(split.train))),
    ]
    for name, task in config.tasks.items():
        own = row_task(task)
        for part in ("train", "validation", "test"):
            asked = rows.take(split.part(part))
            labels = own.labels(name, asked, facts.answers[name])
            given = asked.labels[own.column(name, asked)].is_not_null().to_numpy()
            has = known(labels)
            strange = int((given & ~has).sum())
            if strange:
                found.append(
                    f"task {name}: {strange:,} of {len(asked):,} rows of the {part} part have a class that "
                    "no training row has, and are not measured"
                )
            if not has.any():
                found.append(f"task {name}: no row of the {part} part has a label")
            elif part != "train" and labels.dtype.kind == "i" and len(np.unique(labels[has])) == 1:
                found.append(
                    f"task {name}: all rows of the {part} part have one class; no AUC is defined there"
                )
        without = int(rows.labels[own.column(name, rows)].null_count())
        if without:
            found.append(f"task {name}: {without:,} of {len(rows):,} rows have no label")
    return tuple(found)
