import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import entropy
from torch.nn import functional

from intertask.data.sequences import from_lists
from intertask.errors import RecipeError
from intertask.nn.item_table import ItemTable
from intertask.options.config import parse
from intertask.tasks.response import Config
from tests import worlds

WIDTH = 4
NAN = float("nan")
CONFIGS = {
    "behaviour": Config(behaviour="buy"),
    "label": Config(label="rating"),
    "at_least": Config(label="rating", at_least=4.0),
    "regression": Config(label="rating", form="regression"),
}
every_form = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS.keys())
LABELS = st.lists(
    st.one_of(st.just(NAN), st.sampled_from([0.0, 0.1, 1.0, 3.0, 4.0, 5.0])), min_size=2, max_size=6
)


def built(config, behaviours=worlds.BEHAVIOURS):
    with worlds.seeded():
        task = config.build(
            "like", worlds.dimensions(width=WIDTH, behaviours=behaviours), ItemTable(7, WIDTH)
        )
        torch.nn.init.normal_(task.item_bias.weight)
    return task


def of(ratings, **changes):
    rows = [list(range(len(user))) for user in ratings]
    codes = [[place % 2 for place in user] for user in rows]
    return from_lists(rows, 7, behaviours=codes, labels={"rating": ratings}, **changes)


def states_of(sequences):
    batch = worlds.batch(sequences)
    shape = (*batch.target("like").items_BL.shape, WIDTH)
    return batch, torch.randn(shape, generator=torch.Generator().manual_seed(0)).requires_grad_()


@every_form
@settings(max_examples=25)
@given(st.lists(LABELS, min_size=1, max_size=3))
def test_the_loss_is_the_mean_over_the_labels_that_are_there(config, ratings):
    if config.kind == "response" and config.form == "binary" and config.at_least is None:
        ratings = [[value if np.isnan(value) else float(value > 3) for value in user] for user in ratings]
    sequences = of(ratings)
    labels, task = config.labels(sequences, worlds.BEHAVIOURS), built(config)
    batch, states = states_of(sequences)
    single = []
    for row, start in enumerate(sequences.offsets[:-1]):
        for position in range(len(ratings[row]) - 1):
            label = labels[start + position + 1]
            if np.isnan(label):
                continue
            answer = task.predict(
                states[row, position][None], torch.from_numpy(sequences.items[[start + position + 1]]).long()
            )
            wanted = torch.tensor([label])
            form = functional.mse_loss if config.form == "regression" else functional.binary_cross_entropy
            single.append(form(answer, wanted))
    found = task.loss(states, batch.target("any"))
    assert (found is None) == (not single)
    if found is not None:
        torch.testing.assert_close(found, torch.stack(single).mean(), atol=1e-5, rtol=1e-4)


@every_form
def test_rows_without_a_label_change_nothing(config):
    task, ratings = built(config), [[1.0, 0.0, 1.0, 1.0], [NAN, NAN]]
    batch, states = states_of(of(ratings))
    loss = task.loss(states, batch.target("any"))
    loss.backward()
    assert states.grad.isfinite().all()
    if config.label is not None:
        assert (states.grad[1] == 0).all()
        torch.testing.assert_close(task.loss(states[:1], worlds.batch(of(ratings[:1])).target("any")), loss)


@pytest.mark.parametrize("name", ["label", "at_least", "regression"])
def test_a_batch_without_labels_has_no_loss(name):
    batch, states = states_of(of([[1.0, NAN, NAN], [NAN, NAN]]))
    assert (
        built(CONFIGS[name]).loss(states, batch.target("any")) is None
    )  # the first event is nobody's target


@pytest.mark.parametrize("value", [0.1, 0.7, 3.3, 4.0])
def test_training_and_evaluation_draw_the_line_at_the_same_place(value):
    # 0.1 in float32 is above 0.1 in float64, 0.7 below: both sides must compare in the same type.
    config, sequences = Config(label="rating", at_least=value), of([[0.0, value]])
    task = built(config)
    batch, states = states_of(sequences)
    label = torch.from_numpy(config.labels(sequences, worlds.BEHAVIOURS)[1:])
    assert label.item() == 1
    expected = functional.binary_cross_entropy(task.predict(states[:, 0], torch.tensor([1])), label)
    torch.testing.assert_close(task.loss(states, batch.target("any")), expected)


def test_the_answer_depends_on_history_and_item():
    task = built(CONFIGS["behaviour"])
    states = torch.eye(WIDTH)[:2]
    answers = [
        task.predict(states[[state]], torch.tensor([item])).item() for state in (0, 1) for item in (0, 1)
    ]
    assert len(set(answers)) == 4 and all(0 < answer < 1 for answer in answers)


def test_constant_losses_are_entropies_and_variances():
    sequences = of([[5.0, 1.0, NAN, 4.0]])
    known = {"behaviour": entropy([0.5, 0.5]), "at_least": entropy([2 / 3, 1 / 3]), "regression": 26 / 9}
    for name, expected in known.items():
        found = CONFIGS[name].constant_loss(sequences, worlds.BEHAVIOURS)
        assert found == pytest.approx(expected, rel=1e-5), name


def test_an_absurd_label_has_a_finite_constant_loss():
    assert np.isfinite(CONFIGS["regression"].constant_loss(of([[1e38, -1e38]]), worlds.BEHAVIOURS))


def test_a_task_is_asked_about_targets_with_a_label():
    sequences, targets = of([[NAN, 1.0, NAN, 4.0]]), np.array([1, 2, 3])
    assert CONFIGS["at_least"].asked(sequences, targets, worlds.BEHAVIOURS).tolist() == [0, 2]
    assert CONFIGS["behaviour"].asked(sequences, targets, worlds.BEHAVIOURS).tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({}, "exactly one of behaviour and label"),
        ({"behaviour": "buy", "label": "rating"}, "exactly one of behaviour and label"),
        ({"behaviour": "buy", "form": "regression"}, "a regression has a label"),
        ({"label": "rating", "form": "regression", "at_least": 4}, "neither behaviour nor at_least"),
    ],
)
def test_sections_that_contradict_themselves_are_refused(section, message):
    with pytest.raises(RecipeError, match=message):
        parse(Config, {"kind": "response", **section}, "[tasks.like]")


def test_an_unknown_behaviour_is_refused():
    with pytest.raises(
        RecipeError, match=r"\[tasks\.like\] behaviour: expected one of buy, view, found 'bye'"
    ):
        built(Config(behaviour="bye"))


def test_a_label_column_that_is_missing_or_empty_is_refused():
    with pytest.raises(RecipeError, match="label 'stars': expected one of rating, found 'stars'"):
        Config(label="stars").constant_loss(of([[1.0, 2.0]]), worlds.BEHAVIOURS)
    with pytest.raises(RecipeError, match="a label at some training event that follows another, found none"):
        Config(label="rating").constant_loss(of([[NAN, NAN]]), worlds.BEHAVIOURS)


def test_a_binary_label_that_is_no_yes_or_no_is_refused():
    with pytest.raises(RecipeError, match=r"label 'rating': expected 0 or 1.* found 3; add at_least"):
        Config(label="rating").constant_loss(of([[1.0, 3.0, NAN]]), worlds.BEHAVIOURS)


def test_a_response_task_does_not_rank_items():
    with pytest.raises(TypeError, match="Response does not rank"):
        built(CONFIGS["behaviour"]).score_items(torch.ones(1, WIDTH))
