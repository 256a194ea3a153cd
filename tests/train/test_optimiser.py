import math

import pytest
import torch
from torch import nn

from intertask.errors import RecipeError
from intertask.nn.rates import learn_at
from intertask.options.config import parse
from intertask.train.config import TrainConfig
from intertask.train.optimiser import Optimiser, learning_rate, warmup_steps


def rates(num_steps, **options):
    config = TrainConfig(**{"learning_rate": 1.0, "warmup_steps": 0, "schedule": "constant"} | options)
    warmup = warmup_steps(config, num_steps)
    return [learning_rate(config, warmup, step, step / num_steps) for step in range(num_steps)]


def test_a_constant_rate_stays():
    assert rates(3) == [1.0, 1.0, 1.0]


def test_a_warm_up_rises_in_equal_steps_and_never_from_zero():
    assert rates(6, warmup_steps=4) == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("given", "planned", "expected"),
    [(None, 96, 10), (None, 4, 0), (None, 1999, 200), (None, 10**6, 200), (200, 96, 200), (0, 96, 0)],
)
def test_a_warm_up_left_out_is_a_tenth_of_the_run_and_200_steps_at_most(given, planned, expected):
    assert warmup_steps(TrainConfig(warmup_steps=given), planned) == expected


def test_a_cosine_falls_from_the_top_through_one_half():
    found = rates(5, schedule="cosine")
    assert found == pytest.approx([1.0, 0.9045085, 0.6545085, 0.3454915, 0.0954915])


def test_a_warm_up_longer_than_the_run_is_no_error():
    assert rates(2, warmup_steps=8) == [0.125, 0.25]


def test_a_cosine_with_a_warm_up_is_their_product():
    plain, warm = rates(6, schedule="cosine"), rates(6, schedule="cosine", warmup_steps=2)
    assert warm == pytest.approx([0.5 * plain[0], *plain[1:]])


def test_steps_beyond_the_last_keep_a_rate_of_zero():
    config = TrainConfig(learning_rate=1.0, schedule="cosine")
    assert learning_rate(config, 2, 9, 5) == 0.0


def test_weight_decay_shrinks_matrices_and_spares_tables_and_biases():
    module = nn.ModuleDict({"linear": nn.Linear(2, 2), "table": nn.Embedding(2, 2), "cell": nn.GRU(2, 2)})
    before = {name: weight.detach().clone() for name, weight in module.named_parameters()}
    for weight in module.parameters():
        weight.grad = torch.zeros_like(weight)
    Optimiser(module, TrainConfig(weight_decay=0.5)).step(0.1)
    for name, weight in module.named_parameters():
        factor = 0.95 if weight.ndim == 2 and "table" not in name else 1.0
        torch.testing.assert_close(weight.detach(), factor * before[name], msg=name)


def test_tables_shrink_where_it_is_asked_for_and_by_their_own_rate():
    module = nn.ModuleDict({"linear": nn.Linear(2, 2), "table": nn.Embedding(2, 2), "norm": nn.LayerNorm(2)})
    before = {name: weight.detach().clone() for name, weight in module.named_parameters()}
    for weight in module.parameters():
        weight.grad = torch.zeros_like(weight)
    Optimiser(module, TrainConfig(table_decay=0.5)).step(0.1)
    for name, weight in module.named_parameters():
        factor = 0.95 if "table" in name else 1.0
        torch.testing.assert_close(weight.detach(), factor * before[name], msg=name)


def table(sparse):
    module = nn.Embedding(5, 2, sparse=sparse)
    with torch.no_grad():
        module.weight.copy_(torch.arange(10.0).view(5, 2))
    return module


def test_rows_of_a_sparse_table_move_as_those_of_a_dense_one_and_the_others_stay():
    one, other = table(sparse=True), table(sparse=False)
    optimisers = [Optimiser(module, TrainConfig(clip_norm=0.5)) for module in (one, other)]
    for _ in range(3):
        for module, own in zip((one, other), optimisers, strict=True):
            own.zero_grad()
            module(torch.tensor([1, 3, 1])).pow(2).sum().backward()
            own.clip()
            own.step(0.1)
    torch.testing.assert_close(one.weight, other.weight)
    assert torch.equal(one.weight[[0, 2, 4]], table(sparse=True).weight[[0, 2, 4]])


@pytest.mark.parametrize("sparse", [True, False])
def test_a_gradient_is_as_long_as_its_rows_and_clipped_to_what_is_allowed(sparse):
    module = table(sparse=sparse)
    own = Optimiser(module, TrainConfig(clip_norm=2.0))
    (module(torch.tensor([1, 1, 4])) * torch.tensor([3.0, 0.0])).sum().backward()
    assert own.clip() == pytest.approx(math.hypot(6.0, 3.0))
    assert module.weight.grad.to_dense().norm() == pytest.approx(2.0)
    assert own.clip() == pytest.approx(2.0)


def test_a_group_with_a_rate_of_its_own_keeps_its_ratio_under_a_schedule():
    module = nn.ModuleDict({"old": nn.Linear(1, 1, bias=False), "new": nn.Linear(1, 1, bias=False)})
    optimiser = Optimiser(module["new"], TrainConfig(learning_rate=0.1))
    optimiser.parts[0].add_param_group({"params": [module["old"].weight], "lr": 0.02, "weight_decay": 0.0})
    before = {name: part.weight.item() for name, part in module.items()}
    for rate in (0.1, 0.05, 0.0):
        for part in module.values():
            part.weight.grad = torch.ones(1, 1)
        optimiser.step(rate)
    moved = {name: before[name] - part.weight.item() for name, part in module.items()}
    # Adam moves by its rate where all gradients are alike.
    assert moved == {"old": pytest.approx(0.03, rel=1e-4), "new": pytest.approx(0.15, rel=1e-4)}


def test_a_part_with_a_rate_of_its_own_keeps_its_ratio_under_any_schedule():
    module = nn.ModuleDict({"new": nn.Linear(2, 2), "old": nn.Linear(2, 2), "table": nn.Linear(2, 2)})
    module["old"].shared = module["table"]
    learn_at(module["old"], 0.01, module["table"].parameters())
    optimiser = Optimiser(module, TrainConfig(learning_rate=0.1))
    before = {name: weight.detach().clone() for name, weight in module.named_parameters()}
    for weight in module.parameters():
        weight.grad = torch.ones_like(weight)
    optimiser.step(0.05)  # half of the highest rate, as a schedule has it
    moved = {name: (before[name] - weight.detach()).mean() for name, weight in module.named_parameters()}
    for name, distance in moved.items():  # AdamW's first step is as long as its rate
        expected = 0.005 if name in ("old.weight", "old.bias") else 0.05
        assert distance.item() == pytest.approx(expected, rel=1e-3), name


def test_a_part_with_a_rate_of_zero_stays_as_it_is():
    module = nn.ModuleDict({"new": nn.Linear(2, 2), "old": nn.Linear(2, 2)})
    learn_at(module["old"], 0.0, [])
    optimiser = Optimiser(module, TrainConfig(weight_decay=0.5))
    before = module["old"].weight.clone()
    module["old"](module["new"](torch.ones(1, 2))).sum().backward()
    optimiser.step(0.1)
    assert torch.equal(module["old"].weight, before) and module["new"].weight.grad.any()


def test_a_warm_up_may_be_a_share_of_the_run_however_long():
    assert warmup_steps(TrainConfig(warmup_share=0.1), 10**6) == 10**5
    with pytest.raises(RecipeError, match="warmup_steps or warmup_share"):
        parse(TrainConfig, {"warmup_share": 0.1, "warmup_steps": 5}, "[train]")
