"""Which events train, which validate, which test; and the proof that nothing leaks.

A split holds places in the flat arrays of `Sequences`, never copies. The history of a target is every
event of its user before it; what is trained on is decided by `train_stop` alone.
"""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from intertask.data.sequences import Sequences
from intertask.data.windows import Windows, cut_out
from intertask.errors import DataError, LeakageError
from intertask.options.config import PluginConfig
from intertask.options.seeds import generator


@dataclass(frozen=True)
class Split:
    """Training events and evaluation targets.

    Args:
        train_stop: int64 [users]; user u trains on the events offsets[u] to train_stop[u].
        validation: int64 [targets], places of the events that validation asks for, rising.
        test: int64 [targets], the same for the test.
        description: The split in words, for the protocol of the test.
        cuts: Seconds since 1970 at which training ends and at which validation ends, of a split by time.
        validated: The split in words where validation asks for other targets than the test; empty where not.
        rehearsal: int64 [targets], the validation events that the test would ask for; None where validation
            asks as the test does.
    """

    train_stop: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]
    description: str
    cuts: tuple[int, int] | None = None
    validated: str = ""
    rehearsal: NDArray[np.int64] | None = None

    def words(self, part: Literal["validation", "test"]) -> str:
        """The split in words, for the protocol of one part."""
        return self.validated if part == "validation" and self.validated else self.description

    def targets(self, part: Literal["validation", "test"]) -> NDArray[np.int64]:
        """The target events of one part."""
        return self.validation if part == "validation" else self.test

    def training(self, sequences: Sequences) -> Sequences:
        """The training events, and no others, as sequences of the same users."""
        return cut_out(sequences, Windows(np.asarray(sequences.offsets[:-1]), self.train_stop))

    def check(self, sequences: Sequences) -> None:
        """Refuse a split in which a training event is, or lies after, what evaluation asks for.

        Raises:
            LeakageError: Names the first user concerned.
        """
        start, stop = sequences.offsets[:-1], sequences.offsets[1:]
        _refuse(
            (self.train_stop < start) | (self.train_stop > stop),
            "training events that are the user's own",
            "others",
        )
        for part, targets in (("validation", self.validation), ("test", self.test)):
            users = sequences.users_of(targets)
            early = targets < self.train_stop[users]
            bad = np.isin(np.arange(sequences.num_users), users[early])
            _refuse(bad, f"{part} targets after the user's training events", "one that is trained on")
        validated = np.full(sequences.num_users, -1, dtype=np.int64)
        np.maximum.at(validated, sequences.users_of(self.validation), self.validation)
        test_users = sequences.users_of(self.test)
        mixed = np.isin(np.arange(sequences.num_users), test_users[self.test <= validated[test_users]])
        _refuse(mixed, "test targets after the validation targets", "one before or equal")
        if self.cuts is not None:
            self._check_cuts(sequences, self.cuts)

    def _check_cuts(self, sequences: Sequences, cuts: tuple[int, int]) -> None:
        times = _clock(sequences)
        trained = self.train_stop > sequences.offsets[:-1]
        last = times[np.maximum(self.train_stop - 1, 0)]
        _refuse(trained & (last >= cuts[0]), "training events before the cut", "one at or after it")
        for targets, low, high in ((self.validation, *cuts), (self.test, cuts[1], None)):
            outside = (times[targets] < low) | ((times[targets] >= high) if high is not None else False)
            bad = np.isin(np.arange(sequences.num_users), sequences.users_of(targets[outside]))
            _refuse(bad, "targets between their cuts", "one outside")


def everything(sequences: Sequences) -> Split:
    """A split that holds nothing back, for a model that is measured by nobody."""
    nothing = np.zeros(0, dtype=np.int64)
    return Split(np.asarray(sequences.offsets[1:]), nothing, nothing, "all events")


