"""Entities of tagged words, in BIO, IOB, BMESO, BIOES, BILOU or IO, and how many of them are found.

An entity is right where its kind, its first and its last word are. Tags that no scheme allows are read as the
program of CoNLL reads them: an I- without a beginning begins an entity. Neighbours of a tag that is a kind
alone, such as PER, are one entity of it. Letters before the kind may be small.
"""

from collections.abc import Sequence
from typing import NamedTuple

OUTSIDE = frozenset({"", "O", "o", "-", "_"})


class Entity(NamedTuple):
    """Words that belong together.

    Args:
        kind: Such as PER.
        start: Place of the first word.
        end: Behind the last word.
    """

    kind: str
    start: int
    end: int


def entities(tags: Sequence[str]) -> list[Entity]:
    """The entities of a sentence, in order."""
    found: list[Entity] = []
    kind, start, ended = "", 0, True
    for place, tag in enumerate([*tags, "O"]):
        mark, own = _mark_and_kind(tag)
        inside = bool(own) and mark in ("I", "M", "E", "L")
        goes_on = inside and not ended and own == kind
        if kind and not goes_on:
            found.append(Entity(kind, start, place))
            kind = ""
        if own and mark not in OUTSIDE and not goes_on:
            kind, start = own, place
        ended = mark in ("E", "L", "S", "U", "O", "") or not own
    return found


def _mark_and_kind(tag: str) -> tuple[str, str]:
    mark, dash, kind = tag.partition("-")
    if dash or tag in OUTSIDE:
        return mark.upper(), kind
    return "I", tag


class Counts(NamedTuple):
    """Entities of a sentence.

    Args:
        right: Told and true.
        told: All that were told.
        true: All that there are.
    """

    right: int
    told: int
    true: int


def counts(truth: Sequence[str], told: Sequence[str]) -> Counts:
    """What was found of the entities of a sentence."""
    wanted, found = set(entities(truth)), set(entities(told))
    return Counts(len(wanted & found), len(found), len(wanted))
