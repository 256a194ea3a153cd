import numpy as np
import pytest
import torch

from intertask.data.sequences import from_lists
from intertask.events.systems import ModelSystem
from intertask.model import ModelConfig
from tests import worlds


@pytest.mark.parametrize(("bias", "is_told"), [("off", False), ("history", False), ("query", True)])
def test_only_a_model_with_query_time_is_told_when_the_target_happens(bias, is_told):
    config = ModelConfig.model_validate(
        {"width": 8, "max_length": 5, "encoder": {"kind": "attention", "time_bias": bias}}
    )
    states = []
    for target_time in (worlds.DAY, 300 * worlds.DAY):
        log = from_lists([[1, 2, 3, 4]], 7, times=[[0, 60, 3_600, target_time]])
        model = worlds.model(config, log).eval()
        with worlds.seeded(), torch.no_grad():
            for weight in model.parameters():  # a bias starts at zero
                torch.nn.init.normal_(weight, std=0.5)
        states.append(ModelSystem(model, log, np.array([3])).states_MTD)
    assert torch.equal(*states) is not is_told
