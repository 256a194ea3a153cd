"""How the figures of one part of a log are measured."""

from collections.abc import Sequence
from typing import Literal

from intertask.data.sequences import Sequences
from intertask.evaluate.protocol import EventsProtocol
from intertask.events.splits import Split


def protocol(
    sequences: Sequences,
    split: Split,
    part: Literal["validation", "test"],
    history: Sequence[str],
    *,
    query_time: bool,
    limit: int | None = None,
) -> EventsProtocol:
    """The protocol of one part of a split of a log.

    Args:
        sequences: All events.
        split: Of them.
        part: What is asked for.
        history: Whether items of the history are candidates, "kept" or "masked" or both.
        query_time: Whether the model knows when the target happens.
        limit: Targets that are asked for at most; all where left out.
    """
    num_targets = len(split.targets(part))
    return EventsProtocol(
        data=sequences.digest(),
        split=split.description,
        part=part,
        history=", ".join(history),
        candidates=f"all items, {sequences.num_items}",
        query_time=query_time,
        num_targets=num_targets if limit is None else min(limit, num_targets),
    )
