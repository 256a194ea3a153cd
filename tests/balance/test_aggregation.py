import sys

import pytest
import torch
from torchjd import aggregation

from intertask.balance.aggregation import AS_GIVEN, CLASSES, Config
from intertask.errors import RecipeError

ONES = {"buy": 1.0, "like": 1.0, "share": 1.0}
OPTIONS = {"nash_mtl": {"n_tasks": 3}, "cagrad": {"c": 0.5}}


def losses(trunk):
    """Three that disagree."""
    directions = torch.tensor([[1.0, 0.2, 0.0, 3.0], [-0.8, 1.0, 0.0, 0.1], [0.1, -0.4, 2.0, 0.3]])
    return {name: (trunk * row).sum() for name, row in zip(ONES, directions, strict=True)}, directions


@pytest.mark.filterwarnings("ignore::UserWarning")  # cvxpy on what the aggregators give it to solve
@pytest.mark.parametrize("method", CLASSES)
def test_the_trunk_gets_what_the_library_makes_of_the_gradients(method):
    trunk = torch.ones(1, 1, 4, requires_grad=True)
    found, directions = losses(trunk)
    torch.manual_seed(0)
    Config(method=method).build(ONES, ONES).backward(found, trunk)
    torch.manual_seed(0)
    expected = getattr(aggregation, CLASSES[method])(**OPTIONS.get(method, {}))(directions / 3)
    torch.testing.assert_close(trunk.grad.flatten(), expected if method in AS_GIVEN else 3 * expected)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("method", CLASSES)
def test_tasks_at_different_positions_are_weighed_by_what_they_want_of_the_trunks_weights(method):
    trunk = torch.ones(1, 3, 1, requires_grad=True)  # one position for each task: orthogonal at the output
    found = {name: trunk[0, place, 0] for place, name in enumerate(ONES)}
    below = losses(torch.ones(1, 1, 4))[1]  # which disagree
    torch.manual_seed(0)
    Config(method=method).build(ONES, ONES).backward(found, trunk, lambda gradients: 3 * gradients @ below)
    torch.manual_seed(0)
    expected = getattr(aggregation, CLASSES[method])(**OPTIONS.get(method, {}))(below)
    at_weights = 3 * trunk.grad.flatten() @ below
    torch.testing.assert_close(at_weights, expected if method in AS_GIVEN else 3 * expected)


@pytest.mark.parametrize("method", [method for method in CLASSES if method not in ("cagrad", "nash_mtl")])
def test_a_task_pushes_as_far_where_another_that_it_agrees_with_is_missing(method):
    def pushed(names):
        trunk = torch.ones(1, 1, 3, requires_grad=True)
        found = {name: trunk[..., place].sum() for place, name in enumerate(ONES) if name in names}
        Config(method=method).build(ONES, ONES).backward(found, trunk)
        return trunk.grad.flatten()[0]

    torch.testing.assert_close(pushed(("buy", "like", "share")), pushed(("buy",)))
    torch.testing.assert_close(pushed(("buy", "like", "share")), torch.tensor(1 / 3))


@pytest.mark.parametrize("method", ["upgrad", "dual_proj"])
def test_no_task_is_pushed_uphill(method):
    trunk = torch.ones(1, 1, 4, requires_grad=True)
    found, directions = losses(trunk)
    Config(method=method).build(ONES, ONES).backward(found, trunk)
    assert (directions @ trunk.grad.flatten() >= -1e-5).all()


def test_without_the_library_the_recipe_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchjd.aggregation", None)
    with pytest.raises(RecipeError, match=r"install intertask\[gradients\]"):
        Config().build(ONES, ONES)
