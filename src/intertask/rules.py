"""What a request allows to be answered: so many items, none of the history, none that is banned.

Live lists of what is in stock hold items that a model does not know: one warning counts them, and they change
nothing. Items without a training event have random vectors; no list holds them.
"""

import warnings
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from intertask import arguments
from intertask.requests import Reader, encoded


@dataclass(frozen=True)
class Rules:
    """What may be answered.

    Args:
        k: Items for each history.
        exclude_seen: Leave out the items of the history.
        banned_I: bool [items], never answered; None where every item may be.
    """

    k: int
    exclude_seen: bool
    banned_I: Tensor | None


def banned_items(
    reader: Reader,
    trained_I: NDArray[np.bool_],
    allow: object = None,
    deny: object = None,
    matching_I: NDArray[np.bool_] | None = None,
    stacklevel: int = 2,
) -> Tensor | None:
    """What may not be answered, bool [items]; None where every item may be.

    Args:
        reader: Knows the items.
        trained_I: Items with a training event.
        allow: Ids; nothing but these.
        deny: Ids; none of these.
        matching_I: Nothing but these, as a condition on the catalogue found them.
        stacklevel: Where a warning points to.

    Raises:
        RequestError: `allow` or `deny` is no list of ids.
    """
    if allow is None and deny is None and matching_I is None and trained_I.all():
        return None
    banned = ~trained_I
    unknown: list[str] = []
    if allow is not None:
        places, missing = _known(reader, allow, "allow")
        allowed = np.zeros(len(banned), dtype=bool)
        allowed[places] = True
        idle = int((allowed & banned).sum())
        unknown += missing + ([f"{idle} of allow that were never trained"] if idle else [])
        banned |= ~allowed
    if deny is not None:
        places, missing = _known(reader, deny, "deny")
        unknown += missing
        banned[places] = True
    if matching_I is not None:
        banned |= ~matching_I
    if unknown:
        warnings.warn(
            f"items left out of the request: {'; '.join(unknown)} (`items` of the model lists what it knows)",
            stacklevel=stacklevel + 1,
        )
    return torch.from_numpy(banned)


def _known(reader: Reader, given: object, argument: str) -> tuple[NDArray[np.int32], list[str]]:
    """Indices of the items that the model has, and how many it has not, in words."""
    places = encoded(reader.items, arguments.ids(given, argument, ordered=False))
    missing = int((places < 0).sum())
    words = [f"{missing} of {len(places)} of {argument} that it does not know"] if missing else []
    return places[places >= 0], words
