"""A recommender with a ranker, from the recipe to the lists."""

from contextlib import contextmanager
from functools import cache

import numpy as np
import polars as pl
import pytest

from intertask import EventLog, Recommender
from intertask.answering.rules import Rules
from intertask.errors import ArtefactError, IntertaskError, RecipeError
from intertask.evaluate.config import ALONE, MODEL, WITHOUT
from intertask.events import evaluation, mixing
from intertask.rankers import MODEL as OF_MODEL
from intertask.ranking import Ranker, keeping, neutral
from tests import shop

SOURCES = {"transition": "transition", "repeat": "repeat", "popularity": "popularity"}
RANKER = {"kind": "blend", "sources": SOURCES}


def many(seed=0, users=120):
    """Users who repeat the last item but one, which a model trained for an epoch does not know."""
    random = np.random.default_rng(seed)
    rows = []
    for user in range(users):
        items = random.integers(30, size=3).tolist()
        for _ in range(int(random.integers(5, 9))):
            items.append(items[-2] if random.random() < 0.8 else int(random.integers(30)))
        rows += [
            (f"u{user}", f"i{item}", time, "buy" if time % 2 else "view") for time, item in enumerate(items)
        ]
    return pl.DataFrame(rows, schema=["user", "item", "time", "behaviour"], orient="row")


def recipe(**changes):
    base = {
        "tasks": {"next": {"kind": "next_item"}, "buys": {"kind": "next_item", "behaviour": "buy"}},
        "evaluation": {
            "k": (5, 10),
            "history": ("kept",),
            "resamples": 100,
            "baselines": {"p": "popularity"},
        },
        "train": {"epochs": 1, "workers": 0},
        "ranker": RANKER,
    }
    return shop.recipe(**(base | changes))


@cache
def trained():
    """Made once; nobody may change it."""
    log = EventLog.read(many(), time="time", behaviour="behaviour")
    return Recommender(recipe()).fit(log)


def ndcg(found):
    frame = found.to_frame().filter(
        pl.col("metric") == "ndcg@10", pl.col("slice") == "all", pl.col("task") == "next"
    )
    return dict(frame.select("system", "value").iter_rows())


def test_evaluation_sets_the_mixture_against_the_model_and_what_counts_and_each_source():
    found = trained().evaluate()
    values = ndcg(found)
    assert {MODEL, ALONE, WITHOUT, *SOURCES} <= values.keys()
    assert values[MODEL] > values[ALONE] + 0.1
    assert values[MODEL] >= max(values[name] for name in SOURCES) - 0.02
    assert {row.baseline for row in found.differences} >= {ALONE, WITHOUT, "repeat"}


def test_evaluation_counts_as_many_systems_as_it_asks(monkeypatch):
    moved = []

    @contextmanager
    def bar(_what, total):
        yield lambda number, _words: moved.append((number, total))

    monkeypatch.setattr(evaluation, "bar", bar)
    trained().evaluate()
    assert moved == [(1, len(SOURCES) + 4)] * (len(SOURCES) + 4)  # the mixture, its two parts, a baseline


def test_what_the_model_knows_nothing_of_is_left_to_the_sources():
    """An item that no event trained has a random vector, which must not hide that it was had a moment ago."""
    logits = np.array([[3.0, -50.0, 1.0], [0.0, 50.0, 4.0]], np.float32)
    idle = np.array([False, True, False])
    assert neutral(logits, idle).tolist() == [[3.0, 2.0, 1.0], [0.0, 2.0, 4.0]]
    assert neutral(logits, None) is logits and logits[0, 1] == -50
    log = pl.concat(
        [many(), pl.DataFrame({"user": "u0", "item": "i99", "time": [90, 91], "behaviour": "view"})]
    )
    events = EventLog.read(log, time="time", behaviour="behaviour")
    model = Recommender(recipe()).fit(events)
    own = model.evaluate().targets.filter(pl.col("system").is_in([MODEL, "repeat"]), task="next")
    user = model.users.to_list().index("u0")
    target = int(model.histories.offsets[user + 1]) - 1
    ranks = dict(own.filter(target=target).select("system", "value").iter_rows())
    assert ranks[MODEL] <= ranks["repeat"] + 2 <= 8


def test_a_model_that_adds_nothing_is_said_to_add_nothing():
    names = [finding.name for finding in trained().evaluate().findings]
    assert "model_adds_nothing" in names