class SplitConfig(PluginConfig):
    """The config of a split."""

    @abstractmethod
    def split(self, sequences: Sequences) -> Split:
        """The split, checked for leakage."""


class LeaveOneOut(SplitConfig):
    """The last event of each user tests, the one before validates, the rest trains.

    Users with fewer than three events train only (Kang and McAuley, SASRec, 2018, keep them likewise).

    A validation target follows on an event that was trained on, a test target on one that was not, as in live
    use. So a model that has memorised what comes next looks better on validation than it is. Make a choice
    that is sensitive to this on the test part of `set_aside = 1`, which holds no event of the real test part.

    Args:
        set_aside: Leave out this many last events of each user with three or more; at least two are kept.
    """

    kind: Literal["leave_one_out"] = "leave_one_out"
    set_aside: int = Field(default=0, ge=0, lt=2**31)

    def split(self, sequences: Sequences) -> Split:
        """The split, checked for leakage.

        Raises:
            DataError: No user has three events, or as many before those set aside.
        """
        lengths = sequences.lengths
        lengths = np.where(lengths >= 3, np.maximum(lengths - self.set_aside, 2), lengths)
        stop, held = sequences.offsets[:-1] + lengths, lengths >= 3
        if not held.any():
            raise DataError(
                "[split] leave_one_out",
                "at least one user with three events",
                f"{lengths.max(initial=0)} at most",
                "set fewer aside, or use a longer log" if self.set_aside else "use a longer log",
            )
        split = Split(
            train_stop=np.where(held, stop - 2, stop),
            validation=stop[held] - 2,
            test=stop[held] - 1,
            description="leave_one_out" + (f", {self.set_aside} set aside" if self.set_aside else ""),
        )
        split.check(sequences)
        return split


_TARGETS = {
    "last": "last target",
    "each": "last target of each behaviour",
    "successive": "successive targets",
}


class TimeSplit(SplitConfig):
    """Everything before one moment trains, for all users; what comes after is tested.

    The validation part lies between two moments, so that neither training nor the choice of an epoch
    sees anything later than the test's cut.

    Source: Gusak et al., "Time to Split", RecSys 2025: targets "last" and "successive".

    Args:
        train: Share of all events that lie before the first cut.
        validation: Share of all events that lie between the two cuts.
        targets: "last": the last event of each user in a part; "each": the last one of each behaviour, so
            that rare behaviours are tested, too; "successive": every event. The history of a target is
            every event of the user before it.
        validate_on: The targets of the validation part, in the same words. Every event, unless stated: an
            epoch is chosen by many targets or by chance. With the last event of each user alone 85 targets
            chose on one log of 671 users, and NDCG@10 was .0187 instead of .0323.
    """

    kind: Literal["time"] = "time"
    train: float = Field(default=0.8, gt=0, lt=1)
    validation: float = Field(default=0.1, gt=0, lt=1)
    targets: Literal["last", "each", "successive"] = "last"
    validate_on: Literal["last", "each", "successive"] = "successive"

    def split(self, sequences: Sequences) -> Split:
        """The split, checked for leakage.

        Raises:
            DataError: The log has no times, or one of the parts is empty.
        """
        if not self.train + self.validation < 1:
            raise DataError("[split]", "train + validation < 1", f"{self.train + self.validation}")
        times = _clock(sequences)
        # Events at the moment of a cut belong to the later part, all of them: a tie never spans a cut.
        ordered = np.sort(times)
        first, second = (
            int(ordered[int(share * len(ordered))]) for share in (self.train, self.train + self.validation)
        )
        users = sequences.users_of(np.arange(len(times)))
        in_train, in_validation = times < first, (times >= first) & (times < second)
        cuts = f"time, cuts at {self.train:g} and {self.train + self.validation:g}, "
        split = Split(
            train_stop=sequences.offsets[:-1]
            + np.bincount(users[in_train], minlength=sequences.num_users).astype(np.int64),
            validation=_pick(self.validate_on, np.flatnonzero(in_validation), users, sequences),
            test=_pick(self.targets, np.flatnonzero(times >= second), users, sequences),
            description=cuts + _TARGETS[self.targets],
            cuts=(first, second),
            validated=cuts + _TARGETS[self.validate_on],
            rehearsal=_pick(self.targets, np.flatnonzero(in_validation), users, sequences),
        )
        _refuse_empty(
            split,
            bool(in_train.any()),
            self.kind,
            "some events",
            "choose other shares, or a log that spans more time",
        )
        split.check(sequences)
        return split


