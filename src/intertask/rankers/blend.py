"""Blend: the weighted sum of what model and sources say, with weights by the length of the history."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, ClassVar, Literal, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, SerializeAsAny, field_validator

from intertask.errors import IntertaskError
from intertask.options.config import plugins
from intertask.rankers import MODEL, NAME, TAKEN, Examples, MixingConfig, quality
from intertask.rankers._likelihood import Floats, Problem, weights
from intertask.signals import Arrays, Product, Said, at, dense
from intertask.sources import SourceConfig

FOLDS = 3
STRENGTHS = (3.0, 30.0, 300.0)
TIE_BREAK = 1e-3
LARGEST = 1e4  # of a weight; sums of such stay exact enough in single precision

SOURCES = {
    "transition": {"kind": "transition"},
    "item_knn": {"kind": "item_knn"},
    "last_knn": {"kind": "item_knn", "last": 1},
    "ease": {"kind": "ease", "max_items": 6_000},
    "als": {"kind": "als"},
    "repeat": {"kind": "repeat", "each_behaviour": True},
    "popularity": {"kind": "popularity"},
    "recent_popularity": {"kind": "recent_popularity"},
    # Left out where items are not made of content.
    "content": {"kind": "content"},
    "content_5": {"kind": "content", "last": 5},
    "content_last": {"kind": "content", "last": 1},
}


class Config(MixingConfig):
    """Options of the blend.

    The score of an item is a weighted sum: of the logits of every task that ranks items, and of what each
    source says. The weights are learned by maximum likelihood on the validation events, drawn towards the
    best single source. They replace it where they do better on events left out of learning.

    Args:
        sources: What is mixed with the model, as tables [ranker.sources.NAME] with a `kind`.
        events: At most so many events of each task teach the weights.
        candidates: As many best items of the model and of each source are weighed against each other.
        lengths: Histories with at least so many events have weights of their own, up to the next number.
    """

    kind: Literal["blend"] = "blend"
    sources: Annotated[
        dict[str, SerializeAsAny[SourceConfig]], plugins("sources", table="ranker", may_be_empty=True)
    ] = Field(default=SOURCES, validate_default=True)
    lengths: tuple[Annotated[int, Field(ge=2, le=1_000_000)], ...] = Field(
        default=(3, 6, 11, 26, 51), max_length=20
    )

    @field_validator("sources")
    @classmethod
    def _named(cls, sources: dict[str, SourceConfig]) -> dict[str, SourceConfig]:
        for name in sources:
            if not re.fullmatch(NAME, name) or name in TAKEN:
                raise ValueError(f"names of letters, digits, blanks, dots, _ and -, not {name!r}")
        return sources

    @property
    def mixed(self) -> Mapping[str, SourceConfig]:
        """The sources."""
        return self.sources

    def learn(self, examples: Examples, seed: int) -> "Blend":
        """Weights for each group of lengths; those of the best single source where no others do better."""
        units_K = _units(examples)
        edges = np.array(sorted(set(self.lengths)), np.int64)
        scaled_NCK = np.divide(examples.said_NCK, units_K, dtype=np.float32)
        groups_N = np.searchsorted(edges, examples.lengths_N, side="right").astype(np.int64)
        qualities = [quality(examples, scaled_NCK[..., k]) for k in range(len(units_K))]
        best = int(np.argmax(qualities))

        def problem(rows: NDArray[np.bool_], columns: slice = slice(None)) -> Problem:
            return Problem(
                scaled_NCK[rows][..., columns],
                examples.mask_NC[rows],
                examples.target_N[rows],
                groups_N[rows],
                len(edges) + 1,
            )

        found_N = examples.target_N >= 0
        prior_K = np.zeros(len(units_K))
        alone = problem(found_N, slice(best, best + 1))
        prior_K[best] = max(1e-3, float(weights(alone, np.ones(1), 1.0).mean()))
        tried: dict[float, tuple[float, float]] = {}
        drawn = np.random.default_rng(seed).integers(0, FOLDS, int(examples.people_N.max(initial=0)) + 1)
        folds_N = drawn[examples.people_N]
        for strength in STRENGTHS:
            tried[strength] = _left_out(problem, examples, folds_N, prior_K, strength)
        strength = max(tried, key=lambda one: tried[one][0])
        own_GK = np.tile(prior_K, (len(edges) + 1, 1))
        if found_N.any() and tried[strength][1] > qualities[best]:
            own_GK = weights(problem(found_N), prior_K, strength)
        # What the others say the same of, or nothing, as of all that was never had, is ordered all the same.
        for place in _second(examples.columns, qualities):
            own_GK[:, place] = np.maximum(own_GK[:, place], TIE_BREAK * prior_K[best])
        return Blend(examples.columns, edges, (own_GK / units_K).clip(0, LARGEST).astype(np.float32))

    def restore(self, arrays: Arrays, columns: tuple[str, ...], where: str) -> "Blend":
        """The blend of these arrays."""
        return Blend.of(arrays, columns, where)


@dataclass(frozen=True)
class Blend:
    """A weighted sum.

    Args:
        read: Names of what is said.
        edges: Lengths of histories at which other weights begin, rising.
        weights_GK: float32, none below zero, for each group of lengths.
    """

    read: tuple[str, ...]
    edges: NDArray[np.int64]
    weights_GK: NDArray[np.float32]

    form: ClassVar[str] = "blend"

    @property
    def columns(self) -> tuple[str, ...]:
        """What has a weight."""
        return tuple(name for name, own in zip(self.read, self.weights_GK.T, strict=True) if own.any())

    def total(self, said: Mapping[str, Said], lengths_B: NDArray[np.int64]) -> NDArray[np.float32]:
        """The sums of all items."""
        own_BK = self.weights_of(lengths_B)
        read = [
            (said[name], own_BK[:, place, None])
            for place, name in enumerate(self.read)
            if name in said and own_BK[:, place].any()
        ]
        if not read:
            return np.zeros_like(dense(next(iter(said.values())), len(lengths_B)))
        total_BI = _summed([(told, weight) for told, weight in read if isinstance(told, Product)])
        for told, weight_B1 in read:
            if isinstance(told, np.ndarray):
                term_BI = weight_B1 * told
                total_BI = term_BI if total_BI is None else np.add(total_BI, term_BI, out=total_BI)
        for told, weight_B1 in read:
            if isinstance(told, np.ndarray | Product):
                continue
            if total_BI is None:
                total_BI = np.zeros(told.shape, np.float32)
            for row, (start, stop) in enumerate(pairwise(told.indptr.tolist())):  # each place once at most
                own = weight_B1[row, 0] * told.data[start:stop]
                total_BI[row, told.indices[start:stop]] += own
        assert total_BI is not None
        return total_BI

    def terms(
        self, said: Mapping[str, Said], row: int, length: int, items: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """The weighted numbers before they are summed."""
        own_K = self.weights_of(np.array([length]))[0]
        return np.stack([own_K[self.read.index(name)] * at(said[name], row, items) for name in self.columns])

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Edges and weights."""
        return {"edges": self.edges, "weights": self.weights_GK}

    @classmethod
    def of(cls, arrays: Arrays, columns: tuple[str, ...], where: str) -> "Blend":
        """The blend of these arrays.

        Raises:
            IntertaskError: They are of none.
        """
        edges, own = arrays.get("edges"), arrays.get("weights")
        if edges is None or own is None or len(arrays) != 2 or edges.ndim != 1 or edges.dtype != np.int64:
            raise IntertaskError(where, "the arrays edges and weights", ", ".join(sorted(arrays)))
        shape = (len(edges) + 1, len(columns))
        if own.dtype != np.float32 or own.shape != shape:
            raise IntertaskError(
                f"{where} weights", f"float32 {list(shape)}", f"{own.dtype} {list(own.shape)}"
            )
        low, high = float(cast("Floats", own).min()), float(cast("Floats", own).max())
        if not 0 <= low <= high <= LARGEST:
            raise IntertaskError(f"{where} weights", f"numbers of 0 to {LARGEST:g}", f"{low:g} to {high:g}")
        if (np.diff(cast("Floats", edges)) <= 0).any():
            raise IntertaskError(f"{where} edges", "rising numbers", "others")
        return cls(columns, cast("NDArray[np.int64]", edges), cast("NDArray[np.float32]", own))

    def weights_of(self, lengths_B: NDArray[np.int64]) -> NDArray[np.float32]:
        """The weights of histories of these lengths, [B, K]."""
        return self.weights_GK[np.searchsorted(self.edges, lengths_B, side="right")]


