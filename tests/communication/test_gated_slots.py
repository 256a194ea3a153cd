import pytest
import torch

from intertask.communication import gated_slots
from intertask.communication.gated_slots import DAMPING, SLOWEST, Config, Memory
from tests.communication.direct import INNER, PLACES, TASKS, WIDTH, built, mixed, say, vectors
from tests.worlds import seeded


def drawn(**options):
    """All weights drawn, so that nothing starts at zero or almost closed."""
    mechanism = built(Config(inner=INNER, **options))
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in mechanism.parameters():
            if weight.requires_grad:
                weight.copy_(0.5 * torch.randn(weight.shape, generator=generator))
    return mechanism


def items():
    return torch.randn(2, 3, WIDTH, generator=torch.Generator().manual_seed(5))


def heard(mechanism):
    return mechanism.exchange(vectors(), items())


def states(mechanism):
    return mechanism(vectors(), items())


def direct(mechanism, hidden_LD, items_LD):
    """The definition, one position, task and source at a time."""
    states = []
    common_LD = torch.stack([say(mechanism.common, 0, 0, x) for x in hidden_LD])
    for place, x in enumerate(common_LD):
        slots = []
        for number in range(5):
            group, own = (mechanism.own, number) if number < 3 else (mechanism.shared, number - 3)
            slots.append(x + DAMPING * say(group.experts, own, 0, x))
            if number < 3:
                slots[number] += remember(mechanism.memory, own, common_LD[: place + 1], items_LD)
        normed = [mechanism.norm(slot) for slot in slots]
        row = []
        for task in PLACES:
            query = mechanism.query(normed[task]) / WIDTH**0.5
            logits = torch.stack([query @ read for read in [*normed, mechanism.nothing]])
            values = [*normed, torch.zeros(WIDTH)]
            gate = torch.sigmoid(mechanism.gate(normed[task]))
            row.append(slots[task] + mechanism.project_out(gate * mixed(logits, values)))
        states.append(torch.stack(row))
    return torch.stack(states)


def remember(memory, task, past_LD, items_LD):
    """The definition: what matters, and fades, event by event."""
    rate = SLOWEST + torch.log1p(memory.rate[task].exp())
    whole = torch.zeros(WIDTH)
    for ago, (x, item) in enumerate(zip(reversed(past_LD), reversed(items_LD[: len(past_LD)]), strict=True)):
        whole = whole + torch.exp(-rate * ago) * 2 * torch.sigmoid(memory.matters(x)[task]) * item
    return (memory.amount[task] + memory.asked[task] @ past_LD[-1]) * whole


def test_it_equals_its_definition():
    mechanism = drawn()
    with torch.no_grad():
        expected = torch.stack([direct(mechanism, *rows) for rows in zip(vectors(), items(), strict=True)])
        torch.testing.assert_close(states(mechanism), expected, atol=1e-5, rtol=1e-4)  # sums of other order


@pytest.mark.parametrize("chunk", [1, 3, 128])
def test_a_long_memory_is_the_same_in_any_chunks(chunk, monkeypatch):
    monkeypatch.setattr(gated_slots, "CHUNK", chunk)
    generator = torch.Generator().manual_seed(3)
    memory, x_LD, items_LD = Memory(WIDTH, 3, 0.0), *torch.randn(2, 200, WIDTH, generator=generator)
    with torch.no_grad():
        for weight in memory.parameters():
            weight.copy_(torch.randn(weight.shape, generator=generator))
        memory.rate.copy_(torch.tensor([-30.0, -1.5, 30.0]))
    found = memory(x_LD.unsqueeze(0), items_LD.unsqueeze(0))[0]
    for place in (0, 1, 2, 3, 150, 199):
        with torch.no_grad():
            expected = torch.stack([remember(memory, task, x_LD[: place + 1], items_LD) for task in PLACES])
        torch.testing.assert_close(found[place], expected, atol=1e-4, rtol=1e-4)  # sums of 200 numbers
    found.pow(2).sum().backward()
    assert all(weight.grad.isfinite().all() for weight in memory.parameters())


def test_all_tasks_begin_with_one_state_and_hear_almost_nothing():
    found = heard(built(Config()))
    assert found.gates_BLT.mean() < 0.1
    torch.testing.assert_close(found.states_BLTD, found.states_BLTD[:, :, :1].expand(-1, -1, 3, -1))
    torch.testing.assert_close(found.shares_BLTS.sum(-1), torch.ones(2, 3, 3))


def heard_by(mechanism, reader, source):
    """Whether a change of one slot changes the state of a task."""
    before = states(mechanism)
    with torch.no_grad():
        part = mechanism.own if source < len(TASKS) else mechanism.shared
        part.experts.down[source % len(TASKS), ..., 0] += 1.0  # not all alike, which the norm would take away
    return not torch.allclose(states(mechanism)[:, :, reader], before[:, :, reader])


@pytest.mark.parametrize("source", [1, 2, 3, 4])
def test_a_closed_edge_carries_nothing_and_an_open_one_does(source):
    mechanism = drawn()
    assert heard_by(mechanism, 0, source)
    mechanism.open_TS[0, source] = 0.0
    assert not heard_by(mechanism, 0, source)
    assert heard(mechanism).shares_BLTS[:, :, 0, source].abs().max() == 0


