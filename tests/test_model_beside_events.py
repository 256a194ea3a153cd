"""A log with a second input: what is known of a user, laid before the events."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from intertask.data.batches import history_batch, training_batch
from intertask.data.seam import INPUT, Batch
from intertask.data.windows import Windows
from intertask.model import Model, ModelConfig
from intertask.options.config import kinds
from tests import worlds
from tests.assertions import assert_every_weight_gets_gradient, assert_same
from tests.samples.clinic import clinic

SEQUENCES = worlds.varied()
PEOPLE = clinic(SEQUENCES.num_users)
TABLE = {"kind": "table", "dropout": 0.0, "num_bins": 4}


def built(**sections):
    config = ModelConfig.model_validate(
        {
            "width": 8,
            "max_length": 12,
            "inputs": {"people": TABLE, "history": {"kind": "events", "dropout": 0.0}},
            "encoder": {"kind": "attention", "dropout": 0.0},
            "communication": {"kind": "gated_slots", "dropout": 0.0},
            "tasks": {
                "next": {"kind": "next_item"},
                "high": {"kind": "response", "label": "rating", "at_least": 3},
            },
        }
        | sections
    )
    reader = config.inputs["people"].fit(PEOPLE)
    sizes = worlds.dimensions(SEQUENCES, tasks=tuple(config.tasks), fields={"people": reader})
    with worlds.seeded():
        return Model(config, sizes).eval(), reader.read(PEOPLE)


def beside(batch, cells):
    """The events of a batch as one of two inputs."""
    events = batch.inputs["history" if "history" in batch.inputs else INPUT]
    return Batch({"people": cells, "history": events}, batch.targets)


def training(cells):
    return beside(worlds.batch(SEQUENCES), cells)


def histories(cells, users, ends=None):
    """The last states of some users' histories."""
    starts = SEQUENCES.offsets[:-1][users]
    stops = SEQUENCES.offsets[1:][users] if ends is None else ends
    return beside(history_batch(SEQUENCES, Windows(starts, stops)), cells.take(users))


@pytest.mark.parametrize("encoder", sorted(set(kinds("encoders")) - {"none"}))
def test_every_encoder_learns_from_events_and_what_stands_before_them(encoder):
    model, cells = built(encoder=encoder)
    losses = model.losses(training(cells))
    assert set(losses) == {"next", "high"} and all(loss.isfinite() for loss in losses.values())
    total = torch.stack(list(losses.values())).sum()
    assert_every_weight_gets_gradient(model.input.inputs["people"], total)


@pytest.mark.parametrize("bias", ["off", "history", "query"])
def test_who_shares_a_batch_changes_no_state(bias):
    model, cells = built(encoder={"kind": "attention", "dropout": 0.0, "time_bias": bias})
    users = np.arange(SEQUENCES.num_users)
    together = model.last_states(histories(cells, users))
    for user in users:
        alone = model.last_states(histories(cells, users[user : user + 1]))
        assert_same(together[user], alone[0], "the state of a user among others", 1e-5)


def test_what_is_known_of_a_user_moves_every_state_and_what_comes_later_none():
    model, cells = built()
    batch = training(cells)
    read = model.trunk(batch)
    states = read.layout.spans[-1].of(model.by_task(read)["next"])
    other = beside(batch, cells.take(np.arange(SEQUENCES.num_users)[::-1].copy()))
    moved = model.trunk(other)
    changed = (moved.layout.spans[-1].of(model.by_task(moved)["next"]) != states).any(-1)
    real = torch.arange(states.shape[1]) < read.layout.spans[-1].lengths_B[:, None]
    assert changed[real].all()
    events = batch.inputs["history"]
    items = events.items_BL.clone()
    items[:, -1] = (items[:, -1] + 1) % SEQUENCES.num_items
    later = model.trunk(beside(Batch({"history": replace(events, items_BL=items)}, {}), cells))
    full = read.layout.spans[-1].lengths_B == states.shape[1]
    now = later.layout.spans[-1].of(model.by_task(later)["next"])
    assert full.any() and torch.equal(now[full, :-1], states[full, :-1])
    assert (now[full, -1] != states[full, -1]).any()


def test_a_memory_remembers_events_alone():
    model, cells = built()
    read = model.trunk(training(cells))
    places = cells.lengths_B[0]
    assert not read.marks_BLD[:, :places].any() and read.marks_BLD[:, places].any()


def test_one_who_tells_users_apart_learns_what_events_do_not_say():
    """Which of two items comes next follows from a user's pain alone."""
    people = clinic(40)
    strong = (people.inputs["pain"] == "strong").to_numpy()
    rows = [[0, 1 + place % 2, 3 + int(own)] for place, own in enumerate(strong)]
    sequences = worlds.from_lists(rows, 5)
    config = ModelConfig.model_validate(
        {
            "width": 8,
            "inputs": {"people": TABLE, "history": {"kind": "events", "dropout": 0.0}},
            "encoder": {"kind": "attention", "dropout": 0.0},
            "communication": "none",
        }
    )
    reader = config.inputs["people"].fit(people)
    with worlds.seeded():
        sizes = worlds.dimensions(sequences, behaviours=("event",), fields={"people": reader})
        model = Model(config, sizes)
        optimiser = torch.optim.AdamW(model.parameters(), lr=0.02, fused=True)
        batch = beside(training_batch(sequences, worlds.whole(sequences)), reader.read(people))
        for _ in range(60):
            optimiser.zero_grad()
            model.losses(batch)["next"].backward()
            optimiser.step()
    asked = beside(
        history_batch(sequences, Windows(sequences.offsets[:-1], sequences.offsets[1:] - 1)),
        reader.read(people),
    )
    with torch.no_grad():
        scores = model.eval().task("next").score_items(model.last_states(asked)[:, 0])
    told = (scores[:, 4] > scores[:, 3]).numpy()
    assert (told == strong).all()
