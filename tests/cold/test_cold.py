import io
import json
from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest
import torch
from rich.console import Console
from torch import Tensor

from intertask import Catalogue, EventLog, Recipe
from intertask.cold import shown
from intertask.cold.holdout import FOLDS, HoldOut, Targets, folds, hold_out
from intertask.cold.measures import GRID, NATURAL, AtRandom, Measured, measured
from intertask.cold.mixtures import Summed
from intertask.cold.references import references
from intertask.cold.study import CONSTANT, ColdStart, System, cold_start
from intertask.content.described import Described
from intertask.data.corpus import Corpus
from intertask.data.prepare import prepare
from intertask.errors import DataError, RequestError
from intertask.evaluate.config import MODEL
from intertask.events.splits import LeaveOneOut
from intertask.events.trainable import described_items

GROUPS, OF_GROUP = 5, 12
ITEMS = {"kind": "content", "encoder": "hashed", "text_width": 8}


def world(seed: int = 0) -> Corpus:
    """Everybody stays in one group of items, which the catalogue names; items of a group are alike."""
    random = np.random.default_rng(seed)
    rows = [
        (user, f"{user % GROUPS}-{random.integers(OF_GROUP)}", place)
        for user in range(150)
        for place in range(8)
    ]
    log = EventLog.read(
        pl.DataFrame(rows, schema=["user", "item", "order"], orient="row"), item="item", order="order"
    )
    ids = [f"{group}-{number}" for group in range(GROUPS) for number in range(OF_GROUP)]
    frame = pl.DataFrame({"item": ids, "group": [item[0] for item in ids]})
    return prepare(log, catalogue=Catalogue.read(frame, categories=["group"]))


def held(corpus: Corpus, fold: int = 0) -> HoldOut:
    split = LeaveOneOut().split(corpus.sequences)
    return hold_out(corpus, split, fold, 0.15, 1, masked=False, most=1_000)


def content(part: HoldOut) -> np.ndarray:
    training = part.split.training(part.corpus.sequences)
    counts = np.bincount(training.items, minlength=training.num_items)
    recipe = Recipe.model_validate({"items": ITEMS})
    found = described_items(recipe, part.corpus, counts)
    assert isinstance(found, Described)
    return found.features_IF


def test_folds_are_disjoint_and_have_their_share_of_every_popularity():
    counts = np.random.default_rng(0).permutation(1_000) + 1
    drawn = folds(counts, 0.15, 1)
    assert np.sum(drawn, axis=0).max() == 1
    for fold in drawn:
        of_tenths = [int(fold[part].sum()) for part in np.array_split(np.argsort(counts), 10)]
        assert of_tenths == [15] * 10
    counts[:500] = 0
    assert not np.any(folds(counts, 0.15, 1), axis=0)[:500].any()


def test_nothing_of_a_cold_item_is_left_in_what_is_trained_on_or_read():
    corpus = world()
    for fold in range(FOLDS):
        part = held(corpus, fold)
        cold = np.flatnonzero(part.test.cold_I | part.validation.cold_I)
        assert not np.isin(part.corpus.sequences.items, cold).any()
        assert not (part.test.cold_I & part.validation.cold_I).any()
        part.split.check(part.corpus.sequences)
        for targets in (part.test, part.validation):
            assert (targets.windows.lengths > 0).all()
            assert targets.cold_I[targets.items[targets.cold]].all()
            assert targets.warm_I[targets.items[~targets.cold]].all()
            assert not (targets.warm_I & targets.cold_I).any()


def test_a_history_is_what_is_left_before_its_target():
    corpus = world()
    part = held(corpus)
    cold = part.test.cold_I | part.validation.cold_I
    sequences, windows = corpus.sequences, part.test.windows
    for row in range(0, len(part.test), 7):
        user = part.test.users[row]
        whole = sequences.items[sequences.offsets[user] : sequences.offsets[user + 1] - 1]
        read = part.test.sequences.items[windows.starts[row] : windows.stops[row]]
        assert read.tolist() == whole[~cold[whole]].tolist()


@dataclass
class Known:
    """Scores that are given."""

    scores: Tensor

    def score(self, targets: Targets, rows: np.ndarray) -> Tensor:
        return self.scores[torch.from_numpy(rows)].clone()


