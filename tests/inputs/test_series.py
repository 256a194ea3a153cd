"""The input of windows: places, scaling by training rows, what is missing, and recipes end to end."""

import json

import numpy as np
import polars as pl
import pytest
import torch
from pydantic import ValidationError
from sklearn.linear_model import LogisticRegression

from intertask.data.rows import Rows
from intertask.data.seam import INPUT
from intertask.errors import DataError, RecipeError
from intertask.inputs.series import Config, Windows
from intertask.nn.dimensions import Dimensions
from intertask.nn.random_kernels import RandomKernels
from tests import worlds

from .windows import waves


def rows(columns: dict[str, list[float | None]]) -> Rows:
    return Rows.read(pl.DataFrame(columns), numbers=list(columns), categories=[])


def built(config, reader):
    with worlds.seeded():
        return config.build(Dimensions(8, 1, ("t",), fields={INPUT: reader}), None)


def test_places_stand_in_their_order_whatever_that_of_the_columns():
    own = rows({"x[0]": [3, 6], "y[-1]": [10, 20], "x[-1]": [1, 2], "y[0]": [30, 60], "other": [9, 8]})
    reader = Config().fit(own)
    assert set(reader.columns) == {"x[-1]", "x[0]", "y[-1]", "y[0]"}
    assert reader.values(own)[0].tolist() == [[1, 10], [3, 30]]


def test_scales_are_those_of_training_rows():
    own = waves(20)
    train = own.take(np.arange(10))
    reader = Config().fit(train)
    told = reader.read(train).values_BLX.double()
    assert told.mean((0, 1)).abs().max() < 1e-5
    assert (told.std((0, 1), correction=0) - 1).abs().max() < 1e-5
    assert Config().fit(own.take(np.arange(10, 20))) != reader


def test_a_window_by_itself_tells_its_shape_alone():
    own = rows({"x[0]": [1, 10], "x[1]": [2, 20], "x[2]": [4, 40]})
    told = Config(normalised="window").fit(own).read(own).values_BLX
    assert torch.allclose(told[0], told[1], atol=1e-5)


def test_what_is_missing_is_refused_with_its_row_and_column():
    own = rows({"x[0]": [1, 2, 3], "x[1]": [1, None, 3]})
    with pytest.raises(DataError) as error:
        Config().fit(own)
    assert "row 2" in str(error.value) and "none in 'x[1]'" in str(error.value)


def test_what_is_missing_is_filled_from_before_or_else_from_after():
    own = rows({"x[0]": [None, 2.0], "x[1]": [5, 3], "x[2]": [None, None], "x[3]": [7, 4]})
    reader = Config(missing="fill").fit(own)
    assert reader.values(own)[:, :, 0].tolist() == [[5, 5, 5, 7], [2, 3, 3, 4]]
    empty = rows({name: [1.0, None] for name in reader.columns})
    with pytest.raises(DataError, match="a number of 'x' somewhere in the window"):
        reader.values(empty)


def test_names_with_other_places_are_refused():
    with pytest.raises(DataError, match="the places of 'x' for all names, found others of 'y'"):
        Config().fit(rows({"x[0]": [1, 2], "x[1]": [1, 3], "y[0]": [4, 4]}))


def test_rows_without_windows_and_names_that_are_none_are_refused():
    with pytest.raises(RecipeError, match=r"columns of numbers called NAME\[PLACE\]"):
        Config().fit(rows({"x": [1, 2]}))
    with pytest.raises(RecipeError, match="of the names: 'volts', found 'other'"):
        Config(names=("other",)).fit(waves(4))


def test_series_that_stand_still_teach_nothing():
    with pytest.raises(DataError, match="series that move"):
        Config().fit(rows({"x[0]": [1, 1], "x[1]": [1, 1]}))


def test_a_reader_is_its_json():
    reader = Config(subsample=2).fit(waves(6))
    assert Config().reader(json.loads(reader.model_dump_json())) == reader


@pytest.mark.parametrize(
    "change", [{"means": ()}, {"places": (1, 0)}, {"names": ("a", "a")}, {"halvings": 4}]
)
def test_a_hostile_reader_is_refused(change):
    with pytest.raises(ValidationError):
        Config().reader({**Config().fit(waves(6)).model_dump(mode="json"), **change})


@pytest.mark.parametrize("subsample", [1, 2, 4, 8])
def test_places_become_fewer(subsample):
    own = waves(4)
    config = Config(subsample=subsample)
    reader = config.fit(own)
    given = reader.read(own)
    assert built(config, reader).eval()(given).hidden_BLD.shape[1] == int(given.lengths_B[0])


def test_random_kernels_make_one_vector_of_a_window_and_never_learn():
    own = waves(40)
    config = Config(stem="random")
    reader = config.fit(own)
    module, given = built(config, reader), reader.read(own)
    found = module(given).hidden_BLD
    assert found.shape == (40, 1, 8) and given.take(np.arange(3)).lengths_B.tolist() == [1, 1, 1]
    assert not any(weight.requires_grad for weight in module.parameters())
    assert torch.equal(found, built(config, reader)(given).hidden_BLD)
    shifted = Windows(given.values_BLX + 1, 0, single=True)
    assert not torch.allclose(found, module(shifted).hidden_BLD)
    with pytest.raises(ValidationError, match="subsample = 1"):
        Config(stem="random", subsample=2)


def test_random_kernels_tell_slow_waves_from_fast_ones():
    own = waves(80)
    with worlds.seeded():
        stem = RandomKernels(1, 64, 16)
    found = stem(Config().fit(own).read(own).values_BLX).numpy()
    fast = (own.labels["wave"] == "fast").to_numpy()
    model = LogisticRegression().fit(found[:40], fast[:40])
    assert model.score(found[40:], fast[40:]) == 1
    model = LogisticRegression().fit(found[:40], np.arange(40) % 4 < 2)  # noise: labels that say nothing
    assert model.score(found[40:], np.arange(40) % 4 < 2) < 0.8


@pytest.mark.parametrize(("width", "length"), [(1, 1), (5, 3), (64, 140)])
def test_there_are_as_many_random_kernels_as_the_width(width, length):
    assert RandomKernels(2, width, length)(torch.randn(3, length, 2)).shape == (3, width)


def test_training_changes_windows_and_evaluation_does_not():
    own = waves(4)
    config = Config(noise=0.5, scaling=0.2, mask_spans=1, dropout=0.0)
    reader = config.fit(own)
    module, given = built(config, reader), reader.read(own)
    assert not torch.equal(module.train()(given).hidden_BLD, module(given).hidden_BLD)
    assert torch.equal(module.eval()(given).hidden_BLD, module(given).hidden_BLD)
