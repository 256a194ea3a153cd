"""The parts together: what holds for every encoder and mechanism once they are composed."""

import math
import subprocess
import sys

import numpy as np
import pytest
import torch

from intertask.data.batches import history_batch, training_batch
from intertask.data.sequences import from_lists
from intertask.data.windows import histories_before
from intertask.errors import RecipeError
from intertask.model import Model, ModelConfig
from intertask.model.blueprint import blueprint
from intertask.options.config import kinds
from tests import worlds
from tests.assertions import (
    assert_batch_composition_ignored,
    assert_deterministic_in_eval,
    assert_every_weight_gets_gradient,
    assert_same,
)

TASKS = {
    "next": {"kind": "next_item"},
    "buy": {"kind": "next_item", "behaviour": "buy", "horizon": "later"},
    "what": {"kind": "next_behaviour"},
    "high": {"kind": "response", "label": "rating", "at_least": 3},
    "stars": {"kind": "response", "label": "rating", "form": "regression"},
}
SEQUENCES = worlds.varied()
ENCODERS = worlds.variants("encoders")

every_encoder = pytest.mark.parametrize("encoder", ENCODERS.values(), ids=ENCODERS.keys())
every_mechanism = pytest.mark.parametrize("communication", kinds("communication"))
PARTS = {name: {"encoder": variant} for name, variant in ENCODERS.items()}
PARTS |= {name: {"communication": name} for name in kinds("communication")}
every_part = pytest.mark.parametrize("sections", PARTS.values(), ids=PARTS.keys())


def config(**sections):
    usual = {
        "width": 8,
        "max_length": 8,
        "tasks": TASKS,
        "communication": "attention",
        "input": {"kind": "events", "gap": True, "combine": "gate"},
    }
    return ModelConfig.model_validate(usual | sections)


def built(**sections):
    model = worlds.model(config(**sections), SEQUENCES).eval()
    with worlds.seeded():
        for part in (model.encoder, model.communication):  # what starts at zero must not hide a mistake
            for weight in part.parameters():
                if weight.requires_grad:
                    torch.nn.init.normal_(weight, std=0.3)
    return model


def history(items, behaviours):
    """Two users' histories, alike but for what is given of the first one's last events."""
    times = [[0, 50, 60, 4000], [0, 10]]
    sequences = from_lists([items, [1, 2]], 7, behaviours=[behaviours, [0, 1]], times=times)
    return history_batch(sequences, worlds.whole(sequences))


@every_part
@pytest.mark.parametrize("changed", [([1, 2, 3, 6], [0, 1, 0, 0]), ([1, 2, 3, 4], [0, 1, 0, 1])])
def test_a_later_item_or_behaviour_does_not_change_past_states(sections, changed):
    model = built(**sections)
    before, after = model.states(history([1, 2, 3, 4], [0, 1, 0, 0])), model.states(history(*changed))
    assert_same(after[0, :3], before[0, :3], "states before the change", 1e-6)
    assert_same(after[1], before[1], "states of the other user", 1e-6)
    assert (after[0, 3] - before[0, 3]).abs().max() > 1e-4


@every_mechanism
def test_an_event_of_a_behaviour_that_is_not_read_changes_no_state(communication):
    embed = {"kind": "events", "reads": ["view"]}
    model = built(communication=communication, input=embed)
    view, buy = (worlds.BEHAVIOURS.index(name) for name in ("view", "buy"))
    found, other = (model.states(history([1, item, 3, 4], [view, buy, view, view])) for item in (2, 6))
    assert_same(found, other, "states of a history whose second item is not read", 1e-6)


@every_part
def test_padding_and_batch_composition_do_not_change_last_states(sections):
    model = built(**sections)
    targets = SEQUENCES.offsets[1:] - 1
    windows = histories_before(SEQUENCES, targets)

    def run(rows):
        chosen = windows[np.array(rows)]
        states = model.last_states(history_batch(SEQUENCES, chosen, SEQUENCES.times[targets[rows]]))
        return [
            state.expand(int(length), -1, -1) for state, length in zip(states, chosen.lengths, strict=True)
        ]

    assert_batch_composition_ignored(run, SEQUENCES.num_users)


