"""What the store and a request say of people is in the lists of a model that reads it."""

import json

import polars as pl
import pytest

from intertask import People, Recommender
from intertask.errors import RequestError
from intertask.recipe import Recipe
from intertask.runs import run
from intertask.service import making, peopling, registry, seed
from intertask.service.attributes import cell
from intertask.service.gate import _gains
from intertask.service.loaded import Loaded
from intertask.service.properties import BringPeople, Person, PutPeople
from intertask.service.properties import people as people_of
from intertask.service.questions import Question
from intertask.service.versions import AddVersion, Raise
from tests import shop
from tests.service.asking import asking
from tests.sides import RING, events, log, people, recipe


@pytest.fixture(scope="module")
def trained():
    return Recommender(recipe()).fit(log(), people=People.read(people()))


@pytest.fixture(scope="module")
def loaded(trained):
    return Loaded("x", trained)


STEP = ("0", "event", 0)


def best(loaded, question, properties=None, steps=(STEP,)):
    person = dict if properties is None else lambda: properties
    ranked, unknown = loaded.rank([loaded.prepare(question, list(steps), ["0"], person=person)])
    return loaded.names(ranked.items_BK[0])[0], unknown[0]


def asked(**attributes):
    return Question(tenant=0, person=None, k=2, attributes=attributes)


def test_the_store_says_who_asks_and_the_request_goes_before_it(loaded):
    assert best(loaded, asked(), {"side": "even"}) == ("1", {})
    assert best(loaded, asked(), {"side": "odd"}) == (str(RING - 1), {})
    assert best(loaded, asked(side="even"), {"side": "odd"}) == ("1", {})


def test_each_of_several_who_ask_together_is_read_with_what_is_known_of_them(loaded):
    sides = ["odd", "even", "odd", None]
    prepared = [loaded.prepare(asked(side=side), [STEP], ["0"]) for side in sides]
    together = loaded.rank(prepared)[0].scores_BK
    for row, one in enumerate(prepared):
        assert loaded.rank([one])[0].scores_BK[0] == pytest.approx(together[row], abs=1e-5)
    assert loaded.names(loaded.rank(prepared)[0].items_BK[:3, 0]) == [str(RING - 1), "1", str(RING - 1)]


def test_the_service_answers_as_the_recommender_does(loaded, trained):
    known = {"side": "odd", "age": 23}
    told = trained.recommend(histories=[[0]], attributes=[known], k=3, exclude_seen=True)
    ranked, _ = loaded.rank([loaded.prepare(asked(**known), [STEP], ["0"])])
    assert loaded.names(ranked.items_BK[0][:2]) == [str(item) for item in told["item"][:2]]
    assert ranked.scores_BK[0][:2] == pytest.approx(told["score"].to_list()[:2], abs=1e-5)


def test_properties_that_the_model_cannot_read_are_missing_and_counted(loaded):
    odd = {"age": "old", "side": ["even"], "shoe": 42}
    item, unknown = best(loaded, asked(), odd)
    assert unknown == {"attributes": 2} and item == best(loaded, asked())[0]


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"sde": "odd"}, "did you mean 'side'"),
        ({"age": "old"}, r"attributes.age: expected a finite number of at most 3e\+38, found 'old'"),
        ({"age": float("nan")}, "a finite number"),
        ({"age": 10**400}, "a finite number"),
        ({"age": 1e39}, r"of at most 3e\+38, found 1e\+39"),
        ({"age": True}, "a finite number"),
        ({"side": ["odd"]}, "attributes.side: expected text"),
    ],
)
def test_what_a_request_cannot_say_is_refused_in_one_line(loaded, attributes, words):
    with pytest.raises(RequestError, match=words) as refused:
        best(loaded, asked(**attributes))
    assert "\n" not in str(refused.value)


def test_a_model_of_events_alone_looks_nobody_up():
    plain = Loaded("y", shop.recommender())

    def person():
        raise AssertionError("the store was asked")

    plain.prepare(Question(tenant=0, person="p"), [], [], person=person)
    with pytest.raises(RequestError, match="none: it reads events alone"):
        plain.prepare(asked(age=3), [], [])


@pytest.mark.parametrize(
    ("value", "kind", "found"),
    [
        (1.0, "category", "1"),
        (True, "category", "true"),
        (" a ", "category", "a"),
        ("", "category", None),
        ("nan", "number", None),
        ("3.5", "number", 3.5),
        (7, "number", 7.0),
    ],
)
def test_a_value_is_read_as_a_file_would_have_it(value, kind, found):
    assert cell(value, kind) == found


def test_a_candidate_is_judged_with_what_is_known(loaded):
    wanted, histories = [("a", "1"), ("b", str(RING - 1))], {"a": [STEP], "b": [STEP]}
    right = _gains(loaded, wanted, histories, {"a": {"side": "even"}, "b": {"side": "odd"}})
    wrong = _gains(loaded, wanted, histories, {"a": {"side": "odd"}, "b": {"side": "even"}})
    assert right.mean() > 0.9 and wrong.mean() < 0.9


