"""What is known of people, beside their events: from a file to lists, folders and requests."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from intertask import EventLog, People, Recommender
from intertask.answering.answerer import Answerer
from intertask.answering.updating import update
from intertask.data.prepare import open_corpus, prepare
from intertask.errors import ArtefactError, DataError, RecipeError, RequestError
from intertask.events import beside
from intertask.fitting.assessment import assess
from intertask.runs import run
from tests import shop
from tests.sides import NUM_USERS, RING, log, people, recipe


@pytest.fixture(scope="module")
def trained() -> Recommender:
    return Recommender(recipe()).fit(log(), people=People.read(people()))


def first(found: pl.DataFrame) -> list[object]:
    return found.filter(pl.col("rank") == 1)["item"].to_list()


def test_what_is_known_of_somebody_decides_where_a_history_says_nothing(trained):
    found = trained.recommend(
        histories=[[0], [0]], attributes=[{"side": "even"}, {"side": "odd"}], exclude_seen=True, k=1
    )
    assert first(found) == [1, RING - 1]


def test_a_user_is_read_with_what_is_kept_and_a_request_may_say_otherwise(trained):
    asked = {"exclude_seen": True, "k": 3}
    kept = trained.recommend(users=[2], **asked)
    same = trained.recommend(users=[2], attributes={"side": "even"}, **asked)
    other = trained.recommend(users=[2], attributes={"side": "odd"}, **asked)
    assert kept.equals(same) and not kept["score"].equals(other["score"])


def test_a_reason_is_found_with_what_is_known(trained, monkeypatch):
    """The score without an event is set against that of the whole history: of the same person."""
    seen = []
    scores = Answerer.scores

    def heard(self, asked, task, at=None, seen_=None):
        seen.append(asked.sequences.beside["person"].missing_BF.any().item())
        return scores(self, asked, task, at, seen_)

    monkeypatch.setattr(Answerer, "scores", heard)
    known = {"side": "even", "age": 23.0}
    found = trained.recommend(histories=[[0, 1]], attributes=[known], explain=True, k=2)
    assert len(found) == 2 and seen and not any(seen)


@pytest.fixture(scope="module")
def halves() -> Recommender:
    """Two halves that share no item: who belongs to which is known, and nothing else."""
    rows = [
        (user, 4 * (user % 2) + (user // 2 + step) % 4, step)
        for user in range(NUM_USERS)
        for step in range(6)
    ]
    own = EventLog.read(pl.DataFrame(rows, schema=["user", "item", "time"], orient="row"), time="time")
    return Recommender(recipe()).fit(own, people=People.read(people()))


def scores(found: pl.DataFrame, place: int = 0) -> list[float]:
    return found.filter(pl.col("history") == place).sort("item")["score"].to_list()


ALL = {"exclude_seen": False, "k": RING}
TOLD = [{"side": "even"}, {"side": "odd"}, {"side": None}, {"side": "neither"}]


def test_without_an_event_a_list_is_what_is_popular_among_people_alike(halves):
    together = halves.recommend(histories=[[]] * 4, attributes=TOLD, **ALL)
    even, odd, nothing, unknown = (scores(together, place) for place in range(4))
    assert min(even[:4]) > 1.5 * max(even[4:]) and min(odd[4:]) > 1.5 * max(odd[:4])
    assert nothing == unknown == scores(halves.recommend(histories=[[]], **ALL))
    assert odd == scores(halves.recommend(histories=[[]], attributes=TOLD[1], **ALL))
    mixed = halves.recommend(histories=[[], [0], []], attributes=[TOLD[1], TOLD[0], TOLD[0]], **ALL)
    assert scores(mixed, 0) == odd and scores(mixed, 2) == even
    weighed = halves.recommend(histories=[[]], attributes=TOLD[1], objective={"next": 1}, **ALL)
    assert weighed["item"].to_list() == together.filter(pl.col("history") == 1)["item"].to_list()


def test_without_histories_a_list_is_moved_by_what_the_model_has_learnt_of_attributes(trained, tmp_path):
    trained.save(tmp_path / "model", histories=False)
    bare = Recommender.load(tmp_path / "model")
    even, odd, nothing = (scores(bare.recommend(histories=[[]], attributes=own, **ALL)) for own in TOLD[:3])
    assert nothing == scores(bare.recommend(histories=[[]], **ALL))
    assert np.isfinite(even).all() and even not in (nothing, odd)


def test_people_with_numbers_near_one_another_are_alike():
    ages = people().with_columns(pl.Series("age", [20.0 + 40 * (user % 2) + user / 60 for user in range(60)]))
    rows = [(user, 4 * (user % 2) + step % 4, step) for user in range(NUM_USERS) for step in range(6)]
    own = EventLog.read(pl.DataFrame(rows, schema=["user", "item", "time"], orient="row"), time="time")
    few = recipe(train={"epochs": 1, "workers": 0, "refit": False})
    model = Recommender(few).fit(own, people=People.read(ages.drop("side")))
    young, old = (scores(model.recommend(histories=[[]], attributes={"age": age}, **ALL)) for age in (18, 95))
    assert min(young[:4]) > max(young[4:]) and min(old[4:]) > max(old[:4])


def test_nothing_said_is_all_missing(trained):
    plain = trained.recommend(histories=[[0]], k=3)
    said = trained.recommend(histories=[[0]], attributes=[{"side": None, "age": ""}], k=3)
    assert plain.equals(said)


def test_an_unknown_category_is_read_as_one(trained):
    found = trained.recommend(histories=[[0]], attributes=[{"side": "neither"}], k=3)
    assert found["score"].is_finite().all()


def test_a_tenth_of_the_people_is_hidden_while_the_model_learns(trained):
    corpus = prepare(log(), people=People.read(people()))
    readers = beside.readers_of(trained.model)
    whole = beside.known(corpus, readers).sequences.beside["person"]
    part = beside.partly_known(corpus, readers).beside["person"]
    hidden = (part.codes_BC != whole.codes_BC).any(1).numpy()
    assert 0.05 < hidden.mean() < 0.2
    assert part.missing_BF.numpy()[hidden].all()


def test_it_is_evaluated_with_what_is_known():
    """Of two items one follows, by who asks; the model reads one event, which is the same for all."""
    rows = [
        (user, 0 if step % 2 == 0 else 1 + user % 2, step) for user in range(NUM_USERS) for step in range(6)
    ]
    log = EventLog.read(pl.DataFrame(rows, schema=["user", "item", "time"], orient="row"), time="time")
    training = {"epochs": 25, "workers": 0, "learning_rate": 3e-2, "warmup_steps": 1, "refit": False}
    model = Recommender(recipe(max_length=1, train=training)).fit(log, people=People.read(people()))
    blind = replace(model.fitted.corpus, people=None)
    blind = replace(blind, sequences=replace(blind.sequences, beside={}))
    without = assess(model.model, model.recipe, blind, None, "test", None)
    told, hidden = (found.rankings[0].metrics["hr@1"] for found in (model.evaluate(), without))
    assert told > 0.95 and hidden < 0.7


def test_a_folder_answers_as_before_to_the_bit_and_keeps_what_is_known(trained, tmp_path):
    trained.save(tmp_path / "model")
    loaded = Recommender.load(tmp_path / "model")
    asked = {"users": [1, 2, 3], "k": 5}
    assert loaded.recommend(**asked).equals(trained.recommend(**asked))
    assert loaded.answerer.people.frame.equals(trained.answerer.people.frame)


def test_a_folder_without_histories_holds_nobody(trained, tmp_path):
    trained.save(tmp_path / "model", histories=False)
    assert not (tmp_path / "model" / "people.parquet").exists()
    loaded = Recommender.load(tmp_path / "model")
    asked = {"histories": [[0]], "attributes": [{"side": "odd"}], "k": 3}
    assert loaded.recommend(**asked).equals(trained.recommend(**asked))


def test_a_folder_keeps_those_alone_whose_histories_it_keeps(trained, tmp_path):
    more = pl.concat([people(), people().with_columns(pl.col("user") + 1_000)])
    model = Recommender(recipe(train={"epochs": 1, "workers": 0, "refit": False}))
    model.fit(log(), people=People.read(more)).save(tmp_path / "model")
    assert len(Recommender.load(tmp_path / "model").answerer.people) == NUM_USERS


@pytest.mark.parametrize("file", ["readers.json", "people.parquet"])
def test_a_damaged_folder_is_refused_in_one_line(trained, tmp_path, file):
    trained.save(tmp_path / "model")
    (tmp_path / "model" / file).write_bytes(b"{}")
    with pytest.raises(ArtefactError, match=file):
        Recommender.load(tmp_path / "model")


def test_events_since_the_training_are_of_people_who_are_known_or_not(trained):
    later = pl.DataFrame({"user": [2, 777], "item": [0, 0], "time": [10_000, 10_000]})
    changed = update(trained.answerer, EventLog.read(later, time="time")).answerer
    cells = changed.reader.stored.beside["person"]
    assert len(cells.codes_BC) == NUM_USERS + 1 and bool(cells.missing_BF[-1].all())


def test_a_training_that_starts_from_a_model_reads_words_as_it_does(trained):
    """More of the others would come first, were the words found anew, and stand for what they are not."""
    more = people().with_columns(
        pl.when(pl.col("user") < 45).then(pl.lit("odd")).otherwise("side").alias("side"),
        pl.lit("x").alias("new"),
    )
    once = {"epochs": 1, "workers": 0, "refit": False}
    model = Recommender(recipe(train=once)).fit(log(), people=People.read(more), start_from=trained)
    before, after = (beside.readers_of(one.model) for one in (trained, model))
    assert after == before
    with pytest.raises(DataError, match="a category 'side', which start_from reads, found none"):
        Recommender(recipe(train=once)).fit(log(), people=People.read(more.drop("side")), start_from=trained)


def test_what_is_known_now_stands_in_place_of_what_was(trained, tmp_path):
    asked = {"histories": [[0]], "exclude_seen": True, "k": 3}
    for histories in (True, False):
        trained.save(tmp_path / f"{histories}", histories=histories)
        model = Recommender.load(tmp_path / f"{histories}")
        later = pl.DataFrame({"user": ["2", "4", "new"], "side": ["odd", None, "odd"], "shoe": [1, 2, 3]})
        assert model.update(people=People.read(later)) is model
        known = model.answerer.people
        assert known.of(pl.Series(["2", "4", "new"])).inputs["side"].to_list() == ["odd", None, "odd"]
        if histories:
            assert len(known) == NUM_USERS + 1 and known.of(pl.Series([4])).inputs["age"][0] == 24.0
            told = model.recommend(users=[2], exclude_seen=True, k=3)
            said = trained.recommend(users=[2], attributes={"side": "odd"}, exclude_seen=True, k=3)
            assert told.equals(said)
            model.save(tmp_path / "again")
            assert (
                Recommender.load(tmp_path / "again").recommend(users=[2], exclude_seen=True, k=3).equals(told)
            )
        assert model.recommend(attributes={"side": "odd"}, **asked).equals(
            trained.recommend(attributes={"side": "odd"}, **asked)
        )


@pytest.mark.parametrize(
    ("people", "words"),
    [
        (pl.DataFrame({"user": [1], "shoe": [3]}), "attributes that the model reads: .*, found shoe"),
        (
            pl.DataFrame({"user": [1], "age": ["old"]}),
            "'age': expected a number, as in training, found category",
        ),
    ],
)
def test_what_nobody_can_read_of_people_is_refused_and_nothing_changes(trained, people, words):
    before = trained.answerer
    with pytest.raises(RequestError, match=words):
        trained.update(people=People.read(people))
    assert trained.answerer is before


def test_an_update_needs_events_or_people(trained):
    for bad in ({}, {"people": {"user": [1]}}, {"events": 3, "people": People.read(people())}):
        with pytest.raises(RequestError, match="update"):
            trained.update(**bad)
    with pytest.raises(RequestError, match="it reads none"):
        shop.recommender().update(people=People.read(people()))


def test_a_recipe_of_a_log_says_where_its_people_are(tmp_path):
    file = shop.write_files(tmp_path, _toml())
    _write(tmp_path)
    fitted = run.train(file, tmp_path / "run")
    assert fitted.corpus.people is not None
    assert open_corpus(tmp_path / "run" / "corpus").people.columns == {"age": "number", "plan": "category"}
    found = run.evaluate(tmp_path / "run")
    assert found.rankings
    again = run.train(file, tmp_path / "run")  # a finished run stays as it is
    assert again.trained.epochs == fitted.trained.epochs


def test_users_whom_the_file_lacks_are_said_and_read_as_unknown(tmp_path):
    file = shop.write_files(tmp_path, _toml())
    _write(tmp_path, shop.NUM_USERS // 2)
    with pytest.warns(UserWarning, match="people.csv lacks 15 of 30 users of the log"):
        run.train(file, tmp_path / "run")


def _toml() -> str:
    more = '[data.people]\npath = "people.csv"\nuser = "who"\n\n[inputs.person]\nkind = "table"\n\n[encoder]'
    return shop.TOML.replace("[encoder]", more)


def _write(folder: Path, count: int = shop.NUM_USERS) -> None:
    random = np.random.default_rng(0)
    pl.DataFrame(
        {
            "who": [shop.user_id(number) for number in range(count)],
            "age": random.integers(18, 80, count),
            "plan": random.choice(["free", "paid"], count),
        }
    ).write_csv(folder / "people.csv")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"[inputs.person]\nkind": "[inputs.person]\nkind_"}, "kind"),
        ({'user = "who"': 'user = "nobody"'}, "nobody"),
        ({'path = "people.csv"': 'path = "gone.csv"'}, "gone.csv"),
        ({'kind = "table"': 'kind = "text"'}, "one that reads what is known of a user: table"),
        ({'[inputs.person]\nkind = "table"\n': ""}, "an input that reads it"),
        ({'[data.people]\npath = "people.csv"\nuser = "who"\n': ""}, "what is known of users"),
        ({'kind = "table"': 'kind = "table"\ncolumns = ["shoe"]'}, "shoe"),
        ({'user = "who"': 'user = "age"\ncategories = ["plan"]'}, r"0 of 30: they are called 'ü0'"),
        ({'user = "who"': 'user = "who"\ncategories = ["who"]'}, "an attribute, too"),
        ({"[inputs.person]": "[inputs.input]"}, "of another name than input"),
    ],
)
def test_what_cannot_be_is_refused_before_training(tmp_path, changes, words):
    text = _toml()
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    file = shop.write_files(tmp_path, text)
    _write(tmp_path)
    with pytest.raises((RecipeError, DataError), match=words):
        run.train(file, tmp_path / "run")
    assert not (tmp_path / "run" / "model").exists()


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ([{"sde": "odd"}], "did you mean 'side'"),
        ([{"age": "old"}], "age"),
        ([{"age": float("inf")}], "age"),
        ([{"age": [1]}], "age"),
        ([{}, {}], "1, one for each person"),
        ([7], "a dict of attributes"),
        (7, "a dict of attributes"),
        ([{"side": "a" * 100_001}], "at most 100,000 characters, found 100,001"),
    ],
)
def test_what_a_request_cannot_say_is_refused_in_one_line(trained, attributes, words):
    with pytest.raises(RequestError, match=words) as refused:
        trained.recommend(histories=[[0]], attributes=attributes, k=3)
    assert "\n" not in str(refused.value)


def test_a_model_of_events_alone_takes_no_attributes():
    with pytest.raises(RequestError, match="a model that reads what is known of users"):
        shop.recommender().recommend(histories=[[]], attributes=[{"age": 3}])


def test_people_are_read_once_each_and_their_file_may_be_odd():
    frame = pl.DataFrame({"id": ["a", "a", None, "b"], "age": ["1", "2", "3", "x"], "all": ["", "", "", ""]})
    read = People.read(frame, user="id", numbers=["age"], categories=["all"])
    assert read.ids.to_list() == ["a"] and read.frame["age"].to_list() == [1.0]
    assert read.report.refused == 2 and "first is kept" in read.report.notes[0]
    for odd in ({"user": [1, 2]}, {"user": [1, 2], "user ": ["a", "b"], "age": [1, 2]}):
        with pytest.raises(DataError, match="attribute"):
            People.read(pl.DataFrame(odd))


def test_ids_are_the_same_as_numbers_and_as_text():
    read = People.read(pl.DataFrame({"user": ["7", "8"], "age": [1, 2]}))
    assert read.of(pl.Series([8, 7, 9])).inputs["age"].to_list() == [2.0, 1.0, None]


def test_a_million_categories_are_cut_and_do_not_stop_a_training():
    many = people().with_columns(pl.Series("hash", [f"h{n}" for n in range(NUM_USERS)]))
    model = Recommender(recipe(train={"epochs": 1, "workers": 0, "refit": False}))
    model.fit(log(), people=People.read(many))
    assert model.model.dimensions.fields["person"].categories["hash"].known == ()


def test_a_run_without_people_is_as_it_was():
    corpus = prepare(log())
    assert json.loads(recipe(inputs={}).to_json())["inputs"] == {}
    assert corpus.digest() == corpus.sequences.digest()