@every_part
def test_a_question_is_answered_as_it_was_trained(sections):
    # The state after the last event of a history is the one that training had there, query time included.
    model = built(**sections)
    windows = worlds.whole(SEQUENCES)
    trained = training_batch(SEQUENCES, windows)
    asked = history_batch(
        SEQUENCES, histories_before(SEQUENCES, windows.stops - 1), SEQUENCES.times[windows.stops - 1]
    )
    assert_same(model.last_states(asked), model.last_states(trained), "states when asked and when trained")


@every_encoder
@every_mechanism
def test_every_weight_gets_a_gradient(encoder, communication):
    model = built(encoder=encoder, communication=communication)
    with worlds.seeded():
        for weight in model.parameters():  # one that begins at zero hides those before it for a step
            if weight.requires_grad and not weight.any():
                torch.nn.init.normal_(weight, std=0.1)
    losses = model.losses(worlds.batch(SEQUENCES))
    assert list(losses) == list(TASKS)
    assert_every_weight_gets_gradient(model, torch.stack(list(losses.values())).sum())


@every_encoder
def test_eval_is_deterministic(encoder):
    model, batch = built(encoder=encoder), worlds.batch(SEQUENCES)
    assert_deterministic_in_eval(model, lambda: model.states(batch))


@every_mechanism
def test_an_untrained_model_knows_nothing_and_is_not_sure_of_it(communication):
    sections = {"communication": communication, "tasks": {"next": TASKS["next"]}}
    loss = worlds.model(config(**sections), SEQUENCES).eval().losses(worlds.batch(SEQUENCES))["next"].item()
    assert loss == pytest.approx(math.log(SEQUENCES.num_items), abs=0.1)


def test_a_task_without_targets_is_left_out_of_the_losses():
    unlabelled = from_lists(
        [[1, 2], [3, 4]],
        7,
        behaviours=[[1, 1], [1, 1]],
        times=[[0, 1], [0, 1]],
        labels={"rating": [[1.0, math.nan], [2.0, math.nan]]},
    )
    assert list(built().losses(worlds.batch(unlabelled))) == ["next", "what"]


def test_every_task_reads_its_own_state():
    model, batch = built(), worlds.batch(SEQUENCES)
    states = model.states(batch)
    for name, loss in model.losses(batch).items():
        assert torch.equal(model.task(name).loss(states[:, :, model.place(name)], batch.target(name)), loss)
    assert not torch.allclose(states[:, :, 0], states[:, :, 1])


FUNNEL = {
    "next": {"kind": "next_item"},
    "click": {"kind": "response", "label": "rating", "at_least": 2},
    "buy": {"kind": "response", "label": "rating", "at_least": 4, "given": "click"},
    "keep": {"kind": "response", "label": "rating", "at_least": 5, "given": "buy"},
}


def funnel_model(**changes):
    tasks = {name: task | changes.get(name, {}) for name, task in FUNNEL.items()}
    config = ModelConfig.model_validate({"width": 8, "communication": "attention", "tasks": tasks})
    return worlds.model(config, worlds.varied()), worlds.batch(worlds.varied())


def test_a_step_of_a_funnel_is_answered_by_the_product_of_those_before_it():
    built, batch = funnel_model()
    states, items = built.eval().last_states(batch), torch.tensor([0, 1, 2, 3, 4, 5])
    alone = {
        n: built.task(n).log_yes(states[:, built.place(n)], items).exp() for n in ("click", "buy", "keep")
    }
    torch.testing.assert_close(built.predict("click", states, items), alone["click"])
    torch.testing.assert_close(built.predict("buy", states, items), alone["click"] * alone["buy"])
    torch.testing.assert_close(
        built.predict("keep", states, items), alone["click"] * alone["buy"] * alone["keep"]
    )


