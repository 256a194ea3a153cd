"""Claims about the order that is drawn, on a made-up folder in the layout of the real one."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from intertask.data.prepare import prepare
from intertask.datasets.tmall_mbcgcn import Config
from intertask.errors import DataError
from intertask.events.splits import LeaveOneOut

USERS, VIEWS, CARTS, BUYS = 600, 6, 3, 3
FILES = ("view_train", "cart_train", "buy_train", "buy_test", "cart_test", "view_test")
Files = dict[str, pl.DataFrame]
both = pytest.mark.parametrize("asked", ["buy", "each"])


def made_up() -> Files:
    """Each user views six items, puts three others in the cart, buys three more; one further tests each."""
    stops = np.cumsum([VIEWS, CARTS, BUYS, 1, 1, 1])
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


def events(place: Path, files: Files, **options: int | str) -> pl.DataFrame:
    """The log of a folder, in order."""
    for name, frame in files.items():
        frame.write_parquet(place / f"{name}.parquet")
    return Config(**options).load(Path()).events.frame.sort("user", "order")


@both
def test_leave_one_out_tests_a_test_row_and_validates_a_training_row_of_its_behaviour(
    place: Path, asked: str
) -> None:
    files = made_up()
    events(place, files)
    corpus = prepare(Config(asked=asked).load(Path()).events)
    split = LeaveOneOut().split(corpus.sequences)
    behaviours = corpus.sequences.behaviours[split.test]
    assert (corpus.sequences.behaviours[split.validation] == behaviours).all()
    for part, targets in (("test", split.test), ("train", split.validation)):
        found = pl.DataFrame(
            {
                "user_id": corpus.users.ids.gather(corpus.sequences.users_of(targets)),
                "item_id": corpus.items.ids.gather(corpus.sequences.items[targets]),
            }
        )
        assert found["user_id"].to_list() == list(range(USERS))
        for code, behaviour in enumerate(corpus.behaviours):
            of_it = found.filter(behaviours == code)
            published = files[f"{behaviour}_{part}"]
            assert of_it.join(published, on=["user_id", "item_id"], how="semi").height == of_it.height
    counts = np.bincount(behaviours, minlength=3)
    if asked == "buy":
        assert counts[corpus.behaviours.index("buy")] == USERS
    else:
        assert (np.abs(counts - USERS / 3) < 4 * np.sqrt(USERS * 2 / 9)).all()


@both
def test_every_training_event_and_one_test_row_is_there_once_and_nothing_else(
    place: Path, asked: str
) -> None:
    files = made_up()
    ids = ["user", "item", "behaviour"]
    found = events(place, files, asked=asked).select(ids)
    last = pl.int_range(pl.len()).over("user") == pl.len().over("user") - 1
    trained, tested = found.filter(~last), found.filter(last)
    rows = {
        name: frame.select(user="user_id", item="item_id", behaviour=pl.lit(name.partition("_")[0]))
        for name, frame in files.items()
    }
    assert trained.sort(ids).equals(pl.concat([rows[name] for name in FILES[:3]]).sort(ids))
    assert tested.join(pl.concat([rows[name] for name in FILES[3:]]), on=ids, how="semi").height == USERS
    assert tested["user"].n_unique() == tested.height


@both
def test_how_the_files_are_laid_out_changes_nothing(place: Path, asked: str) -> None:
    files = made_up()
    before = events(place, files, asked=asked)
    shuffled = {
        name: frame.sample(fraction=1, shuffle=True, seed=1).with_columns(list_pos=pl.int_range(pl.len()))
        for name, frame in files.items()
    }
    assert events(place, shuffled, asked=asked).equals(before)


@both
def test_what_a_user_did_and_is_asked_depends_on_no_other_user(place: Path, asked: str) -> None:
    files = made_up()
    before = events(place, files, asked=asked)
    fewer = {name: frame.filter(pl.col("user_id") != 3) for name, frame in files.items()}
    assert events(place, fewer, asked=asked).equals(before.filter(pl.col("user") != 3))


def test_another_seed_is_another_order_of_the_same_events(place: Path) -> None:
    files = made_up()
    one, other = events(place, files), events(place, files, seed=1)
    assert not one.equals(other)
    ids = ["user", "item", "behaviour"]
    assert one.select(ids).sort(ids).equals(other.select(ids).sort(ids))


@both
def test_each_training_event_is_validated_as_often_and_stands_anywhere(place: Path, asked: str) -> None:
    log = events(place, made_up(), asked=asked).with_columns(
        place=pl.int_range(pl.len()).over("user"), own=pl.col("item") - 20 * (pl.col("user") % 7)
    )
    trained = VIEWS + CARTS + BUYS - 1
    own = {"view": range(VIEWS), "cart": range(6, 6 + CARTS), "buy": range(9, 9 + BUYS)}
    for behaviour in ("buy",) if asked == "buy" else own:
        validated = log.filter(place=trained, behaviour=behaviour)["own"].value_counts().sort("own")
        assert validated["own"].to_list() == list(own[behaviour])
        share, users = 1 / validated.height, validated["count"].sum()
        limit = 4 * np.sqrt(users * share * (1 - share))
        assert ((validated["count"] - users * share).abs() < limit).all()
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
    put = files | {"cart_test": files["cart_test"].filter(pl.col("user_id") < USERS - 5)}
    events(place, put)
    with pytest.raises(DataError, match=r"cart_test\.parquet: expected one test cart .* of 5 of 600 "):
        events(place, put, asked="each")


def test_a_folder_without_a_file_or_a_file_without_a_column_is_refused(place: Path) -> None:
    files = made_up()
    with pytest.raises(DataError, match=r"buy_test\.parquet: expected a complete file .*column \"item_id\""):
        events(place, files | {"buy_test": files["buy_test"].drop("item_id")})
    (place / "view_train.parquet").unlink()
    with pytest.raises(DataError, match=r"no view_train\.parquet"):
        Config().load(Path())
