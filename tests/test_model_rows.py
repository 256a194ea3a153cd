"""A model of rows by themselves: no items, one state of a row for each task, and any neighbour seen."""

import pytest
import torch

from intertask.config import kinds
from intertask.errors import RecipeError
from intertask.model import Model, ModelConfig
from intertask.nn.dimensions import Dimensions
from tests import rows, worlds
from tests.assertions import assert_every_weight_gets_gradient, assert_same

ROWS = [[0.5, -1.0, 2.0], [1.0], [-0.3, 0.7]]
LABELS = {"first": [0, 1, -1], "second": [1, -1, 0]}


def built(**sections):
    usual = {
        "width": 8,
        "max_length": 4,
        "input": rows.NumbersConfig(),
        "tasks": {name: rows.ClassConfig() for name in LABELS},
        "encoder": {"kind": "attention", "dropout": 0.0},
    }
    config = ModelConfig.model_validate(usual | sections)
    with worlds.seeded():
        return Model(config, Dimensions(config.width, config.max_length, tuple(config.tasks))).eval()


def test_a_model_that_ranks_no_items_has_no_table_of_them():
    model = built()
    assert model.items is None
    assert not any(name.startswith("items") for name in model.state_dict())
    assert model.device == torch.device("cpu")


@pytest.mark.parametrize("communication", kinds("communication"))
def test_every_mechanism_learns_from_rows(communication):
    model = built(communication=communication)
    losses = model.losses(rows.batch(ROWS, LABELS))
    assert list(losses) == list(LABELS) and all(loss.isfinite() for loss in losses.values())
    torch.stack(list(losses.values())).sum().backward()
    assert all(weight.grad.any() for weight in model.input.parameters())


@pytest.mark.parametrize("encoder", kinds("encoders"))
def test_every_encoder_learns_from_rows(encoder):
    model = built(encoder=encoder)
    loss = torch.stack(list(model.losses(rows.batch(ROWS, LABELS)).values())).sum()
    assert_every_weight_gets_gradient(model.tasks, loss)


@pytest.mark.parametrize("encoder", kinds("encoders"))
@pytest.mark.parametrize("pooling", ["mean", "first", "last"])
def test_padding_changes_no_state_of_a_row(encoder, pooling):
    model = built(encoder=encoder, pooling=pooling)
    together, padded = (model.row_states(rows.batch(ROWS, padding=value)) for value in (0.0, 9.0))
    for place, row in enumerate(ROWS):
        alone = model.row_states(rows.batch([row]))
        for task, states in together.items():
            assert_same(states[place], alone[task][0], "the state of a row among others", 1e-5)
            assert_same(padded[task][place], alone[task][0], "the state of a row that is padded", 1e-5)


def test_a_task_is_asked_where_its_target_is_known():
    model = built()
    assert list(model.losses(rows.batch(ROWS, {"first": [0, -1, -1]}))) == ["first"]
    assert list(model.losses(rows.batch(ROWS, LABELS | {"first": [-1, -1, -1]}))) == ["second"]
    assert not model.losses(rows.batch(ROWS))


@pytest.mark.parametrize(("direction", "seen"), [(None, True), ("both", True), ("past", False)])
def test_a_direction_that_is_said_overrules_the_rows(direction, seen):
    model = built(encoder={"kind": "attention", "direction": direction}, pooling="first")
    one, other = (model.row_states(rows.batch([[1.0, 2.0, last]]))["first"] for last in (3.0, 4.0))
    assert (one != other).any() == seen


def test_a_task_that_is_asked_what_follows_needs_an_encoder_that_sees_the_past_alone():
    told = {"encoder": {"kind": "attention", "direction": "both"}}
    with pytest.raises(RecipeError, match=r"\[tasks.next\]: expected a causal encoder"):
        worlds.model(ModelConfig.model_validate(told), worlds.varied())