def test_a_list_of_one_task_knows_which_behaviour_came_before(tmp_path):
    """What was put in the cart is bought, what was only looked at is not."""
    random = np.random.default_rng(0)
    rows = []
    for user in range(150):
        for visit in range(4):
            items = random.choice(30, 5, replace=False).tolist()
            cart = int(random.integers(5))
            kinds = ["cart" if place == cart else "v: iew" for place in range(5)] + ["buy"]
            for place, (item, kind) in enumerate(zip([*items, items[cart]], kinds, strict=True)):
                rows.append((f"u{user}", f"i{item}", 10 * visit + place, kind))
    frame = pl.DataFrame(rows, schema=["user", "item", "time", "behaviour"], orient="row")
    log = EventLog.read(frame, time="time", behaviour="behaviour")
    tasks = {"buys": {"kind": "next_item", "behaviour": "buy"}}
    split = {"kind": "time", "train": 0.5, "validation": 0.25}
    values = {}
    for apart in (False, True):
        sources = {"repeat": {"kind": "repeat", "each_behaviour": apart}, "popularity": "popularity"}
        ranker = {"kind": "blend", "sources": sources}
        model = Recommender(recipe(tasks=tasks, split=split, ranker=ranker)).fit(log)
        values[apart] = {
            row.system: row.metrics["ndcg@10"] for row in model.evaluate().rankings if row.slice == "all"
        }
    assert values[True]["intertask"] > 0.9 > values[False]["intertask"] + 0.1
    assert {"repeat", "repeat of cart", "repeat of buy", "repeat of v_ iew"} <= values[True].keys()
    model.save(tmp_path / "model")
    asked = {"histories": [[("i1", "cart"), ("i2", "v: iew"), ("i3", "v: iew")]], "k": 3}
    found = Recommender.load(tmp_path / "model").recommend(**asked)
    assert found.equals(model.recommend(**asked)) and found["item"][0] == "i1"


def test_a_model_trained_once_more_reads_the_behaviours_that_its_weights_are_of():
    """Which ones are frequent is another question of all events than of those that taught."""
    random = np.random.default_rng(0)
    rows = []
    for user in range(60):
        kinds = [*range(8), *range(7), 8, 8]  # the last two are asked for: in training there is no 8
        rows += [(f"u{user}", f"i{random.integers(9)}", time, f"b{kind}") for time, kind in enumerate(kinds)]
    frame = pl.DataFrame(rows, schema=["user", "item", "time", "behaviour"], orient="row")
    ranker = {"kind": "blend", "sources": {"repeat": {"kind": "repeat", "each_behaviour": True}}}
    again = recipe(tasks={"next": {"kind": "next_item"}}, ranker=ranker)
    model = Recommender(again).fit(EventLog.read(frame, time="time", behaviour="behaviour"))
    fitted = model.fitted
    assert fitted is not None and fitted.ranker is not None and "repeat of b7" in fitted.ranker.signals
    after = mixing.refitted(again.ranker, fitted.ranker, fitted.model, fitted.corpus, again.seed)
    assert after is not None and after.signals.keys() == fitted.ranker.signals.keys()


def test_the_lists_that_are_served_are_those_that_are_measured():
    model = trained()
    split = model.recipe.split_events(model.histories)
    ranks = model.evaluate().targets.filter(system=MODEL, task="next").sort("target")
    for target, rank in zip(split.test[:20], ranks["value"][:20], strict=True):
        start = model.histories.offsets[model.histories.users_of(np.array([target]))[0]]
        reader = model.answerer.reader
        items = reader.items.decode(model.histories.items[start:target]).to_list()
        kinds = [reader.behaviours[code] for code in model.histories.behaviours[start:target]]
        asked = list(zip(items, kinds, strict=True))
        found = model.recommend(histories=[asked], k=30)["item"].to_list()
        own = reader.items.decode(model.histories.items[[target]])[0]
        assert abs(found.index(own) + 1 - rank) <= 1  # ties count against the measured one


def test_the_validation_part_which_taught_the_ranker_measures_the_model_alone():
    found = trained().evaluate(part="validation")
    assert not {ALONE, WITHOUT} & ndcg(found).keys()
    assert any("learned on the validation part" in note for note in found.notes)


def test_a_saved_ranker_answers_to_the_bit(tmp_path):
    model = trained()
    model.save(tmp_path / "m")
    again = Recommender.load(tmp_path / "m")
    asked = {"users": model.users[:9], "k": 7}
    for more in ({}, {"exclude_seen": True}, {"task": "buys"}, {"objective": {"next": 1, "buys": 0.5}}):
        assert again.recommend(**asked, **more).equals(model.recommend(**asked, **more))
    again.save(tmp_path / "n")
    names = {file.name: file.read_bytes() for file in (tmp_path / "m").iterdir()}
    assert names == {file.name: file.read_bytes() for file in (tmp_path / "n").iterdir()}


