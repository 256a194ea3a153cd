"""What a request allows to be answered: so many items, none of the history, none that is banned.

Live lists of what is in stock hold items that a model does not know: they are counted, and change nothing.
Items without a training event have random vectors; no list holds them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from intertask.events.requests import Reader, encoded
from intertask.options import arguments


@dataclass(frozen=True)
class Rules:
    """What may be answered.

    Args:
        k: Items for each history.
        exclude_seen: Leave out the items of the history; one for all, or one for each history.
        banned_I: bool [items], or [histories, items], never answered; None where every item may be.
        boost_I: float [items], or [histories, items], logarithms of what the probabilities of items are
            multiplied by; None where nothing is preferred.
        left_out: Indices of a few more items for each history that are not answered to it; none if empty.
    """

    k: int
    exclude_seen: bool | NDArray[np.bool_]
    banned_I: Tensor | None
    boost_I: Tensor | None = None
    left_out: Sequence[NDArray[np.integer]] = ()

    def of(self, rows: NDArray[np.int64]) -> "Rules":
        """The rules of some of the histories."""
        seen, banned, boost = self.exclude_seen, self.banned_I, self.boost_I
        return Rules(
            self.k,
            seen if isinstance(seen, bool) else seen[rows],
            banned if banned is None or banned.ndim == 1 else banned[torch.from_numpy(rows)],
            boost if boost is None or boost.ndim == 1 else boost[torch.from_numpy(rows)],
            [self.left_out[row] for row in rows.tolist()] if self.left_out else (),
        )


@dataclass(frozen=True)
class Ignored:
    """Ids of a request that changed nothing.

    Args:
        allow: Of `allow`, those that the model does not know.
        allowed: Ids in `allow`.
        untrained: Of `allow`, those that it knows and that have no training event.
        deny: Of `deny`, those that the model does not know.
        denied: Ids in `deny`.
    """

    allow: int = 0
    allowed: int = 0
    untrained: int = 0
    deny: int = 0
    denied: int = 0

    def words(self) -> str:
        """What a warning says; empty where everything was known."""
        told = [
            f"{self.allow} of {self.allowed} of allow that it does not know" if self.allow else "",
            f"{self.untrained} of allow that were never trained" if self.untrained else "",
            f"{self.deny} of {self.denied} of deny that it does not know" if self.deny else "",
        ]
        return "; ".join(filter(None, told))


def banned_items(
    reader: Reader,
    trained_I: NDArray[np.bool_],
    allow: object = None,
    deny: object = None,
    matching_I: NDArray[np.bool_] | None = None,
) -> tuple[Tensor | None, Ignored]:
    """What may not be answered, bool [items], None where every item may be; and the ids that change nothing.

    Args:
        reader: Knows the items.
        trained_I: Items with a training event.
        allow: Ids; nothing but these.
        deny: Ids; none of these.
        matching_I: Nothing but these, as a condition on the catalogue found them.

    Raises:
        RequestError: `allow` or `deny` is no list of ids.
    """
    if allow is None and deny is None and matching_I is None and trained_I.all():
        return None, Ignored()
    banned, ignored = ~trained_I, Ignored()
    if allow is not None:
        places, given = _known(reader, allow, "allow")
        allowed = np.zeros(len(banned), dtype=bool)
        allowed[places] = True
        idle = int((allowed & banned).sum())
        ignored = replace(ignored, allow=given - len(places), allowed=given, untrained=idle)
        banned |= ~allowed
    if deny is not None:
        places, given = _known(reader, deny, "deny")
        ignored = replace(ignored, deny=given - len(places), denied=given)
        banned[places] = True
    if matching_I is not None:
        banned |= ~matching_I
    return torch.from_numpy(banned), ignored


def _known(reader: Reader, given: object, argument: str) -> tuple[NDArray[np.int32], int]:
    """Indices of the items that the model has, and how many were given."""
    places = encoded(reader.items, arguments.ids(given, argument, ordered=False))
    return places[places >= 0], len(places)
