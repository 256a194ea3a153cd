"""A model of rows by themselves: no items, one state of a row for each task, and any neighbour seen."""

from typing import ClassVar, Literal

import pytest
import torch

from intertask.data.seam import INPUT, Batch
from intertask.errors import RecipeError
from intertask.model import Model, ModelConfig
from intertask.nn.dimensions import Dimensions
from intertask.nn.rates import own_rates
from intertask.options.config import kinds
from intertask.tasks._places import PlaceTask, PlaceTaskConfig
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


def several(**sections):
    config = ModelConfig.model_validate(
        {
            "width": 8,
            "inputs": {"left": rows.NumbersConfig(), "right": rows.NumbersConfig()},
            "tasks": {"first": rows.ClassConfig()},
            "encoder": {"kind": "attention", "dropout": 0.0},
        }
        | sections
    )
    with worlds.seeded():
        return Model(config, Dimensions(config.width, 4, tuple(config.tasks))).eval()


def pair(left, right):
    """Two inputs of the same rows."""
    one, other = (rows.batch(part).inputs[INPUT] for part in (left, right))
    return Batch({"left": one, "right": other}, {"first": rows.Classes(torch.tensor([0] * len(left)))})


LEFT, RIGHT = [[0.5], [1.0, -2.0], [0.1]], [[2.0, 1.0, 0.3], [0.7], [0.2]]


@pytest.mark.parametrize("encoder", kinds("encoders"))
@pytest.mark.parametrize("pooling", ["mean", "first", "last"])
def test_several_inputs_of_a_row_are_one_sequence_wherever_rows_are_padded(encoder, pooling):
    model = several(encoder=encoder, pooling=pooling)
    together = model.row_states(pair(LEFT, RIGHT))["first"]
    for place, (left, right) in enumerate(zip(LEFT, RIGHT, strict=True)):
        alone = model.row_states(pair([left], [right]))["first"]
        assert_same(together[place], alone[0], "the state of a row among others", 1e-5)


def test_every_input_is_seen_and_each_has_a_mark():
    model = several()
    batch = pair(LEFT, RIGHT)
    states = model.row_states(batch)["first"]
    assert (model.row_states(pair(LEFT, LEFT))["first"] != states).any()
    swapped = Batch({"left": batch.inputs["right"], "right": batch.inputs["left"]}, {})
    assert (model.row_states(swapped)["first"] != states).any()
    assert_every_weight_gets_gradient(model.input, model.losses(batch)["first"])


def test_one_input_more_moves_no_weight_of_another():
    two, three = several(), several(inputs={name: rows.NumbersConfig() for name in ("left", "new", "right")})
    for name in ("left", "right"):
        assert torch.equal(two.input.inputs[name].weight, three.input.inputs[name].weight)
    assert not torch.equal(two.input.inputs["left"].weight, two.input.inputs["right"].weight)


class Places(rows.ClassConfig):
    """A class for each place, of what stands there."""

    pooled: ClassVar[bool] = False


def test_a_task_of_places_is_asked_of_those_of_the_last_input():
    model = several(tasks={"first": Places()}, encoder="none")
    asked = []
    model.task("first").loss = lambda states, target: asked.append(states) or states.sum()
    model.losses(pair(LEFT, RIGHT))
    (states,) = asked
    assert states.shape == (3, 3, 8)
    for place, right in enumerate(RIGHT):
        other = several(tasks={"first": Places()}, encoder="none")
        other.task("first").loss = lambda states, target: asked.append(states) or states.sum()
        other.losses(pair([[9.0]], [right]))
        assert_same(states[place, : len(right)], asked[-1][0, : len(right)], "states of a place", 1e-5)


class PlacesOf(PlaceTaskConfig):
    """A task whose head is told which places it reads."""

    kind: Literal["places"] = "places"

    @property
    def answer(self):
        raise NotImplementedError

    def fit(self, name, rows):
        raise NotImplementedError

    facts = labels = scale = known_answer = fit

    def build(self, name, dimensions, items):
        return PlacesHead()