def test_a_constant_moves_cold_against_warm_and_no_order_within():
    targets = held(world()).test
    random = torch.randn(len(targets), len(targets.cold_I), generator=torch.Generator().manual_seed(0))
    found = measured(Known(random), targets, 1.0, masked=False)
    cold = targets.cold
    assert (np.diff(found.ndcg[cold], axis=1) >= 0).all()
    assert (np.diff(found.ndcg[~cold], axis=1) <= 0).all()
    assert (np.diff(found.exposure, axis=1) >= 0).all()
    shifted = random.clone()
    shifted[:, torch.from_numpy(targets.cold_I)] += GRID[-1]
    again = measured(Known(shifted), targets, 1.0, masked=False)
    assert np.array_equal(again.ndcg[:, NATURAL], found.ndcg[:, -1])
    assert np.allclose(again.auc[cold], found.auc[cold])
    assert np.isnan(found.auc[~cold]).all()


def test_ranks_are_those_of_a_plain_count():
    targets = held(world()).test
    random = torch.randn(len(targets), len(targets.cold_I), generator=torch.Generator().manual_seed(0))
    found = measured(Known(random), targets, 1.0, masked=False)
    candidates = targets.cold_I | targets.warm_I
    for row, item in enumerate(targets.items):
        scores = random[row].numpy()
        rank = 1 + int((scores[candidates] > scores[item]).sum())
        assert found.ndcg[row, NATURAL] == pytest.approx(1 / np.log2(1 + rank) if rank <= 20 else 0)


def test_scores_that_are_all_alike_are_worst():
    targets = held(world()).test
    alike = measured(Known(torch.zeros(len(targets), len(targets.cold_I))), targets, 1.0, masked=False)
    assert alike.hits[:, NATURAL].sum() == 0
    assert alike.auc[targets.cold] == pytest.approx(0.5)


def test_content_knows_where_a_cold_item_belongs_and_popularity_does_not():
    part = held(world())
    systems = references(part.split.training(part.corpus.sequences), content(part), 1)
    auc = {
        name: np.nanmean(measured(system, part.test, 1.0, masked=False).auc)
        for name, system in (systems | {"random": AtRandom(1)}).items()
    }
    assert auc["content to the last"] > 0.85
    assert auc["content to all, decayed"] > 0.85
    assert auc["EASE with content"] > 0.85
    assert auc["ridge to ALS"] > 0.85
    assert auc["neighbours to ALS"] > 0.85
    assert auc["popularity"] == pytest.approx(0.5)
    assert auc["random"] == pytest.approx(0.5, abs=0.15)


def recipe(**changes: object) -> Recipe:
    base = {
        "width": 8,
        "max_length": 8,
        "encoder": "gru",
        "items": ITEMS,
        "train": {"epochs": 9, "workers": 0, "learning_rate": 0.03},
        "evaluation": {"history": ["kept"]},
    }
    return Recipe.model_validate(base | changes)


def test_a_model_of_content_beats_a_constant_where_content_says_all():
    found = cold_start(recipe(), world())
    table = found.table().filter(pl.col("cold scores") == "chosen constant")
    auc = dict(zip(table["system"], table["AUC within cold"], strict=True))
    assert auc[MODEL] > 0.8 > auc[CONSTANT]
    ratio, low, high = found.gain()
    assert 0 < low <= ratio <= high
    assert found.curve(MODEL)["cold NDCG@20"].is_sorted()
    assert set(found.against()["system"]) == set(found.systems) - {MODEL}


def test_models_of_ids_and_of_content_are_asked_alone_and_summed():
    own = recipe(train={"epochs": 3, "workers": 0, "learning_rate": 0.05})
    found = cold_start(own, world(), separate=True)
    table = found.table().filter(pl.col("cold scores") == "chosen constant")
    auc = dict(zip(table["system"], table["AUC within cold"], strict=True))
    assert auc["content alone"] > 0.7 > auc["ids alone"]
    assert auc["ids and content, summed"] == pytest.approx(auc["content alone"], abs=1e-6)


def test_the_mean_of_a_model_of_ids_stands_for_cold_items():
    targets = held(world()).test
    one, other = (torch.randn(len(targets), len(targets.cold_I)) for _ in range(2))
    rows = np.arange(len(targets))
    warm = torch.from_numpy(targets.warm_I)
    summed = Summed(Known(one), Known(other)).score(targets, rows)
    again = Summed(Known(3 * one + 7), Known(5 * other - 1)).score(targets, rows)
    assert torch.allclose(summed, again, atol=1e-3)  # whatever the units are
    assert summed[:, warm].mean(1).abs().max() < 1e-4
    alone = Summed(Known(torch.randn(one.shape)), Known(other)).score(targets, rows)
    cold = torch.from_numpy(targets.cold_I)
    assert torch.allclose(summed[:, cold], alone[:, cold], atol=1e-4)


