import torch

from intertask.communication.shared import Config
from tests import worlds


def test_every_task_reads_the_very_state_of_the_encoder():
    hidden = torch.arange(24.0).view(1, 3, 8)
    states = Config().build(worlds.dimensions(tasks=("a", "b")))(hidden)
    assert torch.equal(states[:, :, 0], hidden)
    assert states.data_ptr() == hidden.data_ptr()  # copied nowhere