class PlacesHead(PlaceTask):
    def loss_of_places(self, states_BLD, lengths_B, target):
        self.read = (states_BLD, lengths_B)
        return states_BLD.sum()

    def answer_of_places(self, states_BLD, lengths_B):
        raise NotImplementedError


@pytest.mark.parametrize("of", ["left", "right", None])
def test_a_task_of_places_is_asked_of_those_of_the_input_that_it_names(of):
    model = several(tasks={"first": PlacesOf(of=of)}, encoder="none")
    model.losses(pair(LEFT, RIGHT))
    states_BLD, lengths_B = model.task("first").read
    named = LEFT if of == "left" else RIGHT
    assert lengths_B.tolist() == [len(row) for row in named] and states_BLD.shape[1] == max(map(len, named))
    for place in range(3):
        alone = several(tasks={"first": PlacesOf(of=of)}, encoder="none")
        alone.losses(pair([LEFT[place]], [RIGHT[place]]))
        own = alone.task("first").read[0][0]
        assert_same(states_BLD[place, : len(named[place])], own, "states of a place", 1e-5)


def test_a_task_of_places_of_an_input_that_is_not_there_is_refused():
    with pytest.raises(
        RecipeError, match=r"\[tasks.first\] of: expected one of \[inputs.NAME\]: left, right"
    ):
        several(tasks={"first": PlacesOf(of="middle")})


def test_an_input_that_is_frozen_is_kept_and_the_rest_learns():
    model = built(input=rows.NumbersConfig(learning_rate=0), encoder="none")
    assert not any(weight.requires_grad for weight in model.input.parameters())
    torch.stack(list(model.losses(rows.batch(ROWS, LABELS)).values())).sum().backward()
    assert all(model.task(name).head.weight.grad.any() for name in LABELS)


def test_the_rate_of_an_input_is_not_that_of_the_items():
    config = ModelConfig.model_validate({"input": {"kind": "events", "learning_rate": 1e-5}})
    model = worlds.model(config, worlds.varied())
    rates = own_rates(model)
    assert id(model.items.weight_ID) not in rates
    assert rates == {id(model.input.behaviour.weight): 1e-5, id(model.input.position.weight): 1e-5}


def test_encoder_and_heads_may_have_rates_of_their_own():
    model = built(
        input=rows.NumbersConfig(learning_rate=1e-5),
        encoder={"kind": "gru", "learning_rate": 1e-4},
        tasks={"first": rows.ClassConfig(learning_rate=1e-2), "second": rows.ClassConfig()},
    )
    rates = own_rates(model)
    parts = {1e-5: model.input, 1e-4: model.encoder, 1e-2: model.task("first")}
    for rate, part in parts.items():
        assert {rates.get(id(weight)) for weight in part.parameters()} == {rate}
    others = (model.task("second"), model.communication)
    assert not any(id(weight) in rates for part in others for weight in part.parameters())


def test_an_encoder_or_a_head_with_a_rate_of_zero_stays_as_it_is():
    model = built(
        encoder={"kind": "gru", "learning_rate": 0},
        tasks={"first": rows.ClassConfig(learning_rate=0), "second": rows.ClassConfig()},
    )
    still = [*model.encoder.parameters(), *model.task("first").parameters()]
    assert not any(weight.requires_grad for weight in still)
    torch.stack(list(model.losses(rows.batch(ROWS, LABELS)).values())).sum().backward()
    assert model.task("second").head.weight.grad.any() and model.input.weight.grad.any()


def test_the_rate_of_a_head_is_not_that_of_the_items_it_reads():
    config = ModelConfig.model_validate(
        {"tasks": {"next": {"kind": "next_item", "learning_rate": 1e-4}, "other": {"kind": "next_item"}}}
    )
    model = worlds.model(config, worlds.varied())
    rates = own_rates(model)
    items = {id(weight) for weight in model.items.parameters()}
    own = {id(weight) for weight in model.task("next").parameters() if weight.requires_grad} - items
    assert {key for key, rate in rates.items() if rate == 1e-4} >= own and not items & rates.keys()
