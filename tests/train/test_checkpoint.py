import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from intertask.balance.equal import WeightedSum
from intertask.errors import ArtefactError, RecipeError
from intertask.train import checkpoint
from intertask.train.checkpoint import Progress
from intertask.train.config import TrainConfig
from intertask.train.courses import Course
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
    course = {"next": Course(0.3, 1, 0.2)}
    progress = Progress("run", epoch=1, batch=2, step=3, best_metric=0.1, best_epoch=0, courses=course)
    best = {"weight": torch.ones(2, 3)}
    zeros, heads = {"weight": torch.zeros(2, 3)}, {"bias": torch.ones(2)}
    checkpoint.save(tmp_path, progress, module, optimiser, balance, best, zeros, heads)
    other, other_optimiser, _ = parts(1)
    found, found_best, average, found_heads = checkpoint.load(
        tmp_path, "run", other, other_optimiser, balance
    )
    assert found == progress and torch.equal(found_best["weight"], best["weight"])
    assert torch.equal(average["weight"], zeros["weight"])
    assert torch.equal(found_heads["bias"], heads["bias"])
    for _ in range(2):
        step(module, optimiser)
        step(other, other_optimiser)
    assert torch.equal(module.weight, other.weight) and torch.equal(module.bias, other.bias)


def test_the_newest_checkpoint_alone_is_kept(tmp_path):
    for number in (5, 10, 1_000_000):
        checkpoint.save(tmp_path, Progress("run", step=number), *parts(), {}, {}, {})
        assert len(list(tmp_path.iterdir())) == 1
    assert checkpoint.load(tmp_path, "run", *parts())[0].step == 1_000_000


def test_a_folder_without_one_is_a_fresh_start(tmp_path):
    assert checkpoint.load(tmp_path / "none", "run", *parts()) is None


def test_one_of_another_run_changes_no_weight(tmp_path):
    checkpoint.save(tmp_path, Progress("other"), *parts(), {}, {}, {})
    module, optimiser, balance = parts(1)
    before = module.weight.detach().clone()
    with pytest.raises(RecipeError, match="choose another folder"):
        checkpoint.load(tmp_path, "run", module, optimiser, balance)
    assert torch.equal(module.weight, before)


def test_a_table_that_parts_share_is_saved_once():
    module = nn.ModuleDict({"a": nn.Linear(2, 2)})
    module["b"] = module["a"]
    assert list(checkpoint.weights(module)) == ["a.weight", "a.bias"]


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("model", lambda t: t | {"bias": torch.zeros(3)}, "the weights of the recipe: bias float32 \\[2\\]"),
        ("model", lambda t: {"weight": t["weight"]}, "the weights of the recipe: bias"),
        ("model", lambda t: t | {"bias": torch.full((2,), torch.nan)}, "finite numbers"),
        ("best", lambda t: t | {"other": torch.zeros(3)}, "other float32 \\[3\\] among the best"),
        ("optimiser", lambda t: t | {"weight/exp_avg": torch.zeros(7)}, "weight/exp_avg \\[7\\]"),
        ("balance", lambda t: t | {"more": torch.zeros(1)}, "expected a complete checkpoint"),
    ],
)
def test_a_checkpoint_that_does_not_fit_the_model_is_refused_and_changes_no_weight(
    name, change, message, tmp_path
):
    module, optimiser, balance = parts()
    step(module, optimiser)
    checkpoint.save(tmp_path, Progress("run", step=1), module, optimiser, balance, {}, {}, {})
    file = tmp_path / "checkpoint-000000001" / f"{name}.safetensors"
    save_file(change(load_file(file)), file)
    other, other_optimiser, other_balance = parts(1)
    before = other.weight.detach().clone()
    with pytest.raises(ArtefactError, match=message):
        checkpoint.load(tmp_path, "run", other, other_optimiser, other_balance)
    assert torch.equal(other.weight, before)


@pytest.mark.parametrize(
    "text", ["[]", '{"run": 1}', '{"run": "run", "step": "1"}', '{"run": "run", "x": 1}', "{"]
)
def test_a_progress_that_is_none_is_refused(text, tmp_path):
    checkpoint.save(tmp_path, Progress("run", step=1), *parts(), {}, {}, {})
    (tmp_path / "checkpoint-000000001" / "progress.json").write_text(text)
    with pytest.raises(ArtefactError, match="expected a complete checkpoint"):
        checkpoint.load(tmp_path, "run", *parts())


def test_buffers_are_kept_with_the_weights(tmp_path):
    """Running means are what a layer of a pretrained part has learnt, though no optimiser moves them."""
    modules = [nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)) for _ in range(2)]
    for module in modules:
        module.register_buffer("made_anew", torch.rand(1), persistent=False)
    one, other = modules
    one(torch.rand(8, 3))
    kept = checkpoint.weights(one)
    assert kept.keys() == one.state_dict().keys()
    optimisers = [Optimiser(module, TrainConfig()) for module in modules]
    balance = WeightedSum({"next": 1.0})
    checkpoint.save(tmp_path, Progress("run", step=1), one, optimisers[0], balance, kept, {}, {})
    _, best, _, _ = checkpoint.load(tmp_path, "run", other, optimisers[1], balance)
    for name, value in one.state_dict().items():
        assert torch.equal(other.state_dict()[name], value) and torch.equal(best[name], value)
    assert other[1].num_batches_tracked.dtype == torch.int64 and not torch.equal(
        one.made_anew, other.made_anew
    )
