"""Trees see what no weighted sum can, and stay out of the way where there is nothing to see."""

from dataclasses import replace

import numpy as np
import pytest

from intertask.errors import IntertaskError
from intertask.rankers import quality
from intertask.rankers._forest import Forest
from intertask.rankers.trees import Config, Trees
from tests.rankers.test_blend import COLUMNS, examples, world

FACT = "item/column price"


def crossed(seed, rows=300, candidates=30):
    """The target is where the first two say the same sign, strongly: a product, which no sum tells."""
    random = np.random.default_rng(seed)
    said = random.normal(size=(rows, candidates, 3))
    target = (said[..., 1] * said[..., 2]).argmax(1)
    return examples(said, target)


def test_trees_find_what_no_weighted_sum_tells():
    trees, held = Config(num_trees=30).learn(crossed(0), 0), crossed(1)
    blend = quality(held, np.einsum("nck,nk->nc", held.said_NCK, trees.blend.weights_of(held.lengths_N)))
    assert not trees.forest.is_empty
    assert quality(held, trees.again(held)) > blend + 0.2


def test_trees_read_facts_about_items_that_no_blend_weighs():
    """The target is the best of those whose price is low; a sum would have to pay for it elsewhere."""

    def priced(seed, rows=400, candidates=30):
        random = np.random.default_rng(seed)
        said = random.normal(size=(rows, candidates, 4))
        price = random.random((rows, candidates)) * 100
        said[..., 3] = price
        target = np.where(price < 30, said[..., 0], -9).argmax(1)
        own = examples(said[..., :3], target)
        return replace(own, columns=(FACT, *COLUMNS), said_NCK=said[..., [3, 0, 1, 2]].astype(np.float32))

    trees, held = Config(num_trees=30).learn(priced(0), 0), priced(1)
    assert trees.blend.read == COLUMNS and trees.read == trees.columns == (*COLUMNS, FACT)
    held = held.of(trees.read)
    blend = trees.blend.weights_of(held.lengths_N)
    before = quality(held, np.einsum("nck,nk->nc", held.said_NCK[..., :3], blend))
    assert quality(held, trees.again(held)) > before + 0.2
    again = Trees.of(trees.arrays(), trees.read, "test")
    np.testing.assert_array_equal(again.again(held), trees.again(held))
    said = {name: held.said_NCK[..., place] for place, name in enumerate(held.columns)}
    total = trees.total(said, held.lengths_N)
    assert (total.argmax(1) == trees.again(held).argmax(1)).all()
    terms = trees.terms(said, 0, int(held.lengths_N[0]), np.arange(5))
    assert len(terms) == len(trees.columns) and not terms[-1].any()  # a fact adds nothing to the blend


def test_without_gain_the_blend_is_kept():
    trees = Config(num_trees=10).learn(world(3, [[2.0, 2.0, 2.0]], rows=90), 0)
    assert trees.forest.is_empty
    held = world(4, [[2.0, 2.0, 2.0]], rows=50)
    said = {name: held.said_NCK[..., place] for place, name in enumerate(COLUMNS)}
    own = trees.blend.total(said, held.lengths_N)
    np.testing.assert_array_equal(trees.total(said, held.lengths_N), own)


def test_the_total_orders_as_the_examples_are_ordered_and_all_else_below():
    trees, held = Config(num_trees=20, reordered=10).learn(crossed(0), 0), crossed(1, rows=20)
    said = {name: held.said_NCK[..., place] for place, name in enumerate(COLUMNS)}
    total, again = trees.total(said, held.lengths_N), trees.again(held)
    for row in range(20):
        blend = trees.blend.total({name: own[[row]] for name, own in said.items()}, held.lengths_N[[row]])[0]
        pool = set(np.argsort(-blend)[:10].tolist())
        assert set(np.argsort(-total[row], kind="stable")[:9].tolist()) <= pool
        np.testing.assert_allclose(total[row], again[row], rtol=1e-4, atol=1e-4)


def test_the_forest_says_what_lightgbm_says():
    import lightgbm

    random = np.random.default_rng(0)
    rows = random.normal(size=(500, 4)).astype(np.float32)
    labels = rows[:, 0] * rows[:, 1] + (rows[:, 2] > 0.3)
    options = {"objective": "regression", "verbose": -1, "num_leaves": 9, "num_threads": 1}
    booster = lightgbm.train(options, lightgbm.Dataset(rows, labels), 20)
    own = Forest.of_lightgbm(booster.dump_model()).say(rows)
    np.testing.assert_allclose(own, booster.predict(rows), rtol=1e-4, atol=1e-5)


def grown():
    return Config(num_trees=5).learn(crossed(0, rows=150), 0)


def test_trees_survive_as_arrays_to_the_bit():
    trees, held = grown(), crossed(1, rows=20)
    again = Config().restore(trees.arrays(), trees.read, "test")
    assert isinstance(again, Trees)
    np.testing.assert_array_equal(again.again(held), trees.again(held))


@pytest.mark.parametrize(
    ("name", "harm"),
    [
        ("ways", lambda own: own * 0),
        ("ways", lambda own: own + len(own)),
        ("ways", lambda own: own[:-1]),
        ("facts", lambda own: own + 99),
        ("facts", lambda own: own - 99),
        ("roots", lambda own: own + 10**6),
        ("values", lambda own: own + np.float32(1e9)),
        ("bounds", lambda own: own.astype(np.float64)),
        ("reordered", lambda own: own * 10**6),
        ("weights", lambda own: -own - 1),
    ],
)
def test_arrays_that_are_no_trees_are_refused(name, harm):
    trees = grown()
    with pytest.raises(IntertaskError):
        Config().restore({**trees.arrays(), name: harm(trees.arrays()[name])}, trees.read, "test")
