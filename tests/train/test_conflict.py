import pytest
import torch

from intertask.balance import task_gradients
from intertask.balance.aggregation import Config as Aggregation
from intertask.model import ModelConfig
from intertask.train.conflict import at_weights, cosines, trunk_weights
from tests import worlds

TASKS = {
    "buys": {"kind": "next_item", "behaviour": "buy"},
    "views": {"kind": "next_item", "behaviour": "view"},
}
ONES = dict.fromkeys(TASKS, 1.0)


def built(tasks=TASKS, encoder="attention", **options):
    sequences = worlds.varied(num_users=8)
    options = {
        "encoder": {"kind": encoder, "dropout": 0.0},
        "input": {"kind": "events", "dropout": 0.0},
    } | options
    config = ModelConfig.model_validate({"width": 8, "max_length": 12, "tasks": tasks} | options)
    return worlds.model(config, sequences).train(), worlds.batch(sequences)


def step(model, batch):
    """What a training step has: the trunk's output with its graph, the leaf above it, the losses."""
    encoded = model.trunk(batch)
    leaf = encoded.hidden_BLD.detach().requires_grad_()
    return encoded.hidden_BLD, leaf, model.losses(batch, encoded.with_parts([leaf]))


@pytest.mark.parametrize("encoder", ["attention", "gru", "hstu"])
def test_gradients_at_the_weights_are_those_of_each_loss_alone(encoder):
    model, batch = built(encoder=encoder)
    hidden, leaf, losses = step(model, batch)
    found = at_weights(model, hidden)(task_gradients(losses, leaf))
    for row, name in zip(found, losses, strict=True):
        loss = model.losses(batch)[name]
        alone = torch.autograd.grad(loss, trunk_weights(model), allow_unused=True)
        flat = [
            torch.zeros_like(weight).flatten() if part is None else part.flatten()
            for weight, part in zip(trunk_weights(model), alone, strict=True)
        ]
        torch.testing.assert_close(row, torch.cat(flat))


def test_the_vectors_of_items_are_no_part_of_it():
    model, _ = built()
    own = {id(weight) for weight in trunk_weights(model)}
    assert id(model.items.weight_ID) not in own
    assert own == {
        id(weight)
        for name, weight in model.named_parameters()
        if name.startswith(("input.", "encoder.")) and weight is not model.items.weight_ID
    }


def test_tasks_whose_targets_stand_at_different_positions_have_a_cosine():
    model, batch = built()
    hidden, leaf, losses = step(model, batch)
    above = task_gradients(losses, leaf)
    assert (above[0] @ above[1]).item() == 0.0  # at the trunk's output there is nothing to see
    told = cosines(list(losses), at_weights(model, hidden)(above))
    assert told["tasks"] == list(TASKS) and 0.001 < abs(told["cosines"][0][1]) < 1


def test_tasks_that_want_the_opposite_have_a_cosine_of_minus_one():
    model, batch = built()
    hidden = model.trunk(batch).hidden_BLD
    even = torch.arange(hidden.shape[1]) % 2 == 0
    push = torch.randn(hidden.shape[2], generator=torch.Generator().manual_seed(0))
    # The mean state of even positions, and how far it must not go that way.
    rows = torch.stack([(even[:, None] * push).expand_as(hidden), -(even[:, None] * push).expand_as(hidden)])
    told = cosines(["one", "other"], at_weights(model, hidden)(rows.flatten(1)))
    assert told["cosines"][0][1] == pytest.approx(-1, abs=1e-4)


def test_one_task_that_pushes_has_no_cosine():
    gradients = torch.tensor([[1.0, 2.0], [0.0, 0.0]])
    assert cosines(["pushes", "detached"], gradients) is None


def test_no_task_is_pushed_uphill_at_the_weights():
    model, batch = built()
    hidden, leaf, losses = step(model, batch)
    below = at_weights(model, hidden)
    rows = below(task_gradients(losses, leaf))
    Aggregation(method="upgrad").build(ONES, ONES).backward(losses, leaf, below)
    pushed = below(leaf.grad.flatten()[None])[0]
    assert (rows @ pushed >= -1e-6).all() and pushed.norm() > 0
