import numpy as np
import pytest
import torch

from intertask.answers.temperature import level
from intertask.data.sequences import from_lists
from intertask.events.calibration import temperature
from intertask.events.responses import model_answers
from intertask.events.splits import LeaveOneOut
from intertask.events.systems import ModelSystem
from intertask.events.validation import Validator
from intertask.model import ModelConfig
from intertask.tasks.response import Config as Response
from tests import worlds

ITEMS = 6


class Known:
    """A system whose scores are the logarithms of the true shares, times some factor."""

    def __init__(self, factor, tasks, answer=None):
        self.model = type("Model", (), {"config": ModelConfig.model_validate({"tasks": tasks})})()
        self.model.device, self.model.task = torch.device("cpu"), lambda name: None
        self.model.predict = lambda name, states, items: answer[name][: len(items)]
        self.states_MTD = torch.zeros(10_000, 1, 1)
        self.scores = factor * torch.log(torch.arange(1.0, ITEMS + 1) / 21)

    def score(self, name, rows):
        return self.scores.expand(len(rows), -1)


@pytest.mark.parametrize(("factor", "expected"), [(1.0, 1.0), (2.0, 2.0), (0.5, 0.5), (100.0, 4.0)])
def test_scores_that_are_too_sure_are_divided_and_others_multiplied(factor, expected):
    random = np.random.default_rng(0)
    shares = np.arange(1, ITEMS + 1) / 21
    sequences = from_lists([[0, int(item)] for item in random.choice(ITEMS, size=2000, p=shares)], ITEMS)
    targets, rows = np.arange(1, 4000, 2), np.arange(2000)
    system = Known(factor, {"next": {"kind": "next_item"}})
    found = temperature(system, "next", sequences, targets, rows, worlds.BEHAVIOURS)
    assert found == pytest.approx(expected, rel=0.1)


def test_the_same_holds_for_a_binary_response():
    random = np.random.default_rng(0)
    truth = random.random(4000) * 0.8 + 0.1
    labels = (random.random(4000) < truth).astype(float)
    sequences = from_lists([[0, 1]] * 4000, 2, labels={"liked": [[0.0, label] for label in labels]})
    logits = 3 * torch.logit(torch.tensor(truth))
    system = Known(1.0, {"liked": Response(label="liked")}, {"liked": torch.sigmoid(logits)})
    found = temperature(system, "liked", sequences, np.arange(1, 8000, 2), np.arange(4000), worlds.BEHAVIOURS)
    assert found == pytest.approx(3.0, rel=0.12)


def test_of_a_step_of_a_funnel_the_probability_under_the_condition_is_divided():
    random = np.random.default_rng(0)
    click, bought = random.random(8000) * 0.8 + 0.1, random.random(8000) * 0.8 + 0.1
    labels = (random.random(8000) < click * bought).astype(float)
    sequences = from_lists([[0, 1]] * 8000, 2, labels={"buy": [[0.0, label] for label in labels]})
    too_sure = torch.sigmoid(3 * torch.logit(torch.tensor(bought)))
    answers = {"click": torch.tensor(click), "buy": torch.tensor(click) * too_sure}
    tasks = {"click": Response(behaviour="view"), "buy": Response(label="buy", given="click")}
    system = Known(1.0, tasks, answers)
    found = temperature(system, "buy", sequences, np.arange(1, 16000, 2), np.arange(8000), worlds.BEHAVIOURS)
    assert found == pytest.approx(3.0, rel=0.12)


@pytest.mark.parametrize("moved", [-1.5, 0.0, 0.7])
def test_logits_are_moved_until_as_many_say_yes_as_do(moved):
    random = np.random.default_rng(0)
    logits = random.normal(size=20_000)
    right = random.random(20_000) < 1 / (1 + np.exp(-logits - moved))
    assert level(1 / (1 + np.exp(-logits)), right) == pytest.approx(moved, abs=0.05)


def test_few_answers_move_logits_little_and_none_of_them_at_all():
    assert 0 < level(np.full(2, 0.5), np.ones(2)) < 1 < level(np.full(200, 0.5), np.ones(200))
    assert level(np.empty(0), np.empty(0)) == 0.0
    assert abs(level(np.array([0.0, 1.0]), np.array([1, 0]))) < 1e-6


def test_once_calibrated_a_response_says_yes_as_often_as_the_validation_targets_do():
    lists = worlds.chain(6, 300, 5)
    labels = {"liked": [[float(place % 5 != 0) for place in range(5)] for _ in lists]}
    sequences = from_lists(lists, 6, labels=labels)
    model = worlds.model(ModelConfig.model_validate({"tasks": {"liked": Response(label="liked")}}), sequences)
    model.eval()
    validator = Validator(sequences, LeaveOneOut().split(sequences), worlds.BEHAVIOURS, "kept", 1000)
    before = validator(model)
    validator.calibrate(model)
    system, rows = ModelSystem(model, sequences, validator.targets), np.arange(300)
    told = model_answers(system, "liked", sequences, validator.targets, rows, worlds.BEHAVIOURS)
    assert told.truth.mean() == 1 and told.predicted.mean() > 0.95
    assert validator(model)["liked/-log_loss"] > before["liked/-log_loss"]