def test_with_all_edges_closed_and_nothing_to_turn_to_a_task_hears_itself():
    mechanism = drawn(nothing=False)
    mechanism.open_TS.zero_()
    shares = heard(mechanism).shares_BLTS
    torch.testing.assert_close(shares, torch.eye(3, 5).expand(2, 3, 3, 5))


@pytest.mark.parametrize(("share", "pushes"), [(0.0, 0.0), (0.5, 0.5), (1.0, 1.0)])
def test_a_task_pushes_on_the_others_as_far_as_the_gradient_gate_lets_it(share, pushes):
    def gradient(of):
        mechanism = drawn(gradient=of)
        states(mechanism)[:, :, 0].pow(2).sum().backward()
        return mechanism.own.experts.down.grad[1], mechanism.shared.experts.down.grad

    (found, shared), (whole, _) = gradient(share), gradient(1.0)
    torch.testing.assert_close(found, pushes * whole)
    assert whole.abs().max() > 0 and shared.abs().max() > 0


def test_a_slot_reads_the_sequence_unless_told_otherwise():
    hidden, read = vectors(), items()
    other = torch.cat([read[:, :1] + 1, read[:, 1:]], 1)
    for sequence in (True, False):
        mechanism = drawn(sequence=sequence)
        assert torch.allclose(mechanism(hidden, read)[:, 2], mechanism(hidden, other)[:, 2]) is not sequence


def remembering(dropout):
    memory = Memory(WIDTH, 3, dropout)
    with seeded():
        for weight in (memory.amount, memory.matters.weight):
            torch.nn.init.normal_(weight)
    return memory


def test_the_items_of_all_events_until_a_position_are_remembered_and_none_after():
    memory = remembering(0.2).eval()
    x, read = torch.randn(2, 1, 6, WIDTH, generator=torch.Generator().manual_seed(2))
    before = memory(x, read)[:, 4]
    for changed, is_remembered in ((5, False), (4, True), (0, True)):
        other = read.clone()
        other[:, changed] += 1
        assert torch.allclose(memory(x, other)[:, 4], before) is not is_remembered


def test_an_event_that_does_not_matter_to_a_task_is_not_remembered_by_it():
    memory = remembering(0.0)
    x, read = torch.randn(2, 1, 2, WIDTH, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        memory.matters.weight.zero_()
        memory.matters.bias.copy_(torch.tensor([-100.0, 0.0, 100.0]))
    found, alone = memory(x, read)[0, 1], memory(x, torch.stack([0 * read[:, 0], read[:, 1]], 1))[0, 1]
    assert found[0].abs().max() == 0 and alone[1].abs().max() > 0
    torch.testing.assert_close(found[2] / memory.amount[2], 2 * found[1] / memory.amount[1])


def test_in_training_a_task_remembers_nothing_at_some_positions_and_as_much_in_the_mean():
    memory = remembering(0.25)
    with seeded():
        x, read = torch.randn(2, 1, 2000, WIDTH)
        found, whole = memory(x, read)[0], memory.eval()(x, read)[0]
    dropped = (found == 0).all(-1)
    torch.testing.assert_close(found[~dropped], whole[~dropped] / 0.75)
    assert 0.2 < dropped.float().mean() < 0.3
    assert (dropped.any(-1) & ~dropped.all(-1)).any()  # each slot for itself


def test_memories_are_dropped_in_training_as_often_as_the_recipe_says():
    for dropout in (0.0, 0.5):
        mechanism = drawn(dropout=dropout)
        with seeded():
            trained, whole = (states(mechanism.train(mode)) for mode in (True, False))
        assert torch.equal(trained, whole) is (dropout == 0.0)


def test_items_are_trained_by_who_remembers_them():
    read = items().requires_grad_()
    drawn()(vectors(), read)[:, -1].pow(2).sum().backward()
    assert read.grad[:, 0].abs().max() > 0


def test_memories_begin_at_nothing():
    with_memory, without = built(Config()), built(Config(sequence=False))
    without.load_state_dict(with_memory.state_dict(), strict=False)
    torch.testing.assert_close(states(with_memory), states(without))


def test_without_an_output_gate_all_is_let_in():
    assert (heard(drawn(output_gate=False)).gates_BLT == 1).all()


@pytest.mark.parametrize("option", ["sequence", "nothing", "output_gate"])
def test_every_part_may_be_left_out(option):
    found = states(built(Config(**{option: False})))
    assert found.shape == (2, 3, 3, WIDTH) and found.isfinite().all()


def test_no_shared_slots():
    mechanism = built(Config(num_shared=0))
    assert states(mechanism).shape == (2, 3, 3, WIDTH)
    assert mechanism.shared is None and mechanism.open_TS.shape == (3, 3)


@pytest.mark.parametrize("options", [{}, {"num_shared": 0}, {"sequence": False}, {"nothing": False}])
def test_one_position_alone_says_what_it_says_among_all(options):
    mechanism = drawn(**options).eval()
    read = (vectors(), items()) if options.get("sequence", True) else (vectors(), None)
    whole_BLTD = mechanism(*read)
    for last in ([2, 2], [0, 1]):
        said_B1TD = mechanism.last(*read, torch.tensor(last))
        torch.testing.assert_close(said_B1TD[:, 0], whole_BLTD[[0, 1], last])