def _pick(
    targets: Literal["last", "each", "successive"],
    places: NDArray[np.int64],
    users: NDArray[np.int64],
    sequences: Sequences,
) -> NDArray[np.int64]:
    """The events of a part that are asked for, of those at these places."""
    if targets != "successive":
        asked = users[places].astype(np.int64)
        if targets == "each":
            asked = asked * sequences.num_behaviours + sequences.behaviours[places]
        _, from_behind = np.unique(asked[::-1], return_index=True)
        places = np.sort(places[::-1][from_behind])
    # A first event has no history to predict it from.
    return places[places > sequences.offsets[users[places]]]


class UserSplit(SplitConfig):
    """Some users train with all their events; of the others, unknown to the model, the last event is tested.

    Source: Liang et al., "Variational Autoencoders for Collaborative Filtering", WWW 2018 (strong
    generalisation).

    Args:
        train: Share of the users who are trained on.
        validation: Share of the users whose last event validates; the last events of the others test.
        seed: Seed of the draw of users.
    """

    kind: Literal["users"] = "users"
    train: float = Field(default=0.8, gt=0, lt=1)
    validation: float = Field(default=0.1, gt=0, lt=1)
    seed: int = Field(default=0, ge=0, lt=2**63)

    def split(self, sequences: Sequences) -> Split:
        """The split, checked for leakage.

        Raises:
            DataError: One of the parts is empty.
        """
        if not self.train + self.validation < 1:
            raise DataError("[split]", "train + validation < 1", f"{self.train + self.validation}")
        drawn = generator(self.seed, "split").permutation(sequences.num_users)
        cuts = [int(share * len(drawn)) for share in (self.train, self.train + self.validation)]
        trained = np.zeros(len(drawn), dtype=bool)
        trained[drawn[: cuts[0]]] = True
        split = Split(
            train_stop=np.where(trained, sequences.offsets[1:], sequences.offsets[:-1]),
            validation=self._last(drawn[cuts[0] : cuts[1]], sequences),
            test=self._last(drawn[cuts[1] :], sequences),
            description=f"users, {self.train:g} train, {self.validation:g} validate, seed {self.seed}",
        )
        _refuse_empty(
            split,
            bool(trained.any()),
            self.kind,
            "a user with two events",
            "choose other shares, or a log of more users",
        )
        split.check(sequences)
        return split

    def _last(self, users: NDArray[np.int64], sequences: Sequences) -> NDArray[np.int64]:
        users = np.sort(users[sequences.lengths[users] >= 2])  # a first event has no history
        return np.asarray(sequences.offsets[users + 1] - 1)


def _clock(sequences: Sequences) -> NDArray[np.int64]:
    if sequences.times is None:
        raise DataError(
            "[split] time", "a log with times", "a log without", "map a time column, or use leave_one_out"
        )
    return np.asarray(sequences.times)


def _refuse_empty(split: Split, trains: bool, kind: str, what: str, hint: str) -> None:
    for part, there in (("train", trains), ("validation", len(split.validation)), ("test", len(split.test))):
        if not there:
            raise DataError(f"[split] {kind}", f"{what} for the {part} part", "none", hint)


def _refuse(bad: NDArray[np.bool_], expected: str, found: str) -> None:
    if bad.any():
        raise LeakageError(f"user number {int(np.flatnonzero(bad)[0])}", expected, found)
