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


def direct(mechanism, hidden_LD):
    """The definition, one position, task and source at a time."""
    states = []
    hidden_LD = torch.stack([say(mechanism.common, 0, 0, x) for x in hidden_LD])
    for place, x in enumerate(hidden_LD):
        slots = []
        for number in range(5):
            group, own = (mechanism.own, number) if number < 3 else (mechanism.shared, number - 3)
            remembered = remember(group.memory, own, hidden_LD[: place + 1])
            slots.append(x + DAMPING * say(group.experts, own, 0, x) + remembered)
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


def remember(memory, slot, past_LD):
    """The definition: what fades, event by event, but for the last two."""
    rate = SLOWEST + torch.log1p(memory.rate[slot].exp())
    fading = [torch.exp(-rate * ago) for ago in reversed(range(len(past_LD) - 2))]
    mean = sum((share * x for share, x in zip(fading, past_LD[:-2], strict=True)), torch.zeros(WIDTH))
    mean = (1 - torch.exp(-rate)) * mean
    return (memory.amount[slot] + memory.asked[slot] @ past_LD[-1]) * mean


def test_it_equals_its_definition():
    mechanism, hidden = drawn(), vectors()
    with torch.no_grad():
        expected = torch.stack([direct(mechanism, row) for row in hidden])
        torch.testing.assert_close(mechanism(hidden), expected, atol=1e-5, rtol=1e-4)  # sums of other order


@pytest.mark.parametrize("chunk", [1, 3, 128])
def test_a_long_memory_is_the_same_in_any_chunks(chunk, monkeypatch):
    monkeypatch.setattr(gated_slots, "CHUNK", chunk)
    generator = torch.Generator().manual_seed(3)
    memory, x_LD = Memory(WIDTH, 3, 0.0), torch.randn(200, WIDTH, generator=generator)
    with torch.no_grad():
        memory.rate.copy_(torch.tensor([-30.0, -1.5, 30.0]))
        for weight in (memory.amount, memory.asked):
            weight.copy_(torch.randn(weight.shape, generator=generator))
    found = memory(x_LD.unsqueeze(0))[0]
    for place in (0, 1, 2, 3, 150, 199):
        with torch.no_grad():
            expected = torch.stack([remember(memory, slot, x_LD[: place + 1]) for slot in range(3)])
        torch.testing.assert_close(found[place], expected, atol=1e-5, rtol=1e-4)  # sums of 200 numbers
    found.pow(2).sum().backward()
    assert all(weight.grad.isfinite().all() for weight in memory.parameters())


def test_all_tasks_begin_with_one_state_and_hear_almost_nothing():
    found = built(Config()).exchange(vectors())
    assert (found.gates_BLT < 0.1).all()
    torch.testing.assert_close(found.states_BLTD, found.states_BLTD[:, :, :1].expand(-1, -1, 3, -1))
    torch.testing.assert_close(found.shares_BLTS.sum(-1), torch.ones(2, 3, 3))


def heard_by(mechanism, reader, source):
    """Whether a change of one slot changes the state of a task."""
    before = mechanism(vectors())
    with torch.no_grad():
        part = mechanism.own if source < len(TASKS) else mechanism.shared
        part.experts.down[source % len(TASKS), ..., 0] += 1.0  # not all alike, which the norm would take away
    return not torch.allclose(mechanism(vectors())[:, :, reader], before[:, :, reader])


@pytest.mark.parametrize("source", [1, 2, 3, 4])
def test_a_closed_edge_carries_nothing_and_an_open_one_does(source):
    mechanism = drawn()
    assert heard_by(mechanism, 0, source)
    mechanism.open_TS[0, source] = 0.0
    assert not heard_by(mechanism, 0, source)
    assert mechanism.exchange(vectors()).shares_BLTS[:, :, 0, source].abs().max() == 0


def test_with_all_edges_closed_and_nothing_to_turn_to_a_task_hears_itself():
    mechanism = drawn(nothing=False)
    mechanism.open_TS.zero_()
    shares = mechanism.exchange(vectors()).shares_BLTS
    torch.testing.assert_close(shares, torch.eye(3, 5).expand(2, 3, 3, 5))


