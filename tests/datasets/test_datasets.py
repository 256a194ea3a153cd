"""Claims about real data. They need INTERTASK_DATA; MovieLens may not be redistributed, so none is here."""

import gzip
import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from intertask.data.prepare import prepare
from intertask.data.rows import Rows
from intertask.datasets import DatasetConfig, Loaded, RowsDatasetConfig
from intertask.errors import DataError
from intertask.events.ranking import visited
from intertask.events.splits import LeaveOneOut
from intertask.options.config import config_class, kinds

ROOT = Path(os.environ.get("INTERTASK_DATA", ""))
real_data = pytest.mark.skipif(
    not os.environ.get("INTERTASK_DATA"), reason="INTERTASK_DATA is not set: no real data here"
)
# users, items, events, behaviours
COUNTS = {
    "amazon_beauty": (22_363, 12_101, 198_502, ("review",)),
    "amazon_sports": (35_598, 18_357, 296_337, ("review",)),
    "census_income_events": (99_762, 611, 99_762 * 40, ("asked", "told")),
    "jdata": (3_880, 12_971, 30_360, ("browse", "comment", "follow", "order")),
    "movielens_100k": (943, 1_682, 100_000, ("rate",)),
    "movielens_1m": (6_040, 3_416, 999_611, ("rate",)),
    "online_retail": (4_363, 3_677, 404_913, ("purchase", "return")),
    "retailrocket_mbht": (11_411, 31_193, 118_097, ("cart", "transaction", "view")),
    "tmall_mbcgcn": (15_449, 11_953, 1_146_161, ("buy", "cart", "view")),
}


# rows, numbers, categories, labels
ROWS = {
    "an4_mfcc": (1_078, 0, 0, ("text",)),
    "conll2003": (20_744, 0, 0, ("tags", "chunks")),
    "resume_ner_zh": (4_761, 0, 0, ("tags",)),
    "banking77": (13_083, 0, 0, ("intent",)),
    "symptom2disease": (1_153, 0, 0, ("disease",)),
    "financial_phrasebank": (4_838, 0, 0, ("sentiment",)),
    "finnl_zh": (7_798, 0, 0, ("topics",)),
    "finfe_zh": (11_490, 0, 0, ("mood",)),
    "breast_cancer": (569, 30, 0, ("diagnosis",)),
    "census_income": (99_762, 7, 32, ("income", "marital", "never_married")),
    "diabetes": (442, 10, 0, ("progression",)),
    "digits": (1_797, 64, 0, ("digit",)),
    "fsdd": (672, 0, 0, ("digits",)),
    "heart_disease": (920, 6, 7, ("disease", "vessels")),
    "ecg5000": (4_999, 140, 0, ("beat",)),
    "iris": (150, 4, 0, ("species",)),
    "mnist_t10k": (10_000, 0, 0, ("digit",)),
    "pneumoniamnist": (5_856, 0, 0, ("pneumonia",)),
    "stocknet_prices": (105_952, 120, 1, ("Adj Close+1",)),
    "wine": (178, 13, 0, ("cultivar",)),
}
FETCHED = (
    "conll2003",
    "resume_ner_zh",
    "an4_mfcc",
    "fsdd",
    "census_income",
    "heart_disease",
    "mnist_t10k",
    "pneumoniamnist",
    "ecg5000",
    "stocknet_prices",
    "banking77",
    "symptom2disease",
    "financial_phrasebank",
    "finnl_zh",
    "finfe_zh",
)


def load(kind: str, folder: Path = Path(), **options: object) -> Loaded:
    config = config_class("datasets", kind, "test")(**options)  # type: ignore[arg-type]
    assert isinstance(config, DatasetConfig)
    return config.load(folder)


def test_every_data_set_has_its_counts_here() -> None:
    assert set(kinds("datasets")) == {*COUNTS, *ROWS, "synthetic", "token_lines"}