def test_no_step_of_a_funnel_is_likelier_than_the_one_before_it_however_they_are_calibrated():
    built, batch = funnel_model()
    states, items = built.eval().last_states(batch), torch.tensor([0, 1, 2, 3, 4, 5])
    for name, calibration in (("click", 0.25), ("buy", 4.0), ("keep", 0.25)):
        built.task(name).calibration.fill_(calibration)
        built.task(name).head[-1].bias.data.fill_(3.0)
    click, buy, keep = (built.predict(name, states, items) for name in ("click", "buy", "keep"))
    assert (buy <= click).all() and (keep <= buy).all() and (keep > 0).all()


def test_the_loss_of_a_step_is_that_of_the_product_over_all_labels():
    built, batch = funnel_model()
    states, following = built.eval().states(batch), batch.target("buy")
    mask = following.mask_BL & ~following.labels["rating"].isnan()
    answers = built.predict("buy", states[mask], following.items_BL[mask])
    expected = torch.nn.functional.binary_cross_entropy(
        answers, (following.labels["rating"][mask] >= 4).float()
    )
    torch.testing.assert_close(built.losses(batch)["buy"], expected)


def test_a_step_pushes_on_the_heads_before_it_unless_it_is_detached():
    for detached in (False, True):
        built, batch = funnel_model(buy={"detached": detached})
        built.losses(batch)["buy"].backward()
        pushed = {name for name, weight in built.named_parameters() if weight.grad is not None}
        assert any(name.startswith("tasks.click.") for name in pushed) is not detached
        assert all(name.startswith("tasks.buy.") for name in pushed) is detached


def test_a_detached_step_learns_by_its_own_labels_alone():
    built, batch = funnel_model(click={"detached": True})
    built.losses(batch)["buy"].backward()
    pushed = {name for name, weight in built.named_parameters() if weight.grad is not None}
    assert pushed and not any(name.startswith("tasks.click.") for name in pushed)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"click": {"given": "keep"}}, "a funnel with an end, found click given keep given buy given click"),
        ({"buy": {"given": "bye"}}, "another binary response: click, keep, found 'bye'"),
        ({"buy": {"given": "next"}}, "another binary response: click, keep, found 'next'"),
    ],
)
def test_a_funnel_with_a_loop_or_a_step_that_is_none_is_refused(changes, message):
    with pytest.raises(RecipeError, match=message):
        funnel_model(**changes)


def test_a_certain_product_has_a_finite_loss():
    built, batch = funnel_model()
    with torch.no_grad():
        for name in ("click", "buy"):
            built.task(name).item_bias.weight.fill_(60.0)
    loss = built.losses(batch)["buy"]
    loss.backward()
    assert built.task("buy").item_bias.weight.grad.abs().max() > 1e-3  # a wrong answer can be mended
    assert loss.isfinite() and all(w.grad is None or w.grad.isfinite().all() for w in built.parameters())


@every_mechanism
@pytest.mark.parametrize("kind", ["next_item", "response", "next_behaviour"])
def test_a_detached_task_learns_and_pushes_on_nothing_but_its_head(kind, communication):
    own = {"kind": kind, "detached": True} | (
        {"label": "rating", "at_least": 3} if kind == "response" else {}
    )
    config = ModelConfig.model_validate(
        {"width": 8, "communication": communication, "tasks": {"next": {"kind": "next_item"}, "own": own}}
    )
    sequences = worlds.varied()
    built = worlds.model(config, sequences)
    assert built.attached == ["next"]  # no weight of the exchange is its own, and left as it was drawn
    built.losses(worlds.batch(sequences))["own"].backward()
    pushed = {name for name, weight in built.named_parameters() if weight.grad is not None}
    assert pushed and all(name.startswith("tasks.own.") for name in pushed)
    assert "items.embedding.weight" in dict(built.named_parameters())


