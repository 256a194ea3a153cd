"""Which rows train, which validate, which test; and the proof that no row, and no group, is in two parts.

A split holds places of rows, rising. Readers are fitted on the rows that train alone; the validation part is
always cut out of what is not tested.
"""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from intertask.data.rows import Rows
from intertask.errors import DataError, LeakageError
from intertask.options.config import PluginConfig
from intertask.samples.draws import manner, order, set_aside

Places = NDArray[np.int64]
PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Split:
    """Rows of each part.

    Args:
        train: int64, places of the rows that train, rising.
        validation: int64, the same for validation.
        test: int64, the same for the test.
        description: The split in words, for the protocol.
        apart: Whether no group of the test may be in another part.
    """

    train: Places
    validation: Places
    test: Places
    description: str
    apart: bool = False

    def part(self, name: Literal["train", "validation", "test"]) -> Places:
        """The rows of one part."""
        return {"train": self.train, "validation": self.validation, "test": self.test}[name]

    def check(self, rows: Rows) -> None:
        """Refuse a split in which a row, or a group that must not be parted, is in two parts.

        Raises:
            LeakageError: Names the first one.
        """
        counts = np.bincount(np.concatenate([self.train, self.validation, self.test]), minlength=len(rows))
        if len(counts) > len(rows):
            raise LeakageError("split", f"rows 0 to {len(rows) - 1:,}", f"row {len(counts) - 1:,}")
        if (counts > 1).any():
            twice = int(np.flatnonzero(counts > 1)[0])
            raise LeakageError(f"row {twice + 1:,}", "each row in one part", "it is in two")
        if self.apart:
            groups = rows.role("group", "[split]")
            known = groups[np.concatenate([self.train, self.validation])].unique()
            both = groups[self.test].filter(groups[self.test].is_in(known.implode()))
            if len(both):
                raise LeakageError(f"group {both[0]!r}", "test groups of their own", "one that trains")


class RowSplitConfig(PluginConfig):
    """The config of a split of rows."""

    @abstractmethod
    def split(self, rows: Rows) -> Split:
        """The split, checked for leakage.

        Raises:
            DataError: A part is empty, or the rows lack a role that the split needs.
        """


class Official(RowSplitConfig):
    """The parts that whoever made the data has said, in the column of the role `part`.

    Args:
        train: What the column says of rows that train.
        validation: What it says of rows that validate. Where no row says it, a share of those that train
            validates, drawn with the labels in proportion.
        test: What it says of rows that test.
        share: That share.
        seed: Seed of the draw.
    """

    kind: Literal["official"] = "official"
    train: str = "train"
    validation: str = "validation"
    test: str = "test"
    share: float = Field(default=0.1, gt=0, lt=1)
    seed: int = Field(default=0, ge=0, lt=2**63)

    def split(self, rows: Rows) -> Split:
        """The split, checked for leakage.

        Raises:
            DataError: As for `RowSplitConfig.split`, or a row says something else.
        """
        words = (self.train, self.validation, self.test)
        said = rows.role("part", "[split] official")
        other = said.filter(~said.is_in(words))
        if len(other):
            raise DataError(
                "[split] official",
                f"rows that say {', '.join(words)}",
                f"{other[0]!r} in {len(other):,} of {len(rows):,}",
                'say what they are called: train = "..."',
            )
        train, validation, test = (np.flatnonzero((said == word).to_numpy()) for word in words)
        description = "official"
        if not len(validation):
            train, validation = set_aside(rows, train, self.share, self.seed)
            description += f", {self.share:g} of the training rows validate, seed {self.seed}"
        return _checked(rows, train, validation, test, description, self.kind)