def test_a_history_is_answered_the_same_alone_and_among_others():
    model, answerer = trained(), trained().answerer
    asked = answerer.reader.read(model.users[:6].to_list(), None)
    seen = np.array([True, False, True, False, False, True])
    together = answerer.rank(asked, "next", Rules(5, seen, None), None)
    for row, user in enumerate(model.users[:6].to_list()):
        alone = answerer.rank(
            answerer.reader.read([user], None), "next", Rules(5, bool(seen[row]), None), None
        )
        assert alone.items_BK[0].tolist() == together.items_BK[row].tolist()


def test_an_empty_history_is_answered_by_what_is_popular():
    found = trained().recommend(histories=[[], ["i1"]], k=3)
    assert found.filter(pl.col("history") == 0).height == 3


def test_each_task_reads_the_scores_of_the_others():
    ranker = trained().answerer.ranker
    assert isinstance(ranker, Ranker)
    read = {name for mixer in ranker.mixers.values() for name in mixer.read}
    assert {OF_MODEL + "next", OF_MODEL + "buys"} <= read


def test_a_ranker_without_events_to_learn_on_is_refused_before_training(tmp_path):
    log = EventLog.read(many(users=10), time="time", behaviour="behaviour")
    with pytest.raises(RecipeError, match=rf"\[ranker\].*{mixing.FEWEST} validation events"):
        Recommender(recipe()).fit(log, run=tmp_path / "run")
    assert not (tmp_path / "run" / "journal.jsonl").exists()


def test_a_ranker_of_a_model_that_ranks_nothing_is_refused():
    with pytest.raises(RecipeError, match=r"\[ranker\].*a task that ranks items"):
        Recommender(recipe(tasks={"what": {"kind": "next_behaviour"}})).fit(
            EventLog.read(many(), time="time", behaviour="behaviour")
        )


def test_a_folder_that_lacks_its_ranker_is_refused(tmp_path):
    trained().save(tmp_path / "m")
    (tmp_path / "m" / "ranker.safetensors").unlink()
    with pytest.raises(ArtefactError, match="ranker"):
        Recommender.load(tmp_path / "m")


def test_a_model_without_a_ranker_writes_what_it_wrote_before(tmp_path):
    shop.recommender().save(tmp_path / "m")
    assert "ranker" not in (tmp_path / "m" / "schema.json").read_text("utf-8")
    assert not (tmp_path / "m" / "ranker.safetensors").exists()


def test_another_ranker_is_no_other_run():
    assert recipe().shaping() == recipe(ranker={"kind": "none"}).shaping()


def test_shared_arrays_that_are_not_there_or_twice_are_refused():
    ranker = trained().answerer.ranker
    told, found = keeping.outline(ranker), keeping.arrays(ranker)
    tasks, num = ["next", "buys"], len(trained().items)
    name = next(iter(found))
    for same in ({"sources/x/content": "nowhere"}, {name: name}):
        with pytest.raises(IntertaskError, match="the name of an array"):
            keeping.restored(
                told.model_copy(update={"same": same}), found, trained().recipe.ranker, tasks, num, "test"
            )


def test_trees_read_facts_about_items_which_are_no_sources(tmp_path):
    trees = {"kind": "trees", "sources": SOURCES, "num_trees": 5, "events": 200}
    log = EventLog.read(many(), time="time", behaviour="behaviour")
    model = Recommender(recipe(ranker=trees)).fit(log)
    ranker = model.answerer.ranker
    facts = {"item/events", "item/age", "item/rest"}
    assert facts < ranker.signals.keys() and ranker.scores.keys() == set(SOURCES)
    assert all(facts < set(mixer.read) for mixer in ranker.mixers.values())
    assert not any(name.startswith("item/") for name in ndcg(model.evaluate()))
    model.save(tmp_path / "m")
    again = Recommender.load(tmp_path / "m")
    asked = {"users": model.users[:9], "k": 7}
    assert again.recommend(**asked).equals(model.recommend(**asked))
    for name, form in (("item/age", "constant"), ("price", "fact")):
        told = keeping.outline(ranker).model_dump()
        told["sources"] = {name: form}
        with pytest.raises(ValueError, match="facts, and no others"):
            keeping.Outline.model_validate(told)
