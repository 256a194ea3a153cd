import json
import math
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch

from intertask.data.rows import Rows
from intertask.data.seam import INPUT
from intertask.errors import DataError
from intertask.inputs.table import MISSING, UNKNOWN, Cells, Config, Input, Reader
from intertask.nn.dimensions import Dimensions
from intertask.predictor import Predictor
from intertask.recipe import Recipe
from tests import worlds
from tests.assertions import assert_every_weight_gets_gradient
from tests.samples.clinic import clinic

ROWS = clinic(60)


def rows(**columns: object) -> Rows:
    return Rows.read(
        pl.DataFrame(columns),
        numbers=[n for n in columns if n != "word"],
        categories=[n for n in columns if n == "word"],
    )


def vectors(reader: Reader, cells: Cells) -> torch.Tensor:
    with worlds.seeded():
        embed = Config(numbers=reader.manner).build(Dimensions(8, 1, ("t",), fields={INPUT: reader}), None)
    return embed.eval()(cells).hidden_BLD


@pytest.mark.parametrize("manner", ["standard", "quantile", "bins"])
def test_a_reader_is_its_json(manner: str) -> None:
    config = Config.model_validate({"numbers": manner})
    reader = config.fit(ROWS)
    again = config.reader(json.loads(reader.model_dump_json()))
    assert again == reader
    one, other = reader.read(ROWS), again.read(ROWS)
    assert torch.equal(vectors(reader, one), vectors(again, other))


def test_unknown_and_missing_words_have_codes_of_their_own() -> None:
    reader = Config().fit(rows(word=["a", "a", "b", "b", "b", "once", None], x=[1.0, 2, 3, 4, 5, 6, 7]))
    codes = reader.read(rows(word=["b", "a", "once", "never", None], x=[0.0] * 5)).codes_BC[:, 0]
    assert codes.tolist() == [2, 3, UNKNOWN, UNKNOWN, MISSING]
    assert reader.categories["word"].rare == 1 and "once" not in reader.model_dump_json()


def test_only_the_most_frequent_words_of_a_million_are_told_apart() -> None:
    words = [f"w{n}" for n in range(100_000)] * 2 + ["often"] * 5
    reader = Config(most_categories=10).fit(rows(word=words, x=np.arange(len(words)).astype(float)))
    known = reader.categories["word"].known
    assert len(known) == 10 and known[0] == "often"
    assert "99,991 rare categories beside 10" in reader.notes()[0]


def test_names_say_nothing_and_that_is_said() -> None:
    reader = Config().fit(
        rows(word=[f"person {n}" for n in range(50)], x=[1.0] * 50, y=[None] * 50, z=np.arange(50.0)).take(
            pl.Series(range(50))
        )
    )
    assert reader.says_nothing() == {
        "word": "50 rare words, as names or ids have",
        "x": "constant",
        "y": "empty",
    }
    with pytest.raises(DataError, match="a column whose values differ among the training rows"):
        Config().fit(rows(x=[1.0, 1.0], word=["a", "a"], y=[None, math.nan]))


@pytest.mark.parametrize("manner", ["standard", "quantile", "bins"])
@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_numbers_of_any_size_are_finite_and_in_order(manner: str, scale: float) -> None:
    given = np.linspace(-3, 3, 41) * scale
    reader = Config.model_validate({"numbers": manner}).fit(rows(x=given))
    told = reader.read(rows(x=given)).told_BF[:, 0]
    assert (told.diff() > 0).all()
    far = reader.read(rows(x=[-3e38, 3e38, None]))
    assert vectors(reader, far).isfinite().all() and far.missing_BF[:, 0].tolist() == [False, False, True]


def test_what_no_training_row_differs_in_changes_no_vector() -> None:
    reader = Config(numbers="standard").fit(rows(x=[5.0] * 4, y=[1.0, 2, 3, 4]))
    one, other = (reader.read(rows(x=[x], y=[2.0])) for x in (5.0, 9.0))
    assert torch.equal(vectors(reader, one), vectors(reader, other))


def test_bins_follow_the_formula() -> None:
    """Gorishniy et al., 2022, equation 1: 1 for lower bins, the share within the own, 0 for higher ones."""
    reader = Config(num_bins=4).fit(rows(x=[0.0, 1, 2, 3, 4]))
    embed = Config().build(Dimensions(8, 1, ("t",), fields={INPUT: reader}), None)
    told = embed._told(reader.read(rows(x=[0.0, 1.5, 4, 9])).told_BF)  # type: ignore[attr-defined]
    expected = [[0, 0, 0, 0], [1, 0.5, 0, 0], [1, 1, 1, 1], [1, 1, 1, 1]]
    assert torch.allclose(told[:, 0], torch.tensor(expected, dtype=torch.float32), atol=1e-6)