@pytest.mark.parametrize(("share", "pushes"), [(0.0, 0.0), (0.5, 0.5), (1.0, 1.0)])
def test_a_task_pushes_on_the_others_as_far_as_the_gradient_gate_lets_it(share, pushes):
    def gradient(of):
        mechanism = drawn(gradient=of)
        mechanism(vectors())[:, :, 0].pow(2).sum().backward()
        return mechanism.own.experts.down.grad[1], mechanism.shared.experts.down.grad

    (found, shared), (whole, _) = gradient(share), gradient(1.0)
    torch.testing.assert_close(found, pushes * whole)
    assert whole.abs().max() > 0 and shared.abs().max() > 0


def test_a_slot_reads_the_sequence_unless_told_otherwise():
    hidden = vectors()
    other = torch.cat([hidden[:, :1] + 1, hidden[:, 1:]], 1)
    for sequence in (True, False):
        mechanism = drawn(sequence=sequence)
        assert torch.allclose(mechanism(hidden)[:, 2], mechanism(other)[:, 2]) is not sequence


def remembering(dropout):
    memory = Memory(WIDTH, 3, dropout)
    with seeded():
        torch.nn.init.normal_(memory.amount)
    return memory


def test_a_memory_is_not_of_what_was_trained_to_say_the_present():
    memory, hidden = (
        remembering(0.2).eval(),
        torch.randn(1, 6, WIDTH, generator=torch.Generator().manual_seed(2)),
    )
    before = memory(hidden)[:, 5]
    for changed, is_heard in ((4, False), (3, True), (0, True)):  # 4 was trained to say what comes at 5
        other = hidden.clone()
        other[:, changed] += 1
        assert torch.allclose(memory(other)[:, 5], before) is not is_heard


def test_in_training_a_slot_remembers_nothing_at_some_positions_and_as_much_in_the_mean():
    memory = remembering(0.25)
    with seeded():
        hidden = torch.randn(1, 2000, WIDTH)
        found, whole = memory(hidden)[0, 2:], memory.eval()(hidden)[0, 2:]
    dropped = (found == 0).all(-1)
    torch.testing.assert_close(found[~dropped], whole[~dropped] / 0.75)
    assert 0.2 < dropped.float().mean() < 0.3
    assert (dropped.any(-1) & ~dropped.all(-1)).any()  # each slot for itself


@pytest.mark.parametrize("part", ["own", "shared"])
def test_memories_of_all_slots_are_dropped_in_training_as_often_as_the_recipe_says(part):
    for dropout in (0.0, 0.5):
        mechanism = drawn(dropout=dropout)
        slots = getattr(mechanism, part)
        with seeded():
            trained, whole = (slots.train(mode)(vectors()) for mode in (True, False))
        assert torch.equal(trained, whole) is (dropout == 0.0)


def test_what_is_remembered_is_trained_by_who_remembers_it():
    hidden = vectors().requires_grad_()
    drawn()(hidden)[:, -1].pow(2).sum().backward()
    assert hidden.grad[:, 0].abs().max() > 0


def test_memories_begin_at_nothing():
    with_memory, without = built(Config()), built(Config(sequence=False))
    without.load_state_dict(with_memory.state_dict(), strict=False)
    torch.testing.assert_close(with_memory(vectors()), without(vectors()))


def test_without_an_output_gate_all_is_let_in():
    assert (drawn(output_gate=False).exchange(vectors()).gates_BLT == 1).all()


@pytest.mark.parametrize("option", ["sequence", "nothing", "output_gate"])
def test_every_part_may_be_left_out(option):
    states = built(Config(**{option: False}))(vectors())
    assert states.shape == (2, 3, 3, WIDTH) and states.isfinite().all()


def test_no_shared_slots():
    mechanism = built(Config(num_shared=0))
    assert mechanism(vectors()).shape == (2, 3, 3, WIDTH)
    assert mechanism.shared is None and mechanism.open_TS.shape == (3, 3)
