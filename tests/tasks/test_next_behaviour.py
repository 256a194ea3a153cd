import pytest
import torch
from scipy.stats import entropy
from torch.nn import functional

from intertask.data.sequences import from_lists
from intertask.errors import RecipeError
from intertask.nn.item_table import ItemTable
from intertask.tasks.next_behaviour import Config
from tests import worlds

WIDTH = 4
SEQUENCES = from_lists([[0, 1, 2], [3, 4]], 7, behaviours=[[0, 1, 1], [1, 0]])


def built(behaviours=worlds.BEHAVIOURS):
    with worlds.seeded():
        return Config().build(
            "what", worlds.dimensions(width=WIDTH, behaviours=behaviours), ItemTable(7, WIDTH)
        )


def test_the_loss_is_about_the_behaviour_that_follows():
    task, states = built(), torch.randn(2, 2, WIDTH, generator=torch.Generator().manual_seed(0))
    probabilities = task.predict(states.view(4, WIDTH), torch.zeros(4))
    followed = torch.tensor([1, 1, 0])  # after (0, 0), (0, 1) and (1, 0); after (1, 1) there is nothing
    expected = functional.nll_loss(probabilities[:3].log(), followed)
    torch.testing.assert_close(task.loss(states, worlds.batch(SEQUENCES).target("any")), expected)


def test_padding_gets_no_gradient():
    states = torch.ones(2, 2, WIDTH, requires_grad=True)
    built().loss(states, worlds.batch(SEQUENCES).target("any")).backward()
    assert (states.grad[1, 1] == 0).all() and (states.grad[1, 0] != 0).any()


def test_probabilities_add_up():
    torch.testing.assert_close(built().predict(torch.ones(3, WIDTH), torch.zeros(3)).sum(1), torch.ones(3))


def test_the_constant_loss_is_the_entropy_of_the_behaviours():
    found = Config().constant_loss(SEQUENCES, worlds.BEHAVIOURS)
    assert found == pytest.approx(entropy([0.4, 0.6]), abs=1e-6)


def test_a_log_with_one_behaviour_is_refused():
    with pytest.raises(
        RecipeError, match=r"\[tasks\.what\]: expected a log with two behaviours at least, found view"
    ):
        built(("view",))