def rows_of(kind: str, **options: object) -> Rows:
    config = config_class("datasets", kind, "test")(**options)  # type: ignore[arg-type]
    assert isinstance(config, RowsDatasetConfig)
    return config.load(Path())


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=real_data) if kind in FETCHED else kind for kind in ROWS]
)
def test_a_set_of_rows_has_the_counts_it_should(kind: str) -> None:
    rows = rows_of(kind)
    assert (len(rows), len(rows.numbers), len(rows.categories), tuple(rows.labels.columns)) == ROWS[kind]
    assert rows.report.refused == 0 and not rows.labels.null_count().sum_horizontal().item()


@real_data
def test_patients_stand_in_the_hospital_of_their_file_and_nobody_has_no_cholesterol() -> None:
    rows = rows_of("heart_disease")
    counts = rows.roles["group"].value_counts().sort("group").rows()
    assert counts == [("cleveland", 303), ("hungarian", 294), ("switzerland", 123), ("va", 200)]
    swiss = (rows.roles["group"] == "switzerland").to_numpy()
    assert (rows.labels["disease"].to_numpy()[swiss] == "no").sum() == 8
    assert rows.inputs["chol"].to_frame().filter(swiss)["chol"].null_count() == 123
    assert set(rows.inputs["sex"].drop_nulls()) == {"0", "1"} and rows.inputs["chol"].min() > 0  # type: ignore[operator]


@real_data
def test_no_answer_of_the_census_is_an_input() -> None:
    rows = rows_of("census_income")
    assert not {"income_50k", "marital_stat", "instance_weight"} & set(rows.inputs.columns)
    assert (rows.labels["income"] == "yes").sum() == 6_186
    assert rows_of("census_income", columns=("age", "education")).inputs.columns == ["age", "education"]
    with pytest.raises(DataError, match="columns: expected some of age"):
        rows_of("census_income", columns=("marital_stat",))


@real_data
@pytest.mark.parametrize("kind", COUNTS)
def test_a_data_set_has_the_counts_it_should(kind: str) -> None:
    loaded = load(kind)
    corpus = prepare(loaded.events)
    sequences = corpus.sequences
    assert (len(corpus.users), len(corpus.items), sequences.num_events, corpus.behaviours) == COUNTS[kind]
    if loaded.catalogue is not None:
        assert loaded.catalogue.report.refused == 0
        assert corpus.items.ids.is_in(loaded.catalogue.frame["item"].implode()).all()