def test_the_curve_is_normal() -> None:
    reader = Config(numbers="quantile", num_bins=100).fit(
        rows(x=np.random.default_rng(0).exponential(size=5_000))
    )
    told = reader.read(rows(x=np.random.default_rng(1).exponential(size=5_000))).told_BF
    assert float(told.mean()) == pytest.approx(0, abs=0.05) and float(told.std()) == pytest.approx(
        1, abs=0.05
    )


def test_rows_that_do_not_train_change_nothing() -> None:
    fitted = Config().fit(ROWS.take(pl.Series(range(40))))
    others = replace(
        ROWS,
        inputs=ROWS.inputs.with_columns(
            age=pl.when(pl.int_range(pl.len()) < 40).then("age").otherwise(1e9).cast(pl.Float32)
        ),
    )
    assert Config().fit(others.take(pl.Series(range(40)))) == fitted


@pytest.mark.parametrize(
    "damage",
    [
        {"edges": [1.0, 1.0]},
        {"edges": [2.0, 1.0]},
        {"edges": [1.0, 1.0 + 1e-12]},
        {"edges": [1e9]},
        {"deviation": -1.0},
        {"mean": math.inf},
        {"mean": "a"},
    ],
)
def test_a_scale_that_no_fit_makes_is_refused(damage: dict[str, object]) -> None:
    table = json.loads(Config().fit(ROWS).model_dump_json())
    table["numbers"]["age"] |= damage
    with pytest.raises(ValueError, match="age"):
        Config().reader(table)


def test_words_that_no_fit_makes_are_refused() -> None:
    table = json.loads(Config().fit(ROWS).model_dump_json())
    for known in (["a", "a"], [1], "ab"):
        table["categories"]["pain"]["known"] = known
        with pytest.raises(ValueError, match="pain"):
            Config().reader(table)


def row_input(reader: Reader, **options: object) -> Input:
    config = Config.model_validate({"num_layers": 2, "inner": 16, "cell_width": 4, **options})
    with worlds.seeded():
        embed = config.build(Dimensions(8, 1, ("t",), fields={INPUT: reader}), None)
    return embed.eval()


def test_layers_make_one_place_of_a_row_that_follows_from_every_column() -> None:
    reader = Config().fit(ROWS)
    embed, cells = row_input(reader), reader.read(ROWS)
    embedded = embed(cells)
    assert embedded.hidden_BLD.shape == (len(ROWS), 1, 8)
    assert embedded.layout.lengths_B is None and not embedded.layout.causal
    for name in reader.columns:
        turned = replace(ROWS, inputs=ROWS.inputs.with_columns(pl.col(name).reverse()))
        assert not torch.allclose(embed(reader.read(turned)).hidden_BLD, embedded.hidden_BLD)


def test_other_rows_do_not_change_a_row_of_layers() -> None:
    reader = Config().fit(ROWS)
    embed, cells = row_input(reader), reader.read(ROWS)
    together = embed(cells).hidden_BLD
    alone = torch.cat([embed(cells.take(np.array([row]))).hidden_BLD for row in range(len(ROWS))])
    assert torch.allclose(alone, together, atol=1e-6)


def test_every_weight_of_a_row_of_layers_gets_a_gradient() -> None:
    reader = Config().fit(ROWS)
    embed = row_input(reader)
    hidden = embed(reader.read(ROWS)).hidden_BLD
    assert_every_weight_gets_gradient(embed, (hidden * torch.arange(8)).sum())


def test_layers_learn_what_two_columns_say_only_together() -> None:
    """Whether two signs are the same is in no column alone, and in no sum of what the columns say."""
    x, y = np.random.default_rng(0).choice([-1.0, 1.0], (2, 200))
    given = Rows.read(
        pl.DataFrame({"x": x, "y": y, "same": np.where(x * y > 0, "yes", "no")}),
        labels=["same"],
        numbers=["x", "y"],
    )
    recipe = Recipe.model_validate(
        {
            "width": 8,
            "input": {"kind": "table", "dropout": 0.0, "num_layers": 1, "inner": 32},
            "encoder": "none",
            "communication": "none",
            "tasks": {"same": "category"},
            "train": {
                "epochs": 12,
                "learning_rate": 2e-2,
                "batch_tokens": 64,
                "average": 0.0,
                "monitor": "same/-log_loss",
            },
        }
    )
    found = Predictor(recipe).fit(given).predict(given.inputs)
    assert (found["same"] == given.labels["same"]).all()
