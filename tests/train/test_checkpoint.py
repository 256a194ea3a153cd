import pytest
import torch
from torch import nn

from intertask.balance.equal import WeightedSum
from intertask.errors import RecipeError
from intertask.train import checkpoint
from intertask.train.checkpoint import Progress
from intertask.train.config import TrainConfig
from intertask.train.optimiser import Optimiser


def parts(seed=0):
    generator = torch.Generator().manual_seed(seed)
    module = nn.Linear(3, 2)
    with torch.no_grad():
        for weight in module.parameters():
            weight.copy_(torch.randn(weight.shape, generator=generator))
    return module, Optimiser(module, TrainConfig()), WeightedSum({"next": 1.0})


def step(module, optimiser):
    optimiser.zero_grad()
    module(torch.ones(1, 3)).pow(2).sum().backward()
    optimiser.step(0.1)


def test_what_is_loaded_goes_on_like_what_was_saved(tmp_path):
    module, optimiser, balance = parts()
    step(module, optimiser)
    progress = Progress("run", epoch=1, batch=2, step=3, best_metric=0.1, best_epoch=0)
    best = {"weight": torch.ones(2, 3)}
    checkpoint.save(tmp_path, progress, module, optimiser, balance, best, {"weight": torch.zeros(2, 3)})
    other, other_optimiser, _ = parts(1)
    found, found_best, average = checkpoint.load(tmp_path, "run", other, other_optimiser, balance)
    assert found == progress and torch.equal(found_best["weight"], best["weight"])
    assert torch.equal(average["weight"], torch.zeros(2, 3))
    for _ in range(2):
        step(module, optimiser)
        step(other, other_optimiser)
    assert torch.equal(module.weight, other.weight) and torch.equal(module.bias, other.bias)


def test_the_newest_checkpoint_alone_is_kept(tmp_path):
    for number in (5, 10, 1_000_000):
        checkpoint.save(tmp_path, Progress("run", step=number), *parts(), {}, {})
        assert len(list(tmp_path.iterdir())) == 1
    assert checkpoint.load(tmp_path, "run", *parts())[0].step == 1_000_000


def test_a_folder_without_one_is_a_fresh_start(tmp_path):
    assert checkpoint.load(tmp_path / "none", "run", *parts()) is None


def test_one_of_another_run_changes_no_weight(tmp_path):
    checkpoint.save(tmp_path, Progress("other"), *parts(), {}, {})
    module, optimiser, balance = parts(1)
    before = module.weight.detach().clone()
    with pytest.raises(RecipeError, match="choose another folder"):
        checkpoint.load(tmp_path, "run", module, optimiser, balance)
    assert torch.equal(module.weight, before)


def test_a_table_that_parts_share_is_saved_once():
    module = nn.ModuleDict({"a": nn.Linear(2, 2)})
    module["b"] = module["a"]
    assert list(checkpoint.weights(module)) == ["a.weight", "a.bias"]
