import pytest
import torch

from intertask.data.seam import INPUT
from intertask.data.sequences import from_lists
from intertask.errors import RecipeError
from intertask.inputs.events import Config
from intertask.nn.item_table import ItemTable
from tests import worlds
from tests.assertions import assert_every_weight_gets_gradient

NONE = {"position": "off", "behaviour": False, "gap": False, "scale": False}
ALL = {"position": "inverse", "behaviour": True, "gap": True}


def built(behaviours=worlds.BEHAVIOURS, **options):
    sizes = worlds.dimensions(behaviours=behaviours)
    with worlds.seeded():
        return Config(**(NONE | options)).build(sizes, ItemTable(7, sizes.width)).eval()


def embedded(embed, items, behaviours=None, times=None):
    return read(embed, batched(items, behaviours, times))


def read(embed, batch):
    return embed(batch.inputs[INPUT]).hidden_BLD


def batched(items, behaviours=None, times=None):
    codes = behaviours or [[0] * len(user) for user in items]
    clock = times or [[0] * len(user) for user in items]
    sequences = from_lists(items, 7, behaviours=codes, times=clock)
    return worlds.history_batch(sequences, worlds.whole(sequences))


def test_without_context_an_event_is_its_item():
    embed = built()
    torch.testing.assert_close(embedded(embed, [[3, 5]])[0], embed.items(torch.tensor([3, 5])))


def test_items_are_scaled_by_the_root_of_the_width_and_their_context_is_not():
    embed, plain = (built(position="inverse", scale=scale) for scale in (True, False))
    context = embedded(plain, [[3, 5]])[0] - plain.items(torch.tensor([3, 5]))
    expected = plain.items(torch.tensor([3, 5])) * 8**0.5 + context
    torch.testing.assert_close(embedded(embed, [[3, 5]])[0], expected)


def test_positions_count_from_the_last_event():
    embed = built(position="inverse")
    place = embedded(embed, [[3, 3, 3], [3]]) - embed.items(torch.tensor(3))
    table = embed.position.weight
    torch.testing.assert_close(place[0], table[[2, 1, 0]])
    torch.testing.assert_close(place[1, 0], table[0])


def test_forward_positions_count_from_the_first_event():
    embed = built(position="forward")
    place = embedded(embed, [[3, 3, 3], [3]]) - embed.items(torch.tensor(3))
    torch.testing.assert_close(place[0], embed.position.weight[[0, 1, 2]])


def test_a_behaviour_changes_its_event_alone():
    embed = built(behaviour=True)
    one, other = (embedded(embed, [[1, 2, 3]], behaviours=codes)[0] for codes in ([[0, 0, 0]], [[0, 1, 0]]))
    assert (one != other).any(1).tolist() == [False, True, False]


def test_the_only_behaviour_of_a_log_has_no_vector():
    assert built(("view",), behaviour=True).behaviour is None


def test_a_gap_is_told_by_its_doublings_since_the_event_before():
    embed = built(gap=True)
    gaps = embedded(embed, [[3] * 5], times=[[100, 101, 105, 112, 112]])[0] - embed.items(torch.tensor(3))
    torch.testing.assert_close(gaps, embed.gap.weight[[0, 0, 2, 2, 0]])


def test_only_the_gap_needs_a_clock():
    assert Config(gap=True).uses_times and not Config().uses_times


def test_a_gate_lets_through_between_nothing_and_all_of_the_context():
    summed, gated = built(position="inverse"), built(position="inverse", combine="gate")
    with torch.no_grad():
        gated.position.weight.copy_(summed.position.weight)
        gated.items.weight_ID.copy_(summed.items.weight_ID)
    item = summed.items(torch.tensor([3, 5]))
    whole, part = (embedded(embed, [[3, 5]])[0] - item for embed in (summed, gated))
    share = part / whole
    assert ((share > 0) & (share < 1)).all()


@pytest.mark.parametrize("combine", ["sum", "gate"])
def test_every_weight_of_every_part_gets_a_gradient(combine):
    embed = built(**ALL, combine=combine)
    hidden = read(embed, worlds.batch(worlds.varied()))
    assert_every_weight_gets_gradient(embed, (hidden * torch.arange(8)).sum())


def test_events_of_behaviours_that_are_not_read_are_blanks():
    embed, plain = (built(position="inverse", behaviour=True, reads=reads) for reads in (("view",), None))
    codes = [[0, 1, 1, 0]]
    found, expected = (embedded(one, [[1, 2, 3, 4]], behaviours=codes)[0] for one in (embed, plain))
    assert found[[0, 3]].abs().max() == 0
    torch.testing.assert_close(found[[1, 2]], expected[[1, 2]])


def test_items_alone_are_as_they_are_read_without_their_context():
    embed = built(position="inverse", behaviour=True, reads=("view",), scale=True)
    found = embed(batched([[1, 2, 3, 4]], [[0, 1, 1, 0]]).inputs[INPUT]).marks_BLD[0]
    assert found[[0, 3]].abs().max() == 0
    torch.testing.assert_close(found[[1, 2]], embed.items(torch.tensor([2, 3])) * 8**0.5)


def test_a_behaviour_that_is_to_be_read_and_is_not_there_is_refused():
    with pytest.raises(RecipeError, match=r"\[input\] reads: expected some of buy, view, found 'steal'"):
        built(reads=("steal",))