class RowsSplit(RowSplitConfig):
    """Some rows train, some validate, the others test, drawn at random.

    Args:
        train: Share of the rows that train.
        validation: Share of the rows that validate; the others test.
        stratified: Keep the values of the first label in proportion in each part, where it has at most 100.
        grouped: Draw whole groups, so that no group is in two parts.
        seed: Seed of the draw.
    """

    kind: Literal["rows"] = "rows"
    train: float = Field(default=0.8, gt=0, lt=1)
    validation: float = Field(default=0.1, gt=0, lt=1)
    stratified: bool = True
    grouped: bool = False
    seed: int = Field(default=0, ge=0, lt=2**63)

    @model_validator(mode="after")
    def _leaves_some(self) -> "RowsSplit":
        if not self.train + self.validation < 1:
            raise ValueError(f"train + validation < 1, not {self.train + self.validation:g}")
        return self

    def split(self, rows: Rows) -> Split:
        """The split, checked for leakage."""
        drawn = order(rows, np.arange(len(rows)), self.stratified, self.grouped, self.seed)
        part = np.searchsorted([self.train, self.train + self.validation], drawn, side="right")
        description = f"rows, {self.train:g} train, {self.validation:g} validate"
        return _checked(
            rows,
            np.flatnonzero(part == 0),
            np.flatnonzero(part == 1),
            np.flatnonzero(part == 2),
            f"{description}{manner(rows, self.stratified, self.grouped)}, seed {self.seed}",
            self.kind,
            apart=self.grouped,
        )


class Folds(RowSplitConfig):
    """One of several folds tests, the one after it validates, the others train.

    Args:
        folds: Number of folds; each run tests one, so that as many runs test every row once.
        fold: The one that tests, from 0.
        validation: Share of all rows that validates, of those behind the fold that tests; a fold if left out.
        stratified: As for `rows`.
        grouped: As for `rows`.
        seed: Seed of the draw; the same for all folds.
    """

    kind: Literal["folds"] = "folds"
    folds: int = Field(default=5, ge=3, le=1_000)
    fold: int = Field(default=0, ge=0, lt=1_000)
    validation: float | None = Field(default=None, gt=0, lt=1)
    stratified: bool = True
    grouped: bool = False
    seed: int = Field(default=0, ge=0, lt=2**63)

    @model_validator(mode="after")
    def _one_of_them(self) -> "Folds":
        if self.fold >= self.folds:
            raise ValueError(f"a fold from 0 to {self.folds - 1}, not {self.fold}")
        if self.validation is not None and not self.validation + 1 / self.folds < 1:
            raise ValueError(f"validation below {1 - 1 / self.folds:g}, so that some train")
        return self

    def split(self, rows: Rows) -> Split:
        """The split, checked for leakage."""
        drawn = order(rows, np.arange(len(rows)), self.stratified, self.grouped, self.seed)
        fold = np.minimum((drawn * self.folds).astype(np.int64), self.folds - 1)
        validates = fold == (self.fold + 1) % self.folds
        if self.validation is not None:
            behind = (drawn - (self.fold + 1) / self.folds) % 1
            validates = (fold != self.fold) & (behind < self.validation)
        told = "" if self.validation is None else f", {self.validation:g} validate"
        how = manner(rows, self.stratified, self.grouped)
        return _checked(
            rows,
            np.flatnonzero((fold != self.fold) & ~validates),
            np.flatnonzero(validates),
            np.flatnonzero(fold == self.fold),
            f"fold {self.fold} of {self.folds}{told}{how}, seed {self.seed}",
            self.kind,
            apart=self.grouped,
        )