def _summed(products: list[tuple[Product, NDArray[np.float32]]]) -> NDArray[np.float32] | None:
    """The weighted sum of products, one pass over each table of vectors; None of none."""
    people: dict[object, Product] = {}
    for told, weight_B1 in products:
        # By where they lie: each look at a tensor's numbers is another array.
        key = (told.vectors_ID.ctypes.data, told.vectors_ID.shape, told.vectors_ID.strides)
        own_BD = weight_B1 * told.people_BD
        before = people.get(key)
        people[key] = Product(own_BD if before is None else before.people_BD + own_BD, told.vectors_ID)
    total_BI: NDArray[np.float32] | None = None
    for own in people.values():
        total_BI = own.made() if total_BI is None else np.add(total_BI, own.made(), out=total_BI)
    return total_BI


def _units(examples: Examples) -> Floats:
    """How much each column varies among the candidates; 1e6 where it says the same of all."""
    found = [examples.said_NCK[..., k][examples.mask_NC] for k in range(examples.said_NCK.shape[-1])]
    spread_K = np.array([values.std() if len(values) else 0.0 for values in found], np.float64)
    return np.where(spread_K > 1e-6, spread_K, 1e6)


def _second(columns: tuple[str, ...], qualities: list[float]) -> list[int]:
    """The two best columns, and the best task of the model."""
    order = sorted(range(len(columns)), key=lambda place: -qualities[place])
    tasks = [place for place in order if columns[place].startswith(MODEL)]
    return [place for place in {*order[:2], *tasks[:1]} if qualities[place] > 0]


def _left_out(
    problem: Callable[[NDArray[np.bool_]], Problem],
    examples: Examples,
    folds_N: NDArray[np.int64],
    prior_K: Floats,
    strength: float,
) -> tuple[float, float]:
    """Mean log-probability, and NDCG@10, of events by weights that were learned on those of other people."""
    found_N = examples.target_N >= 0
    log_shares, gains = [], 0.0
    for fold in range(FOLDS):
        inside, outside = found_N & (folds_N == fold), found_N & (folds_N != fold)
        if not inside.any() or not outside.any():
            continue
        own_GK = weights(problem(outside), prior_K, strength)
        held = problem(inside)
        log_shares.append(held.log_shares(own_GK))
        part = examples.take(inside)
        gains += quality(part, held.sums(own_GK)) * len(part)
    if not log_shares:
        return -np.inf, -1.0
    return float(np.concatenate(log_shares).mean()), gains / len(examples)
