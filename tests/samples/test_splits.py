from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from intertask.data.rows import Rows
from intertask.errors import DataError, LeakageError, RecipeError
from intertask.samples.splits import Folds, GroupsOut, Official, RowSplitConfig, RowsSplit, WalkForward

from .clinic import ROLES, clinic, patients

ROWS = clinic()
OFFICIAL = Rows.read(
    patients().with_columns(part=pl.Series(["train", "train", "test"] * 80)), part="part", **ROLES
)
EVERY: list[tuple[RowSplitConfig, Rows]] = [
    (Official(), OFFICIAL),
    (RowsSplit(), ROWS),
    (RowsSplit(grouped=True, train=0.5, validation=0.25), ROWS),
    (Folds(fold=2), ROWS),
    (Folds(folds=4, grouped=True), ROWS),
    (Folds(folds=3, fold=2, validation=0.4, grouped=True), ROWS),
    (GroupsOut(test=("north",)), ROWS),
    (GroupsOut(test=("north",), validation=("east",)), ROWS),
    (WalkForward(), ROWS),
    (WalkForward(window=0, embargo_seconds=5 * 86_400), ROWS),
]


@pytest.mark.parametrize(("config", "rows"), EVERY)
def test_parts_are_disjoint_filled_rising_and_drawn_alike_each_time(
    config: RowSplitConfig, rows: Rows
) -> None:
    split, again = config.split(rows), config.split(rows)
    together = np.concatenate([split.train, split.validation, split.test])
    assert len(np.unique(together)) == len(together) <= len(rows)
    for part in ("train", "validation", "test"):
        places = split.part(part)
        assert len(places) and (np.diff(places) > 0).all()
        assert np.array_equal(places, again.part(part))
    assert split.description == again.description


@pytest.mark.parametrize("config", [RowsSplit(), Folds(), GroupsOut(test=("north",))])
def test_another_seed_draws_other_rows(config: RowSplitConfig) -> None:
    one, other = (config.model_copy(update={"seed": seed}).split(ROWS) for seed in (0, 1))
    assert not np.array_equal(one.validation, other.validation)


@pytest.mark.parametrize("seed", range(5))
def test_labels_are_in_proportion_in_each_part(seed: int) -> None:
    ill = (ROWS.labels["ill"] == "yes").to_numpy()
    split = RowsSplit(seed=seed).split(ROWS)
    for part, share in (("train", 0.8), ("validation", 0.1), ("test", 0.1)):
        places = split.part(part)  # type: ignore[arg-type]
        assert len(places) == pytest.approx(share * len(ROWS), abs=3)
        assert ill[places].sum() == pytest.approx(share * ill.sum(), abs=1.5)


@pytest.mark.parametrize("fold", [0, 4])
def test_a_share_behind_the_fold_that_tests_validates(fold: int) -> None:
    ill = (ROWS.labels["ill"] == "yes").to_numpy()
    whole = Folds(fold=fold).split(ROWS)
    for share in (0.1, 0.2, 0.5):
        split = Folds(fold=fold, validation=share).split(ROWS)
        assert np.array_equal(split.test, whole.test)
        assert len(split.validation) == pytest.approx(share * len(ROWS), abs=3)
        assert ill[split.validation].sum() == pytest.approx(share * ill.sum(), abs=1.5)
        assert np.isin(split.validation, whole.validation).all() == (share <= 0.2)


def test_every_row_is_tested_by_one_fold() -> None:
    tested = np.concatenate([Folds(fold=fold).split(ROWS).test for fold in range(5)])
    assert np.array_equal(np.sort(tested), np.arange(len(ROWS)))


@pytest.mark.parametrize(
    "config", [RowsSplit(grouped=True, train=0.5, validation=0.25), Folds(folds=4, grouped=True)]
)
def test_no_group_is_in_two_parts(config: RowSplitConfig) -> None:
    split, groups = config.split(ROWS), ROWS.roles["group"].to_numpy()
    parts = [set(groups[split.part(name)]) for name in ("train", "validation", "test")]  # type: ignore[arg-type]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 4


