"""Published mechanisms written down directly, one vector at a time, to set the batched ones against."""

import pytest
import torch
from torch.nn import functional

from tests import worlds

WIDTH, INNER = 8, 6
TASKS = ("view", "cart", "buy")
PLACES = range(len(TASKS))

as_published_or_residual = pytest.mark.parametrize("residual", [False, True])


def built(config, tasks=TASKS):
    with worlds.seeded():
        return config.build(worlds.dimensions(width=WIDTH, tasks=tasks)).eval()


def vectors():
    return torch.randn(2, 3, WIDTH, generator=torch.Generator().manual_seed(0))


def assert_equals(mechanism, states_of):
    """At each position the mechanism gives what `states_of(vector)` lists, one state for each task."""
    hidden = vectors()
    with torch.no_grad():
        expected = torch.stack([torch.stack([torch.stack(states_of(x)) for x in row]) for row in hidden])
        torch.testing.assert_close(mechanism(hidden), expected)


def say(experts, group, number, x):
    """One expert of one group: a linear layer, ReLU, a linear layer."""
    inner = experts.down.shape[2]
    own = slice(number * inner, (number + 1) * inner)
    hidden = functional.linear(x, experts.up[group, :, own].T, experts.up_bias[group, own]).relu()
    said = functional.linear(hidden, experts.down[group, number].T, experts.down_bias[group, number])
    return x + said if experts.residual else said


def mixed(logits, said):
    """A softmax of numbers over as many vectors."""
    shares = torch.stack(list(logits)).exp()
    return sum(share * vector for share, vector in zip(shares / shares.sum(), said, strict=True))