def test_tasks_that_are_all_detached_are_refused():
    config = ModelConfig.model_validate({"tasks": {"next": {"kind": "next_item", "detached": True}}})
    with pytest.raises(RecipeError, match="nothing would train the encoder"):
        worlds.model(config, worlds.varied())


def test_heads_and_input_share_one_item_table():
    model = built()
    tables = [name for name, _ in model.named_parameters() if name.endswith("items.embedding.weight")]
    assert tables == ["items.embedding.weight"]
    assert model.task("buy").items is model.items


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"encoder": {"kind": "hstu", "time_bias": "history"}, "input": "events"}, r"\[encoder\]"),
        ({"encoder": "gru"}, r"\[input\]"),  # the gap
    ],
)
def test_time_features_without_a_clock_are_refused(sections, message):
    clockless = from_lists([[1, 2]], 7)
    with pytest.raises(RecipeError, match=rf"{message}: expected a log with times, found a log without"):
        worlds.model(config(**sections), clockless)


@pytest.mark.parametrize("section", ["encoder", "communication"])
def test_heads_that_do_not_divide_the_width_are_refused(section):
    with pytest.raises(
        RecipeError, match=rf"\[{section}\] num_heads: expected a divisor of width = 8, found 3"
    ):
        built(**{section: {"kind": "attention", "num_heads": 3}})


def test_an_encoder_that_looks_ahead_is_refused_by_tasks_about_the_future(monkeypatch):
    encoder = ENCODERS["gru"]
    monkeypatch.setattr(type(encoder), "causal", False)
    with pytest.raises(
        RecipeError, match=r"\[tasks\.next\]: expected a causal encoder, found 'gru', which looks"
    ):
        built(encoder=encoder)


@pytest.mark.parametrize(
    ("sections", "sparse"),
    [
        ({"loss": {"kind": "shared_pool"}}, True),
        ({"loss": {"kind": "gbce"}, "temperature": 0.1}, True),
        ({"loss": {"kind": "full_softmax"}}, False),
    ],
)
def test_a_large_catalogue_is_updated_row_by_row_where_no_loss_reads_it_all(sections, sparse, monkeypatch):
    monkeypatch.setattr("intertask.model.network.SPARSE_FROM", 7)
    model = built(tasks={"next": {"kind": "next_item", **sections}})
    sum(model.losses(worlds.batch(worlds.varied())).values()).backward()
    assert model.items.weight_ID.grad.is_sparse == sparse


def test_a_small_catalogue_is_updated_whole():
    model = built(tasks={"next": {"kind": "next_item", "loss": {"kind": "gbce"}}})
    assert not model.items.embedding.sparse


@every_part
def test_a_blueprint_has_the_weights_of_the_model_and_no_numbers(sections):
    own = config(**sections)
    dimensions = worlds.model(own, SEQUENCES).dimensions
    state = torch.get_rng_state()
    planned = dict(blueprint(own, dimensions).named_parameters())
    assert torch.equal(state, torch.get_rng_state())
    built = dict(Model(own, dimensions).named_parameters())
    assert {name: (weight.shape, weight.dtype) for name, weight in planned.items()} == {
        name: (weight.shape, weight.dtype) for name, weight in built.items()
    }
    assert all(weight.is_meta for weight in planned.values())


def test_a_blueprint_does_not_load_the_compiler():
    program = """
import sys
from intertask.options.config import kinds
from intertask.model.blueprint import blueprint
from intertask.model import ModelConfig
from intertask.nn.dimensions import Dimensions
parts = [{"encoder": kind} for kind in kinds("encoders")]
parts += [{"communication": kind} for kind in kinds("communication")]
parts += [{"tasks": {"a": {"kind": "next_item", "loss": kind}}} for kind in kinds("losses")]
for part in parts:
    config = ModelConfig.model_validate(part)
    blueprint(config, Dimensions(64, 50, tuple(config.tasks), 10**9, ("buy", "view"), True))
    assert "torch._dynamo" not in sys.modules, part
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