@pytest.mark.parametrize("kind", sorted({*COUNTS, *FETCHED} - {"movielens_100k", "movielens_1m"}))
def test_a_data_set_that_cannot_be_had_says_what_to_do(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INTERTASK_DATA", raising=False)
    with pytest.raises(DataError, match=r"set INTERTASK_DATA to a folder that holds it; the data come from"):
        (rows_of if kind in ROWS else load)(kind)


@real_data
def test_people_of_the_census_are_told_column_by_column_and_asked_last() -> None:
    people = pl.read_parquet(ROOT / "census-income-kdd" / "test.parquet")
    sequences = prepare(load("census_income_events").events).sequences
    assert set(sequences.lengths.tolist()) == {40}
    last = sequences.offsets[1:] - 1
    assert sequences.labels["income"][last].sum() == 6_186
    assert sequences.labels["never_married"][last].sum() == (people["marital_stat"] == "Never married").sum()
    assert np.isnan(np.delete(sequences.labels["income"], last)).all()
    some = load("census_income_events", columns=("age", "education")).events.frame
    first = some.filter(user=0).sort("order")["item"].to_list()  # 38 years, between the fifth and sixth tenth
    assert first == ["age=6", "education=1st 2nd 3rd or 4th grade", "asked"]
    with pytest.raises(DataError, match=r"columns: expected some of age, .*, found 'income_50k'"):
        load("census_income_events", columns=("income_50k",))


@real_data
def test_movielens_1m_is_the_published_order_of_sasrec() -> None:
    prepared = prepare(load("movielens_1m").events)
    folder = ROOT / "movielens-1m"
    with gzip.open(folder / "sasrec_ml-1m.txt.gz") as file:
        pairs = np.loadtxt(file, dtype=np.int64)
    published = pl.DataFrame({"sas_user": pairs[:, 0], "sas_item": pairs[:, 1]})
    for name in ("user", "item"):
        ids = pl.read_parquet(folder / f"sasrec_{name}_map.parquet").cast(pl.Int64)
        published = published.join(ids, on=f"sas_{name}", maintain_order="left")
    published = published.sort("user_id", maintain_order=True)
    assert np.array_equal(prepared.items.decode(prepared.sequences.items), published["item_id"])
    assert np.array_equal(np.repeat(prepared.users.ids, prepared.sequences.lengths), published["user_id"])


@real_data
def test_movielens_1m_has_the_same_order_by_time() -> None:
    orders = [prepare(load("movielens_1m", times=times).events).sequences.items for times in (False, True)]
    assert (orders[0] != orders[1]).mean() < 0.001  # the few whose time is unknown or copied


@real_data
@pytest.mark.parametrize("kind", ["movielens_100k", "movielens_1m"])
def test_ratings_can_be_split_by_level(kind: str) -> None:
    frame = load(kind, behaviours="by_rating").events.frame
    level = {"dislike": [1, 2], "neutral": [3], "like": [4, 5]}
    for behaviour, ratings in level.items():
        assert sorted(frame.filter(behaviour=behaviour)["rating"].unique()) == ratings


@real_data
def test_online_retail_holds_goods_only() -> None:
    loaded = load("online_retail")
    frame = loaded.events.frame
    assert not frame["item"].is_in(["POST", "M", "D", "DOT", "BANK CHARGES", "CRUK"]).any()
    assert (frame["quantity"] > 0).all()
    assert loaded.events.report.counts == {"missing user": 132_748}
    assert loaded.catalogue is not None
    assert loaded.catalogue.text_of(pl.Series(["85123A"])).item() == "WHITE HANGING HEART T-LIGHT HOLDER"


@real_data
def test_targets_of_retailrocket_end_their_session_with_a_transaction() -> None:
    sequences = prepare(load("retailrocket_mbht", targets=True).events).sequences
    corpus = prepare(load("retailrocket_mbht").events)
    assert sequences.num_events == corpus.sequences.num_events + sequences.num_users
    last = sequences.behaviours[sequences.offsets[1:] - 1]
    assert (last == corpus.behaviours.index("transaction")).all()


@real_data
def test_what_is_said_of_retailrockets_rows_is_so() -> None:
    frame = pl.read_parquet(ROOT / "retailrocket-mbht" / "train.parquet")
    columns = (frame[name].to_list() for name in ("item_id_list", "item_type_list", "item_id"))
    rows = [(tuple(items), tuple(types), target) for items, types, target in zip(*columns, strict=True)]
    types_of: dict[tuple[int, ...], set[tuple[int, ...]]] = {}
    for items, types, _ in rows:
        if len(items) >= 3:
            types_of.setdefault(items, set()).add(types)
    places = [set(place) for copies in types_of.values() for place in zip(*copies, strict=True)]
    assert [place for place in places if len(place) > 1] == [{0, 3}] * 1_482
    target_of = {tuple(zip(i, (0 if k == 3 else k for k in types), strict=True)): t for i, types, t in rows}
    following = {
        (row[:stop], row[stop]) for row in target_of for stop in range(3, len(row)) if row[:stop] in target_of
    }
    assert len({row for row, _ in following}) == 4_253
    assert all(event == (target_of[row], 0) for row, event in following)


def tmall(behaviour: str, part: str) -> pl.DataFrame:
    return pl.read_parquet(ROOT / "tmall-mbcgcn" / f"{behaviour}_{part}.parquet")


@real_data
def test_leave_one_out_tests_the_published_buys_of_tmall() -> None:
    corpus = prepare(load("tmall_mbcgcn").events)
    sequences = corpus.sequences
    split = LeaveOneOut().split(sequences)
    published = tmall("buy", "test").sort("user_id")
    assert np.array_equal(corpus.users.ids, published["user_id"])
    assert np.array_equal(corpus.items.decode(sequences.items[split.test]), published["item_id"])
    assert set(sequences.behaviours[split.validation]) == {corpus.behaviours.index("buy")}
    assert visited(sequences, split.test).sum() == 12_852  # 83.2 %
    places = np.arange(sequences.num_events)
    trained = places < split.train_stop[sequences.users_of(places)]
    bought = np.flatnonzero(trained & (sequences.behaviours == corpus.behaviours.index("buy")))
    assert round(visited(sequences, bought).mean(), 3) == 0.438


@real_data
def test_tmall_asks_a_third_of_its_users_about_each_behaviour() -> None:
    corpus = prepare(load("tmall_mbcgcn", asked="each").events)
    sequences = corpus.sequences
    assert (len(corpus.users), len(corpus.items), sequences.num_events) == COUNTS["tmall_mbcgcn"][:3]
    split = LeaveOneOut().split(sequences)
    behaviours = sequences.behaviours[split.test]
    assert np.array_equal(sequences.behaviours[split.validation], behaviours)
    for behaviour, num_asked, num_visited in (
        ("buy", 5_182, 4_305),
        ("cart", 5_110, 3_415),
        ("view", 5_157, 1_186),
    ):
        targets = split.test[behaviours == corpus.behaviours.index(behaviour)]
        published = tmall(behaviour, "test").sort("user_id")["item_id"].gather(sequences.users_of(targets))
        assert np.array_equal(corpus.items.decode(sequences.items[targets]), published)
        assert (len(targets), visited(sequences, targets).sum()) == (num_asked, num_visited)


@real_data
def test_what_is_said_of_tmalls_files_is_so() -> None:
    pair = ["user_id", "item_id"]
    trained = {name: tmall(name, "train").select(pair) for name in ("view", "cart", "buy")}
    tested = {name: tmall(name, "test").select(pair) for name in ("view", "cart", "buy")}
    asked, visits = tested["buy"], pl.concat([trained["view"], trained["cart"]])
    for frame in trained.values():
        assert frame.group_by("user_id").len().filter(pl.col("len") >= 2).height == 15_449
    for frame in tested.values():
        assert frame["user_id"].n_unique() == frame.height == 15_449
    assert asked.join(trained["view"], on=pair, how="semi").height == 12_315  # 79.7 %
    for name, drawn_share, tested_share in (
        ("buy", 0.833, 0.832),
        ("cart", 0.667, 0.663),
        ("view", 0.227, 0.226),
    ):
        assert tested[name].join(trained[name], on=pair, how="semi").height == 0
        others = pl.concat([trained[other] for other in trained if other != name]).unique()
        found = trained[name].join(others.with_columns(found=True), on=pair, how="left")
        by_user = found.group_by("user_id").agg(pl.col("found").count() / pl.len())
        assert by_user["found"].mean() == pytest.approx(drawn_share, abs=5e-4)
        assert tested[name].join(others, on=pair, how="semi").height / 15_449 == pytest.approx(
            tested_share, abs=5e-4
        )
    unvisited = asked.join(visits, on=pair, how="anti")
    assert unvisited.height == 2_597
    assert unvisited.join(pl.concat([tested["view"], tested["cart"]]), on=pair, how="semi").height == 311
    # Numbered by their first buyer: who is first to buy something has the next numbers, all of them.
    first = pl.concat([trained["buy"], asked]).group_by("item_id").agg(pl.col("user_id").min())
    assert first.sort("item_id")["user_id"].is_sorted()
    assert first["item_id"].max() == first.height - 1
    assert first["user_id"].n_unique() == 5_122
    assert first.filter(user_id=0)["item_id"].sort().to_list() == list(range(13))


@real_data
@pytest.mark.parametrize("behaviour", ["cart", "buy"])
def test_tmalls_lists_are_shuffled(behaviour: str) -> None:
    lists = tmall(behaviour, "train").with_columns(pl.len().over("user_id").alias("length"))
    lists = lists.filter(pl.col("length") >= 4).with_columns(pl.col("list_pos") / (pl.col("length") - 1))
    items = lists.group_by("item_id").agg(pl.col("list_pos").mean(), pl.len()).filter(pl.col("len") >= 20)
    by_chance = (lists["list_pos"].var() / items["len"]).mean()  # type: ignore[operator]
    assert items["list_pos"].var() == pytest.approx(by_chance, rel=0.1)
