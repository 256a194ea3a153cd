import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import entropy
from torch import nn

from intertask.data.sequences import from_lists
from intertask.errors import RecipeError
from intertask.nn.item_table import ItemTable
from intertask.options.config import kinds
from intertask.tasks.next_item import Config
from tests import worlds

WIDTH = 2
SOME_USERS = st.lists(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 1)), min_size=2, max_size=7), min_size=1, max_size=4
)


class Recorder(nn.Module):
    """A loss that notes which state is asked about which item."""

    def forward(self, hidden_ND, targets_N, table_ID):
        self.asked = {
            (int(row), int(position)): int(item)
            for (row, position), item in zip(hidden_ND.tolist(), targets_N, strict=True)
        }
        return hidden_ND.sum()


def built(config, tasks=("next",), behaviours=worlds.BEHAVIOURS, num_items=7):
    sizes = worlds.dimensions(width=WIDTH, tasks=tasks, behaviours=behaviours, num_items=num_items)
    with worlds.seeded():
        return config.build("next", sizes, ItemTable(num_items, WIDTH))


def asked(config, sequences):
    """Which target each position is given: {(row, position): item}."""
    task, batch = built(config), worlds.batch(sequences)
    task.criterion = Recorder()
    target = batch.target("next")
    places = torch.stack(torch.meshgrid(*map(torch.arange, target.items_BL.shape), indexing="ij"), -1)
    return {} if task.loss(places.float(), target) is None else task.criterion.asked


def directly(users, behaviour, horizon):
    """The same, event by event."""
    found = {}
    for row, events in enumerate(users):
        for position in range(len(events) - 1):
            later = events[position + 1 :]
            if behaviour is not None and horizon == "next":
                later = later[:1]
            fitting = [item for item, code in later if behaviour in (None, worlds.BEHAVIOURS[code])]
            if fitting:
                found[row, position] = fitting[0]
    return found


def sequences_of(users):
    items, codes = ([[event[part] for event in user] for user in users] for part in (0, 1))
    return from_lists(items, 7, behaviours=codes)


@settings(max_examples=60)
@given(SOME_USERS, st.sampled_from([None, "buy", "view"]), st.sampled_from(["next", "later"]))
def test_targets_are_those_of_a_direct_search(users, behaviour, horizon):
    config = Config(behaviour=behaviour, horizon=horizon)
    assert asked(config, sequences_of(users)) == directly(users, behaviour, horizon)


def test_a_batch_without_the_behaviour_has_no_loss():
    views = from_lists([[1, 2, 3]], 7, behaviours=[[1, 1, 1]])
    states = torch.ones(1, 2, WIDTH)
    assert built(Config(behaviour="buy")).loss(states, worlds.batch(views).target("any")) is None
    assert built(Config(behaviour="view")).loss(states, worlds.batch(views).target("any")) is not None


@pytest.mark.parametrize("kind", kinds("losses"))
def test_states_without_a_target_change_nothing(kind):
    sequences = from_lists([[1, 2, 3, 4], [5, 6]], 7, behaviours=[[1, 0, 1, 0], [1, 1]])
    task, batch = built(Config(behaviour="buy", loss={"kind": kind})), worlds.batch(sequences)
    targets = torch.tensor([[True, False, True], [False, False, False]])  # what follows is bought
    states = torch.randn(2, 3, WIDTH, generator=torch.Generator().manual_seed(0)).requires_grad_()
    with worlds.seeded():
        loss = task.loss(states, batch.target("any"))
    loss.backward()
    assert ((states.grad != 0).any(-1) == targets).all()
    with worlds.seeded():
        other = task.loss(
            torch.where(targets[..., None], states, torch.full_like(states, 1e9)), batch.target("any")
        )
    assert torch.equal(loss, other)


def test_scores_rank_by_the_product_with_the_item_vectors():
    task, states = built(Config()), torch.ones(3, WIDTH)
    torch.testing.assert_close(task.score_items(states), states @ task.items.weight_ID.T)


def test_several_tasks_each_have_a_map_of_their_own_that_starts_as_nothing():
    alone, one_of_two = built(Config()), built(Config(), tasks=("next", "other"))
    states = torch.ones(3, WIDTH)
    assert alone.own is None
    torch.testing.assert_close(one_of_two.score_items(states), alone.score_items(states))
    nn.init.ones_(one_of_two.own.weight)
    assert not torch.allclose(one_of_two.score_items(states), alone.score_items(states))


def test_the_constant_loss_is_the_entropy_of_the_items():
    sequences = from_lists([[0, 0], [1, 2]], 4, behaviours=[[0, 0], [1, 1]])
    shares = [0.5, 0.25, 0.25]
    assert Config().constant_loss(sequences, worlds.BEHAVIOURS) == pytest.approx(entropy(shares), abs=1e-6)
    for behaviour, expected in (("buy", 0.0), ("view", np.log(2))):
        found = Config(behaviour=behaviour).constant_loss(sequences, worlds.BEHAVIOURS)
        assert found == pytest.approx(expected, abs=1e-6)


def test_a_task_is_asked_about_targets_of_its_behaviour():
    sequences = from_lists([[0, 1], [2, 3]], 4, behaviours=[[0, 1], [1, 0]])
    targets = np.array([1, 3])
    for behaviour, expected in ((None, [0, 1]), ("view", [0]), ("buy", [1])):
        assert Config(behaviour=behaviour).asked(sequences, targets, worlds.BEHAVIOURS).tolist() == expected


def test_an_unknown_behaviour_is_refused():
    with pytest.raises(
        RecipeError, match=r"\[tasks\.next\] behaviour: expected one of buy, view, found 'bye'"
    ):
        built(Config(behaviour="bye"))


def test_a_task_that_ranks_items_predicts_no_response():
    with pytest.raises(TypeError, match="NextItem ranks items and predicts nothing else"):
        built(Config()).predict(torch.ones(1, WIDTH), torch.tensor([0]))


def test_with_a_temperature_the_length_of_an_item_vector_says_nothing():
    task = built(Config(temperature=0.5))
    state = torch.tensor([[3.0, 4.0]])
    with torch.no_grad():
        task.items.weight_ID[:2] = torch.tensor([[0.3, 0.4], [30.0, 40.0]])
    scores = task.score_items(state)[0]
    torch.testing.assert_close(scores[:2], torch.tensor([2.0, 2.0]))  # cosine 1 over 0.5
    assert scores.abs().max() <= 2 + 1e-6
