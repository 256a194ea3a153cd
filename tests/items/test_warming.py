import copy
import math

import pytest
import torch

from intertask.items._warming import FULL, Before, solved, warm
from intertask.items.content import ContentItems
from tests.items.test_content import items_of, recommender


@pytest.fixture
def items() -> ContentItems:
    return items_of(copy.deepcopy(recommender().model)).eval()


def new(items: ContentItems) -> int:
    return int((items.described.evidence_I == 0).nonzero()[0][0])


def states(num: int, width: int = 8, seed: int = 0) -> torch.Tensor:
    return torch.randn(num, width, generator=torch.Generator().manual_seed(seed))


def test_the_step_is_the_minimum_of_what_it_minimises():
    before = Before(states(5), torch.full((5,), 9.0))
    vector, background = states(1, seed=1)[0], states(50, seed=2)
    mean = background.T @ background / 50
    change = solved(before, vector, mean, 3.0, 0.5).double().requires_grad_()
    lacking = (before.wanted_N - before.states_ND @ vector).clamp(min=0)
    missed = (before.states_ND.double() @ change - lacking.double()).square().sum()
    moved = 3.0 * (change @ mean.double() @ change)
    (missed + moved + 0.5 * change.square().sum()).backward()
    assert change.grad.abs().max() < 1e-4


def test_scores_before_the_events_rise_and_those_of_others_hardly_move(items):
    item, own = new(items), states(4) * 0.1 + torch.eye(8)[0] * 2  # events follow a state of one kind
    others = states(200, seed=3) * (1 - torch.eye(8)[0])
    with torch.no_grad():
        before = items.weight_ID[item].clone()
        warm(items, {item: Before(own, own @ before + 3)}, others.T @ others / 200, 30.0, 0.1)
        after = items.weight_ID[item]
    assert ((own @ (after - before)) > 0.5).all()
    assert (others @ (after - before)).abs().mean() < 0.1 * (own @ (after - before)).mean()


def test_an_items_part_stays_within_what_its_evidence_allows(items):
    item, far = new(items), Before(states(2), torch.full((2,), 1e4))
    radius, evidence = items.config.radius, items.config.evidence
    with torch.no_grad():
        for count in (2, 4, 6):
            warm(items, {item: far}, torch.zeros(8, 8), 0.0, 0.1)
            length = float((items.weight_ID[item] - items.of_content()[item]).norm())
            assert length == pytest.approx(FULL * radius * count / (count + evidence), rel=1e-3)
    assert items.described.evidence_I[item] == 6
    assert math.isfinite(float(items.own.weight[item].detach().norm()))


def test_nothing_of_other_items_changes(items):
    item = new(items)
    with torch.no_grad():
        before = items.weight_ID.clone()
        warm(items, {item: Before(states(3), torch.full((3,), 5.0))}, torch.eye(8))
        changed = (items.weight_ID != before).any(1).nonzero().flatten().tolist()
    assert changed == [item]


def test_events_that_the_content_foretold_change_nothing_but_evidence(items):
    item = new(items)
    with torch.no_grad():
        before = items.weight_ID[item].clone()
        warm(items, {item: Before(states(3), states(3) @ before - 1)}, torch.eye(8))
        assert torch.allclose(items.weight_ID[item], before, atol=1e-6)