def test_the_groups_that_are_left_out_are_tested_whole() -> None:
    split, groups = GroupsOut(test=("north", "west")).split(ROWS), ROWS.roles["group"]
    assert set(groups[split.test]) == {"north", "west"} and len(split.test) == 120
    assert set(groups[split.train]) == set(groups[split.validation]) == {"south", "east"}


def test_time_walks_forward_and_the_embargo_keeps_its_distance() -> None:
    time = ROWS.roles["time"].to_physical().to_numpy() / 1e6
    before = -np.inf
    for window in range(4):
        split = WalkForward(window=window, embargo_seconds=5 * 86_400).split(ROWS)
        assert time[split.train].max() + 5 * 86_400 < time[split.validation].min()
        assert time[split.validation].max() + 5 * 86_400 < time[split.test].min()
        assert time[split.test].min() > before
        before = time[split.test].max()
    some, every = WalkForward(stretches=2).split(ROWS), WalkForward().split(ROWS)
    assert np.array_equal(some.train, every.train[-len(some.train) :]) and len(some.train) < len(every.train)


def test_rows_of_one_moment_are_never_parted() -> None:
    frame = patients().with_columns(seen=pl.col("seen") // (86_400 * 30) * 86_400 * 30)
    rows = Rows.read(frame, **ROLES)  # type: ignore[arg-type]
    split, time = WalkForward(windows=2).split(rows), rows.roles["time"]
    parts = [set(time[split.part(name)]) for name in ("train", "validation", "test")]  # type: ignore[arg-type]
    assert sum(map(len, parts)) == len(set.union(*parts))


@pytest.mark.parametrize(
    ("config", "rows", "message"),
    [
        (GroupsOut(test=("nowhere",)), ROWS, "groups of the rows, as 'east', 'north'.*found 'nowhere'"),
        (GroupsOut(test=("north", "south", "east", "west")), ROWS, "for the train part, found none"),
        (Official(), ROWS, "rows with a part, found rows without"),
        (Official(test="holdout"), OFFICIAL, "rows that say train, validation, holdout, found 'test' in 80"),
        (RowsSplit(train=0.999, validation=0.0005), ROWS, "part, found none"),
        (RowsSplit(grouped=True), replace(ROWS, roles=ROWS.roles.drop("group")), "rows with a group"),
        (WalkForward(), replace(ROWS, roles=ROWS.roles.drop("time")), "rows with a time, found rows without"),
        (WalkForward(embargo_seconds=2**35), ROWS, "for the train part, found none"),
    ],
)
def test_a_split_that_leaves_a_part_empty_is_refused(
    config: RowSplitConfig, rows: Rows, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        config.split(rows)


@pytest.mark.parametrize(
    "make",
    [
        lambda: RowsSplit(train=0.9, validation=0.1),
        lambda: Folds(folds=3, fold=3),
        lambda: Folds(folds=4, validation=0.75),
        lambda: WalkForward(windows=2, window=2),
        lambda: GroupsOut(test=("a",), validation=("a",)),
    ],
)
def test_options_that_contradict_each_other_are_refused(make: Callable[[], RowSplitConfig]) -> None:
    with pytest.raises((ValueError, RecipeError)):
        make()


def test_a_row_or_a_group_in_two_parts_is_leakage() -> None:
    split = RowsSplit().split(ROWS)
    with pytest.raises(LeakageError, match="each row in one part"):
        replace(split, test=split.train[:3]).check(ROWS)
    with pytest.raises(LeakageError, match="test groups of their own"):
        replace(split, apart=True).check(ROWS)


def test_no_split_reads_what_is_asked_for_as_a_number() -> None:
    """Strata come from words; a label of many values is not kept in proportion."""
    many = replace(ROWS, labels=ROWS.labels.select("days", "ill"))
    assert "stratified" not in RowsSplit().split(many).description
    assert "stratified by ill" in RowsSplit().split(ROWS).description
