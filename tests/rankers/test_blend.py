"""Worlds with known answers: sources that complement each other, and noise that must not be believed."""

import numpy as np
import pytest
import torch

from intertask.errors import IntertaskError, RecipeError
from intertask.options.config import parse
from intertask.rankers import Examples, quality
from intertask.rankers.blend import Blend, Config
from intertask.recipe import Recipe
from intertask.signals import Product

COLUMNS = ("model/next", "one", "two")


def examples(said, target, lengths=None):
    said = said.astype(np.float32)
    rows = len(said)
    lengths = np.full(rows, 10) if lengths is None else lengths
    mask = np.ones(said.shape[:2], bool)
    return Examples(COLUMNS[: said.shape[2]], said, mask, target, lengths, np.arange(rows))


def world(seed, clear, rows=400, candidates=30):
    """Each column names the target by so much, each with noise; by length where there are two sets."""
    random = np.random.default_rng(seed)
    said = random.normal(size=(rows, candidates, len(clear[0])))
    target = random.integers(candidates, size=rows)
    lengths = np.where(np.arange(rows) % 2, 2, 100)
    for row in range(rows):
        said[row, target[row]] += clear[int(lengths[row] > 50) % len(clear)]
    return examples(said, target, lengths)


def of(blend, part):
    own = blend.weights_of(part.lengths_N)
    return quality(part, (part.said_NCK @ own[:, :, None])[..., 0])


def single(part):
    return max(quality(part, part.said_NCK[..., place]) for place in range(len(part.columns)))


def test_sources_that_know_different_things_are_better_together():
    blend, held = Config().learn(world(0, [[1.5, 1.5, 1.5]]), 0), world(1, [[1.5, 1.5, 1.5]])
    assert of(blend, held) > single(held) + 0.1


def test_a_source_is_believed_where_it_knows_something():
    clear = [[3.0, 0.0], [0.0, 3.0]]  # one of short histories, the other of long ones
    blend, held = Config().learn(world(0, clear), 0), world(1, clear)
    short, long = blend.weights_GK[0], blend.weights_GK[-1]
    assert short[0] > 2 * short[1] and long[1] > 2 * long[0]
    assert of(blend, held) > single(held) + 0.1


@pytest.mark.parametrize("seed", range(3))
def test_noise_beside_a_good_source_does_not_harm(seed):
    blend = Config().learn(world(seed, [[2.0, 0.0, 0.0]], rows=60), 0)
    held = world(99, [[2.0, 0.0, 0.0]], rows=2_000)
    assert of(blend, held) > single(held) - 0.01


def test_what_no_source_found_teaches_nothing_and_breaks_nothing():
    part = world(0, [[1.0, 1.0]], rows=50)
    lost = Examples(part.columns, part.said_NCK, part.mask_NC, np.full(50, -1), part.lengths_N, part.people_N)
    assert np.isfinite(Config().learn(lost, 0).weights_GK).all()


def test_a_column_that_says_the_same_of_all_has_no_weight():
    part = world(0, [[1.0, 1.0]])
    part.said_NCK[..., 1] = 3.0
    assert Config().learn(part, 0).columns == ("model/next",)


def test_the_total_is_the_sum_of_its_terms_whatever_the_form():
    import scipy.sparse

    random = np.random.default_rng(0)
    weights = np.array([[1, 2, 3], [0.5, 0, 1]], np.float32)
    blend = Blend(COLUMNS, np.array([5]), weights)
    sparse = scipy.sparse.random(4, 9, 0.4, format="csr", dtype=np.float32, random_state=0)
    dense = random.normal(size=(4, 9)).astype(np.float32)
    said = {"model/next": dense, "one": sparse, "two": random.normal(size=9).astype(np.float32)}
    lengths = np.array([1, 9, 5, 2])
    total = blend.total(said, lengths)
    untouched = dense.copy()
    for row in range(4):
        terms = blend.terms(said, row, int(lengths[row]), np.arange(9))
        np.testing.assert_allclose(terms.sum(0), total[row], rtol=1e-5)
    total += 1  # belongs to the caller
    np.testing.assert_array_equal(dense, untouched)


def test_products_are_summed_before_they_are_made():
    random = np.random.default_rng(0)
    people = random.normal(size=(3, 2, 4)).astype(np.float32)
    tables = [random.normal(size=(7, 4)).astype(np.float32) for _ in range(2)]
    products = [Product(own, tables[place > 1]) for place, own in enumerate(people)]
    told = dict(zip(("a", "b", "c"), products, strict=True))
    blend = Blend(("a", "b", "c"), np.array([5], np.int64), random.random((2, 3), np.float32))
    made = {name: own.made() for name, own in told.items()}
    lengths = np.array([2, 9])
    assert np.allclose(blend.total(told, lengths), blend.total(made, lengths), atol=1e-5)
    items = np.array([5, 0])
    assert np.allclose(blend.terms(told, 1, 9, items), blend.terms(made, 1, 9, items), atol=1e-5)


def test_a_blend_survives_as_arrays():
    blend = Config().learn(world(0, [[1.0, 1.0]]), 0)
    again = Config().restore(blend.arrays(), blend.read, "test")
    np.testing.assert_array_equal(again.weights_GK, blend.weights_GK)


@pytest.mark.parametrize(
    ("name", "harm"),
    [
        ("weights", lambda own: -own - 1),
        ("weights", lambda own: own * 1e9 + 1e9),
        ("weights", lambda own: own[:-1]),
        ("weights", lambda own: own.astype(np.float64)),
        ("edges", lambda own: own[::-1].copy()),
        ("edges", lambda own: own[None]),
    ],
)
def test_arrays_that_are_no_blend_are_refused(name, harm):
    blend = Config().learn(world(0, [[1.0, 1.0]]), 0)
    with pytest.raises(IntertaskError):
        Config().restore({**blend.arrays(), name: harm(blend.arrays()[name])}, blend.read, "test")


@pytest.mark.parametrize("name", ["a/b", "intertask", "", "model alone"])
def test_a_source_has_a_name_that_tables_can_hold(name):
    with pytest.raises(RecipeError, match="names of letters"):
        parse(Recipe, {"ranker": {"kind": "blend", "sources": {name: "repeat"}}}, "recipe.toml")


def test_products_over_the_same_vectors_are_one_pass_whatever_array_holds_them(monkeypatch):
    vectors = torch.randn(50, 4)
    people = np.random.default_rng(0).normal(size=(2, 4)).astype(np.float32)
    told = {name: Product((place + 1) * people, vectors.numpy()) for place, name in enumerate(COLUMNS)}
    assert len({id(own.vectors_ID) for own in told.values()}) == len(COLUMNS)
    passes = []
    made = Product.made
    monkeypatch.setattr(Product, "made", lambda own: passes.append(1) or made(own))
    blend = Blend(COLUMNS, np.array([], np.int64), np.ones((1, len(COLUMNS)), np.float32))
    total = blend.total(told, np.array([3, 9]))
    assert len(passes) == 1
    expected = sum(range(1, len(COLUMNS) + 1)) * people @ vectors.numpy().T
    np.testing.assert_allclose(total, expected, rtol=1e-4, atol=1e-5)
