"""Made-up worlds whose answers are known: one that a model must solve, and pure noise, which none can."""

from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field, model_validator

from intertask.data.catalogue import Catalogue
from intertask.data.event_log import EventLog
from intertask.datasets import DatasetConfig, Loaded
from intertask.options.seeds import generator

BEHAVIOURS = ("view", "cart", "buy")
_START = 1_577_836_800  # 2020-01-01, UTC
_SECONDS_OF_STARTS = 180 * 86_400  # users begin within half a year
MOST_EVENTS, LONGEST_WALK = 100_000_000, 10**11  # events, seconds
_USUAL = (0.7, 0.2, 0.1)  # how often each behaviour happens with an item that nobody cares for
_KEEN = (0.3, 0.3, 0.4)  # and with one that people like


class Config(DatasetConfig):
    """A world of users who walk from item to item.

    In "markov", the next item depends on the present one alone (`transition_matrix`). Every item is
    equally frequent in the long run, so that popularity knows nothing. Every second item is liked: it is
    bought more often, and its label `liked` is 1 with a probability of 0.9 instead of 0.1. In "noise",
    items, behaviours and labels are independent of everything.

    Args:
        world: "markov" or "noise".
        users: Number of users.
        items: Number of items.
        length: Mean number of events of a user; each has between half and one and a half times as many.
        successors: Number of items that may follow an item; the first follows half of the time, each
            further one half as often as the one before.
        gap_seconds: Mean time between two events of a user.
        seed: Seed of the world and of each user's walk.
    """

    kind: Literal["synthetic"] = "synthetic"
    world: Literal["markov", "noise"] = "markov"
    users: int = Field(default=2_000, ge=1, le=10_000_000)
    items: int = Field(default=200, ge=2, le=1_000_000)
    length: int = Field(default=20, ge=2, le=100_000)
    successors: int = Field(default=4, ge=1, le=1_000)
    gap_seconds: int = Field(default=3_600, ge=1, le=10_000_000)
    seed: int = Field(default=0, ge=0, lt=2**63)

    @model_validator(mode="after")
    def _of_some_size(self) -> "Config":
        for product, most, what in (
            (self.users * self.length, MOST_EVENTS, "users times length"),
            (self.items * self.successors, MOST_EVENTS, "items times successors"),
            (self.length * self.gap_seconds, LONGEST_WALK, "length times gap_seconds"),
        ):
            if product > most:
                raise ValueError(f"{what} of at most {most:,}, not {product:,}")
        return self

    def load(self, folder: Path) -> Loaded:
        """Events with times and the label `liked`; items with a title. Nothing is fetched."""
        del folder
        item = np.arange(self.items)
        titles = pl.DataFrame({"item": item}).with_columns(pl.format("item {}", "item").alias("title"))
        events = EventLog.read(
            self._events(), time="time", behaviour="behaviour", labels=["liked"], name=self.kind
        )
        return Loaded(events, Catalogue.read(titles, text=["title"], name=self.kind))

    def transition_matrix(self) -> NDArray[np.float64]:
        """The probability of each item (column) to follow each item (row), [items, items]."""
        if self.world == "noise":
            return np.full((self.items, self.items), 1 / self.items)
        matrix = np.zeros((self.items, self.items))
        for followers, share in zip(self._followers().T, self._shares(), strict=True):
            np.add.at(matrix, (np.arange(self.items), followers), share)
        return matrix

    def _followers(self) -> NDArray[np.int32]:
        """The items that may follow each item, [items, successors]; permutations, so none is favoured."""
        random = generator(self.seed, "followers")
        return np.stack([random.permutation(self.items).astype(np.int32) for _ in range(self.successors)], 1)

    def _shares(self) -> NDArray[np.float64]:
        halves = np.exp2(-np.arange(self.successors, dtype=np.float64))
        shares: NDArray[np.float64] = halves / halves.sum()
        return shares

    def _events(self) -> pl.DataFrame:
        """All events, user by user; every array is made once, in the smallest type that holds it."""
        random = generator(self.seed, "lengths")
        lengths = random.integers(
            self.length - self.length // 2, self.length + self.length // 2 + 1, self.users
        )
        # The longest first, so that the users who still walk at any step are the first ones.
        lengths = np.sort(lengths)[::-1]
        users = np.repeat(np.arange(self.users, dtype=np.int32), lengths)
        items, times = self._walk(lengths)
        behaviours, liked = self._reactions(items)
        return pl.DataFrame(
            {
                "user": users,
                "item": items,
                "behaviour": pl.Series(BEHAVIOURS, dtype=pl.Enum(BEHAVIOURS)).gather(behaviours),
                "time": times,
                "liked": liked,
            }
        )

    def _walk(self, lengths: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Items and times of all events: one step of all users at once."""
        random = generator(self.seed, "walk")
        followers, edges = self._followers(), np.cumsum(self._shares())[:-1]
        starts = np.cumsum(lengths) - lengths
        items = np.empty(lengths.sum(), dtype=np.int32)
        times = np.empty(lengths.sum(), dtype=np.int64)
        here = random.integers(self.items, size=len(lengths), dtype=np.int32)
        now = _START + random.integers(_SECONDS_OF_STARTS, size=len(lengths))
        for step in range(int(lengths[0])):
            walking = int(np.searchsorted(-lengths, -step))  # users with more than `step` events
            here, now = here[:walking], now[:walking]
            items[starts[:walking] + step], times[starts[:walking] + step] = here, now
            now = now + 1 + random.exponential(self.gap_seconds, walking).astype(np.int64)
            if self.world == "noise":
                here = random.integers(self.items, size=walking, dtype=np.int32)
            else:
                here = followers[here, np.searchsorted(edges, random.random(walking), side="right")]
        return items, times

    def _reactions(self, items: NDArray[np.int32]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Behaviour codes and labels of all events."""
        random = generator(self.seed, "reactions")
        keen = items % 2 == 1 if self.world == "markov" else np.zeros(len(items), dtype=bool)
        behaviours = np.empty(len(items), dtype=np.uint8)
        liked = np.empty(len(items), dtype=np.float32)
        chances = (0.1, 0.9) if self.world == "markov" else (0.5, 0.5)
        for group, shares, chance in ((~keen, _USUAL, chances[0]), (keen, _KEEN, chances[1])):
            size = int(group.sum())
            drawn = random.random(size, dtype=np.float32)
            behaviours[group] = np.searchsorted(np.cumsum(shares[:-1], dtype=np.float32), drawn, side="right")
            liked[group] = random.random(size, dtype=np.float32) < chance
        return behaviours, liked