def test_what_cannot_be_studied_is_refused_in_a_line():
    with pytest.raises(RequestError, match="items made of a catalogue"):
        cold_start(recipe(items="table"), world())
    with pytest.raises(RequestError, match="1 to 5 folds"):
        cold_start(recipe(), world(), num_folds=6)
    with pytest.raises(RequestError, match="one of next"):
        cold_start(recipe(), world(), task="buy")
    log = EventLog.read(pl.DataFrame({"user": [1, 1, 1], "item": ["a", "b", "a"]}))
    few = prepare(
        log, catalogue=Catalogue.read(pl.DataFrame({"item": ["a", "b"], "t": ["x", "y"]}), text=["t"])
    )
    with pytest.raises(DataError, match="a target that is a cold item"):
        cold_start(recipe(), few)


def test_the_study_is_shown_and_told_as_json():
    random = np.random.default_rng(0)
    cold = np.arange(40) % 4 == 0
    ndcg, hits = np.sort(random.random((40, len(GRID)))), random.random((40, len(GRID)))
    ndcg[~cold] = ndcg[~cold, ::-1]  # what a constant gives cold items it takes from the others
    own = Measured(ndcg, hits, hits, np.where(cold, 0.7, np.nan))
    validated = np.broadcast_to(ndcg[~cold].mean(0), ndcg.shape)
    systems = {name: System(own, np.full(40, NATURAL), validated) for name in (MODEL, CONSTANT)}
    names = ("events shown", "cold NDCG@20", "warm NDCG@20", "targets")
    warmed = pl.DataFrame({name: [2.0, 4.0] for name in names})
    found = ColdStart(systems, cold, np.arange(40), 1, (5, 50), warmed)
    console = Console(width=200, record=True, file=io.StringIO())
    shown.show(found, console)
    text = console.export_text()
    assert "5 items without an event, among 50 candidates" in text
    assert "1.00 times" in text and "so many events" in text
    told = json.loads(json.dumps(shown.as_json(found), allow_nan=False))
    assert told["systems"][0]["cold NDCG@20"] == pytest.approx(ndcg[cold, NATURAL].mean())
    assert found.against()["cold"].to_list() == [0]  # it is set against itself, where warm items cost as much


def tastes(seed: int = 0) -> Corpus:
    """Everybody stays in a group of items that the catalogue does not name: what it says is noise."""
    random = np.random.default_rng(seed)
    rows = [
        (user, f"{user % GROUPS}-{random.integers(OF_GROUP)}", place)
        for user in range(150)
        for place in range(8)
    ]
    log = EventLog.read(
        pl.DataFrame(rows, schema=["user", "item", "order"], orient="row"), item="item", order="order"
    )
    ids = [f"{group}-{number}" for group in range(GROUPS) for number in range(OF_GROUP)]
    frame = pl.DataFrame({"item": ids, "group": random.choice(list("xyz"), len(ids))})
    return prepare(log, catalogue=Catalogue.read(frame, categories=["group"]))


def test_first_events_tell_what_the_content_does_not():
    found = cold_start(recipe(), tastes()).warmed
    cold, warm = found["cold NDCG@20"].to_list(), found["warm NDCG@20"].to_list()
    assert found["targets"][0] > 0
    assert cold[-1] > cold[0] + 0.05
    assert warm[-1] > warm[0] - 0.05


def test_a_catalogue_of_fewer_items_than_places_is_measured():
    random = np.random.default_rng(0)
    rows = [(user, f"i{random.integers(9)}", place) for user in range(60) for place in range(6)]
    log = EventLog.read(
        pl.DataFrame(rows, schema=["user", "item", "order"], orient="row"), item="item", order="order"
    )
    titles = pl.DataFrame({"item": [f"i{n}" for n in range(9)], "title": [f"thing {n}" for n in range(9)]})
    targets = held(prepare(log, catalogue=Catalogue.read(titles, text=["title"]))).test
    found = measured(AtRandom(1), targets, 1.0, masked=True)
    assert found.exposure[:, 0].max() < 1
    assert (found.ndcg > 0).all()  # all are among the first twenty