def test_the_properties_of_the_store_become_the_table_of_a_training(tmp_path):
    told = {"1": {"user": "x", "age": 3, "tags": ["a"]}, "2": {"user": "y", "age": 4.5}, "3": {"age": None}}
    file = tmp_path / "people.jsonl"
    file.write_text("".join(json.dumps([name, own]) + "\n" for name, own in told.items()))
    section = peopling.write(file, tmp_path / "people.parquet", {})
    read = People.read(
        tmp_path / "people.parquet",
        user=str(section["user"]),
        categories=section["categories"],
        numbers=section["numbers"],
    )
    assert read.columns == {"user": "category", "age": "number"}
    assert read.frame.rows() == [("x", 3.0), ("y", 4.5), (None, None)]
    named = peopling.write(file, tmp_path / "people.parquet", {"age": "category", "plan": "category"})
    assert named["categories"] == ["age", "plan"] and named["numbers"] == []
    with pytest.raises(RequestError, match="users with properties"):
        peopling.write(tmp_path / "none", tmp_path / "people.parquet", {})


def test_what_a_recipe_names_is_read_and_else_what_the_active_model_reads(trained, tmp_path):
    trained.save(tmp_path / "model")
    own = recipe()
    assert peopling.kinds(own, tmp_path / "model") == {"side": "category", "age": "number"}
    assert peopling.kinds(own, None) == {}
    named = {"events": {"path": "a"}, "people": {"path": "b", "numbers": ["age"]}}
    told = Recipe.model_validate(own.model_dump(mode="json") | {"data": named})
    assert peopling.kinds(told, tmp_path / "model") == {"age": "number"}


def test_a_training_on_the_store_reads_its_people(trained, tmp_path):
    trained.save(tmp_path / "model")
    job = tmp_path / "job"
    job.mkdir()
    lines = [json.dumps([str(user), {"side": side}]) for user, side, _ in people().iter_rows()]
    (job / "people.jsonl").write_text("\n".join(lines))
    training = events().with_columns(
        pl.col("user", "item").cast(pl.String),
        pl.from_epoch(pl.col("time") + shop.START).alias("time"),
        pl.lit("event").alias("behaviour"),
    )
    training.write_parquet(job / "training.parquet")
    own = making._recipe(None, tmp_path / "model", job).with_({"train.epochs": 1})
    assert own.data.people is not None and own.data.people.categories == ("side",)
    file = job / "recipe.json"
    file.write_text(own.model_dump_json())
    fitted = run.train(file, job / "run")
    assert fitted.corpus.people is not None and len(fitted.corpus.people) == len(lines)


def test_what_a_model_keeps_of_its_people_comes_in_with_it_once(store, trained):
    with store.transaction():
        PutPeople(tenant=1, people=(Person(person="3", properties={"side": "even"}),)).run(store)
        for batch in [*seed.known(trained), *seed.known(trained)]:
            BringPeople(tenant=1, people=batch).run(store)
    known = {one.person: one.properties for one in people_of(store, 1, "", 1_000)}
    assert len(known) == len(people())
    assert known["2"] == {"side": "even", "age": 22.0} and known["3"] == {"side": "even"}
    assert people_of(store, 1, "2", 1)[0].person > "2" and not people_of(store, 2, "", 10)


def test_a_model_of_events_alone_brings_nobody():
    assert list(seed.known(shop.recommender())) == []


def test_over_http_a_list_depends_on_the_user_and_on_the_body(place, store, address, key, trained, tmp_path):
    if address != "sqlite":
        pytest.skip("the statements are those of other requests")
    trained.save(tmp_path / "mine")
    added = registry.add(tmp_path / "mine", place.models)
    with store.transaction():
        version = AddVersion(tenant=1, digest=added.digest, facts=added.facts).run(store).version
        Raise(tenant=1, version=version).run(store)
    with asking(place, key()) as client:

        def first(**body):
            found = client.post("/v1/recommend", json={"k": 1, "seen": True} | body)
            assert found.status_code == 200, found.text
            return found.json()["items"][0]["item"]

        users = [
            {"user": "up", "properties": {"side": "even"}},
            {"user": "down", "properties": {"side": "odd"}},
        ]
        assert client.put("/v1/users", json={"users": users}).status_code == 200
        history = [{"item": 0}]
        assert first(user="up", history=history) == "1"
        assert first(user="down", history=history) == str(RING - 1)
        assert first(user="down", history=history, attributes={"side": "even"}) == "1"
        assert first(history=history, attributes={"side": "odd"}) == str(RING - 1)
        assert first(attributes={"side": "odd"})
        for attributes in ({"sde": 1}, {"age": "old"}, {"age": [1]}, {"": 1}, [1], "odd"):
            refused = client.post("/v1/recommend", json={"history": history, "attributes": attributes})
            assert refused.status_code == 400 and "attributes" in refused.json()["where"], refused.text
