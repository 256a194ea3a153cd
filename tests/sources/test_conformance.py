"""Claims that hold for every baseline: a new file in the folder is tested by existing."""

from dataclasses import replace

import numpy as np
import pytest

from intertask.data.sequences import Sequences, from_lists
from intertask.errors import RecipeError
from intertask.options.config import config_class, kinds
from intertask.sources import fitted as fit

KINDS = kinds("sources")
STARTS_AT_RANDOM = {"als"}  # by the item's number, so that another numbering is another start
NUM_ITEMS = 30
NUM_UNVISITED = 3  # the last items, which no training event touches

every_kind = pytest.mark.parametrize("kind", KINDS)


def world(seed=0, num_users=60):
    """Users who return to a taste of their own, with times, repeats, and items nobody visits."""
    generator = np.random.default_rng(seed)
    popularity = 1.0 / np.arange(1, NUM_ITEMS - NUM_UNVISITED + 1)
    items, times = [], []
    for user in range(num_users):
        taste = popularity * (np.arange(len(popularity)) % 3 == user % 3) + 0.05 * popularity
        length = int(generator.integers(1, 20))
        items.append(generator.choice(len(popularity), size=length, p=taste / taste.sum()).tolist())
        times.append(np.sort(generator.integers(0, 1000, size=length)).tolist())
    return from_lists(items, NUM_ITEMS, times=times)


def content(num_items):
    """What a catalogue says of each item: a direction of its own, near that of its neighbours in number."""
    angles = np.arange(num_items)[:, None] * np.array([0.05, 0.11])
    return (np.concatenate([np.cos(angles), np.sin(angles)], 1) / 2**0.5).astype(np.float32)


def fitted(kind, training, seed=0, number=None):
    said = content(training.num_items)
    config = config_class("sources", kind, "test")(kind=kind)
    return fit(config, training, said if number is None else said[np.argsort(number)], seed)


def part(histories, start, stop):
    """Some of the histories, as an evaluation that goes in chunks hands them over."""
    offsets = histories.offsets[start : stop + 1]
    events = slice(offsets[0], offsets[-1])
    return replace(
        histories,
        offsets=offsets - offsets[0],
        items=histories.items[events],
        behaviours=histories.behaviours[events],
        times=None if histories.times is None else histories.times[events],
    )


HISTORIES = from_lists([[0], [3, 3, 6, 9], [], [1, 4], [29], [2, 5, 8, 11, 14, 17, 20]], NUM_ITEMS)


@every_kind
def test_scores_are_finite_float32_of_every_item(kind):
    scores = fitted(kind, world()).score(HISTORIES)
    assert scores.shape == (HISTORIES.num_users, NUM_ITEMS)
    assert scores.dtype == np.float32
    assert np.isfinite(scores).all()


@every_kind
def test_the_same_seed_gives_the_same_scores(kind):
    first, second = fitted(kind, world(), seed=7), fitted(kind, world(), seed=7)
    np.testing.assert_array_equal(first.score(HISTORIES), second.score(HISTORIES))


@every_kind
@pytest.mark.parametrize("chunk", [1, 4])
def test_scores_do_not_depend_on_how_many_histories_come_at_once(kind, chunk):
    ranker, histories = fitted(kind, world()), world(seed=1)
    whole = ranker.score(histories)
    starts = range(0, histories.num_users, chunk)
    chunked = [
        ranker.score(part(histories, start, min(start + chunk, histories.num_users))) for start in starts
    ]
    np.testing.assert_array_equal(np.concatenate(chunked), whole)


@every_kind
def test_scoring_leaves_ranker_and_histories_as_they_were(kind):
    ranker, histories = fitted(kind, world()), world(seed=1)
    before = histories.digest()
    first = ranker.score(histories)
    kept = first.copy()
    first[:] = -np.inf  # an evaluation masks in place
    np.testing.assert_array_equal(ranker.score(histories), kept)
    assert histories.digest() == before


@every_kind
def test_an_empty_history_gets_popular_items_first(kind):
    training = world()
    scores = fitted(kind, training).score(HISTORIES)[2]
    counts = np.bincount(training.items, minlength=NUM_ITEMS)
    visited, unvisited = counts > 0, counts == 0
    assert scores[visited].min() > scores[unvisited].max()
    assert np.corrcoef(scores[visited], counts[visited])[0, 1] > 0.7


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in STARTS_AT_RANDOM])
def test_another_numbering_of_the_items_permutes_the_scores(kind):
    training, histories = world(), world(seed=1)
    number = np.random.default_rng(5).permutation(NUM_ITEMS).astype(np.int32)
    renumbered = replace(training, items=number[training.items])
    scores = fitted(kind, renumbered, number=number).score(replace(histories, items=number[histories.items]))
    np.testing.assert_allclose(
        scores[:, number], fitted(kind, training).score(histories), rtol=1e-4, atol=1e-5
    )


@every_kind
def test_a_log_without_times_works(kind):
    training = replace(world(), times=None)
    assert np.isfinite(fitted(kind, training).score(HISTORIES)).all()


@every_kind
@pytest.mark.parametrize(
    "training",
    [
        from_lists([[0]], num_items=1),
        from_lists([[0, 0, 0]], num_items=2),
        from_lists([[0, 1], [], [1]], num_items=2),
        from_lists([[], []], num_items=3),
    ],
    ids=["one event", "one item again and again", "an empty user", "no events"],
)
def test_the_smallest_logs_raise_nothing(kind, training):
    histories = from_lists([[0], []], training.num_items)
    assert np.isfinite(fitted(kind, training).score(histories)).all()


@every_kind
def test_mapped_sequences_work(kind, tmp_path):
    world().write(tmp_path / "sequences")
    HISTORIES.write(tmp_path / "histories")
    mapped = fitted(kind, Sequences.open(tmp_path / "sequences"))
    scores = mapped.score(Sequences.open(tmp_path / "histories"))
    np.testing.assert_array_equal(scores, fitted(kind, world()).score(HISTORIES))


@every_kind
def test_no_histories_have_no_scores(kind):
    assert fitted(kind, world()).score(from_lists([], NUM_ITEMS)).shape == (0, NUM_ITEMS)


@every_kind
def test_histories_of_another_catalogue_are_refused(kind):
    with pytest.raises(ValueError, match="expected a catalogue of 30 items, found 31"):
        fitted(kind, world()).score(from_lists([[0]], NUM_ITEMS + 1))


@pytest.mark.parametrize("kind", ["als", "item_knn"])
def test_a_missing_package_says_how_to_install_it(kind, monkeypatch):
    for module in ("implicit", "implicit.cpu.als", "implicit.nearest_neighbours"):
        monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(RecipeError, match=r"pip install intertask\[baselines\]"):
        fitted(kind, world())
