"""Claims about the order that is drawn, on a made-up folder in the layout of the real one."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from intertask.data.prepare import prepare
from intertask.data.splits import LeaveOneOut
from intertask.datasets.tmall_mbcgcn import Config
from intertask.errors import DataError

USERS, VIEWS, CARTS, BUYS = 600, 6, 3, 3
FILES = ("view_train", "cart_train", "buy_train", "buy_test")
Files = dict[str, pl.DataFrame]


def made_up() -> Files:
    """Each user views six items, puts three others in the cart, buys three more, is tested with a fourth."""
    stops = np.cumsum([VIEWS, CARTS, BUYS, 1])
    files = {}
    for name, start, stop in zip(FILES, [0, *stops], stops, strict=False):
        pairs = [(user, 20 * (user % 7) + item) for user in range(USERS) for item in range(start, stop)]
        files[name] = pl.DataFrame(pairs, schema=["user_id", "item_id"], orient="row")
    return files


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INTERTASK_DATA", str(tmp_path))
    folder = tmp_path / "tmall-mbcgcn"
    folder.mkdir()
    return folder


def events(place: Path, files: Files, **options: int) -> pl.DataFrame:
    """The log of a folder, in order."""
    for name, frame in files.items():
        frame.write_parquet(place / f"{name}.parquet")
    return Config(**options).load(Path()).events.frame.sort("user", "order")


def test_leave_one_out_tests_the_test_buys_and_validates_training_buys(place: Path) -> None:
    files = made_up()
    events(place, files)
    corpus = prepare(Config().load(Path()).events)
    split = LeaveOneOut().split(corpus.sequences)
    for name, targets in (("buy_test", split.test), ("buy_train", split.validation)):
        asked = pl.DataFrame(
            {
                "user_id": corpus.users.ids.gather(corpus.sequences.users_of(targets)),
                "item_id": corpus.items.ids.gather(corpus.sequences.items[targets]),
            }
        )
        assert asked["user_id"].to_list() == list(range(USERS))
        assert asked.join(files[name], on=["user_id", "item_id"], how="semi").height == USERS
        assert (corpus.sequences.behaviours[targets] == corpus.behaviours.index("buy")).all()


def test_every_training_event_and_test_buy_is_there_once_and_nothing_else(place: Path) -> None:
    files = made_up()
    files |= {"view_test": files["buy_test"], "cart_test": files["buy_test"]}
    expected = pl.concat(
        files[name].select(
            pl.col("user_id").alias("user"), pl.col("item_id").alias("item"), behaviour=pl.lit(name[:-6])
        )
        for name in FILES[:3]
    )
    tested = files["buy_test"].select(
        pl.col("user_id").alias("user"), pl.col("item_id").alias("item"), behaviour=pl.lit("buy")
    )
    expected = pl.concat([expected, tested]).sort("user", "item", "behaviour")
    found = events(place, files).select("user", "item", "behaviour").sort("user", "item", "behaviour")
    assert found.equals(expected)


def test_how_the_files_are_laid_out_changes_nothing(place: Path) -> None:
    files = made_up()
    before = events(place, files)
    shuffled = {
        name: frame.sample(fraction=1, shuffle=True, seed=1).with_columns(list_pos=pl.int_range(pl.len()))
        for name, frame in files.items()
    }
    assert events(place, shuffled).equals(before)


def test_a_users_order_depends_on_no_other_user(place: Path) -> None:
    files = made_up()
    before = events(place, files)
    fewer = {name: frame.filter(pl.col("user_id") != 3) for name, frame in files.items()}
    assert events(place, fewer).equals(before.filter(pl.col("user") != 3))


def test_another_seed_is_another_order_of_the_same_events(place: Path) -> None:
    files = made_up()
    one, other = events(place, files), events(place, files, seed=1)
    assert not one.equals(other)
    ids = ["user", "item", "behaviour"]
    assert one.select(ids).sort(ids).equals(other.select(ids).sort(ids))


def test_each_training_buy_is_validated_as_often_and_each_event_stands_anywhere(place: Path) -> None:
    log = events(place, made_up()).with_columns(
        place=pl.int_range(pl.len()).over("user"), own=pl.col("item") - 20 * (pl.col("user") % 7)
    )
    trained = VIEWS + CARTS + BUYS - 1
    validated = log.filter(place=trained)["own"].value_counts().sort("own")
    assert validated["own"].to_list() == [9, 10, 11]
    assert ((validated["count"] - USERS / BUYS).abs() < 4 * np.sqrt(USERS * 2 / 9)).all()
    means = log.filter(pl.col("place") < trained).group_by("own").agg(pl.col("place").mean(), pl.len())
    deviation = np.sqrt((trained**2 - 1) / 12 / means["len"].to_numpy())
    assert (np.abs(means["place"].to_numpy() - (trained - 1) / 2) < 4 * deviation).all()


def test_users_whom_leave_one_out_would_ask_something_else_are_counted_and_refused(place: Path) -> None:
    files = made_up()
    twice = files["buy_test"].with_columns(pl.col("user_id").replace({2: 1}))
    with pytest.raises(
        DataError,
        match=r"buy_test\.parquet: expected one test buy of each user, found none or several of 2 of 600 "
        r"users, user 1 the first; take the files as they were published",
    ):
        events(place, files | {"buy_test": twice})
    bought = files["buy_train"].filter(pl.col("user_id") < USERS - 5)
    with pytest.raises(
        DataError, match=r"buy_train\.parquet: expected a training buy of each user, .* none of 5 of 600 "
    ):
        events(place, files | {"buy_train": bought})


def test_a_folder_without_a_file_or_a_file_without_a_column_is_refused(place: Path) -> None:
    files = made_up()
    with pytest.raises(DataError, match=r"buy_test\.parquet: expected a complete file .*column \"item_id\""):
        events(place, files | {"buy_test": files["buy_test"].drop("item_id")})
    (place / "view_train.parquet").unlink()
    with pytest.raises(DataError, match=r"no view_train\.parquet"):
        Config().load(Path())