class GroupsOut(RowSplitConfig):
    """Some groups test, such as a hospital that training has never seen; the others train and validate.

    Args:
        test: The groups that test.
        validation: Groups that validate, likewise unseen. If left out a share of the rows of the other groups
            validates, drawn with the labels in proportion.
        share: That share.
        seed: Seed of the draw.
    """

    kind: Literal["groups_out"] = "groups_out"
    test: tuple[str, ...] = Field(min_length=1)
    validation: tuple[str, ...] = ()
    share: float = Field(default=0.15, gt=0, lt=1)
    seed: int = Field(default=0, ge=0, lt=2**63)

    @model_validator(mode="after")
    def _not_both(self) -> "GroupsOut":
        if both := sorted(set(self.test) & set(self.validation)):
            raise ValueError(f"groups that test or validate, not {both[0]!r} for both")
        return self

    def split(self, rows: Rows) -> Split:
        """The split, checked for leakage.

        Raises:
            DataError: As for `RowSplitConfig.split`, or there is no such group.
        """
        groups = rows.role("group", "[split] groups_out")
        there = groups.unique().sort()
        for name in (*self.test, *self.validation):
            if name not in there:
                known = ", ".join(map(repr, there.head(20)))
                raise DataError("[split] groups_out", f"groups of the rows, as {known}", repr(name))
        test = np.flatnonzero(groups.is_in(self.test).to_numpy())
        validation = np.flatnonzero(groups.is_in(self.validation).to_numpy())
        train = np.setdiff1d(np.arange(len(rows)), np.concatenate([test, validation]))
        description = f"groups_out, {', '.join(self.test)} test"
        if self.validation:
            description += f", {', '.join(self.validation)} validate"
        elif len(train):
            train, validation = set_aside(rows, train, self.share, self.seed)
            description += f", {self.share:g} of the others' rows validate, seed {self.seed}"
        return _checked(rows, train, validation, test, description, self.kind, apart=True)


class WalkForward(RowSplitConfig):
    """What came before trains, what follows validates, what follows that tests, as it would have been live.

    The rows are cut into `windows` + 2 stretches of time with about as many rows each. Window w trains on the
    stretches up to w, validates on the next and tests on the one after that.

    Args:
        windows: Number of windows; each run tests one.
        window: The one that tests, from 0; the last if left out.
        embargo_seconds: Rows so shortly before the next part are left out, where a label looks ahead: what
            a share costs in five days is known five days later.
        stretches: Train on so many of the last stretches alone; on all if left out.
    """

    kind: Literal["walk_forward"] = "walk_forward"
    windows: int = Field(default=4, ge=1, le=1_000)
    window: int | None = Field(default=None, ge=0, lt=1_000)
    embargo_seconds: int = Field(default=0, ge=0, lt=2**40)
    stretches: int | None = Field(default=None, ge=1, le=1_000)

    @model_validator(mode="after")
    def _one_of_them(self) -> "WalkForward":
        if self.window is not None and self.window >= self.windows:
            raise ValueError(f"a window from 0 to {self.windows - 1}, not {self.window}")
        return self

    def split(self, rows: Rows) -> Split:
        """The split, checked for leakage."""
        window = self.windows - 1 if self.window is None else self.window
        seconds = rows.role("time", "[split] walk_forward").to_physical().to_numpy() / 1e6
        ordered = np.sort(seconds)
        # Rows of one moment are never parted: all of them belong to the later stretch.
        cuts = ordered[np.arange(1, self.windows + 2) * len(ordered) // (self.windows + 2)]
        stretch = np.searchsorted(cuts, seconds, side="right")
        first = 0 if self.stretches is None else max(0, window + 1 - self.stretches)
        old = (stretch >= first) & (stretch <= window) & (seconds < cuts[window] - self.embargo_seconds)
        next_ = (stretch == window + 1) & (seconds < cuts[window + 1] - self.embargo_seconds)
        embargo = f", embargo {self.embargo_seconds:,} seconds" if self.embargo_seconds else ""
        kept = "" if self.stretches is None else f", the last {self.stretches} stretches train"
        return _checked(
            rows,
            np.flatnonzero(old),
            np.flatnonzero(next_),
            np.flatnonzero(stretch == window + 2),
            f"walk_forward, window {window} of {self.windows}{kept}{embargo}",
            self.kind,
        )


def _checked(
    rows: Rows,
    train: Places,
    validation: Places,
    test: Places,
    description: str,
    kind: str,
    *,
    apart: bool = False,
) -> Split:
    for part, places in zip(PARTS, (train, validation, test), strict=True):
        if not len(places):
            raise DataError(
                f"[split] {kind}",
                f"some rows for the {part} part",
                "none",
                "choose other shares or groups, or take more rows",
            )
    split = Split(train, validation, test, description, apart)
    split.check(rows)
    return split
