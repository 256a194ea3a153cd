"""How figures are measured: data, split, candidates and number of targets."""

from collections.abc import Sequence
from typing import Literal

from intertask.data.sequences import Sequences
from intertask.data.splits import Split
from intertask.evaluate.results import Protocol


def protocol(
    sequences: Sequences,
    split: Split,
    part: Literal["validation", "test"],
    history: Sequence[str],
    *,
    query_time: bool,
    limit: int | None = None,
) -> Protocol:
    """The protocol of one part of a split.

    Args:
        sequences: All events.
        split: Of them.
        part: What is asked for.
        history: Whether items of the history are candidates, "kept" or "masked" or both.
        query_time: Whether the model knows when the target happens.
        limit: Targets that are asked for at most; all where left out.
    """
    num_targets = len(split.targets(part))
    return Protocol(
        data=sequences.digest(),
        split=split.words(part),
        part=part,
        history=", ".join(history),
        candidates=f"all items, {sequences.num_items}",
        query_time=query_time,
        num_targets=num_targets if limit is None else min(limit, num_targets),
    )
