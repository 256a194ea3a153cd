import tomllib

import pytest

from intertask.recipe import Recipe
from intertask.report.advice import advice
from intertask.report.journal import Journal, Step, Validation
from intertask.train import ending

RECIPE = {"tasks": {"next": {"kind": "next_item"}}, "width": 64, "ranker": {"kind": "blend"}}


def course(epochs, best, steps, tokens=4096):
    return Journal(
        [Step(place, {"next": 1.0}, tokens, 0.1) for place in range(steps)],
        [Validation(epoch, {"next/ndcg@10": 0.1}, epoch <= best, 0.1) for epoch in range(epochs)],
        "all epochs done",
        best,
    )


def with_differences(evaluation, low, high):
    rows = [row for row in evaluation.differences if row.baseline == "ease" and row.task == "next"]
    interval = rows[0].interval.model_copy(update={"low": low, "high": high})
    row = rows[0].model_copy(update={"difference": (low + high) / 2, "interval": interval})
    return evaluation.model_copy(update={"differences": [row]})


@pytest.fixture
def lost(evaluation):
    return with_differences(evaluation, -0.02, -0.01)


@pytest.mark.parametrize(("low", "high"), [(0.01, 0.02), (-0.01, 0.01)])
def test_a_model_that_no_baseline_beats_gets_no_advice(evaluation, low, high):
    told = with_differences(evaluation, low, high)
    assert advice(told, course(3, 2, 90), Recipe.model_validate(RECIPE)) == []


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (course(3, 2, 2000), "Train longer: the last of 3 epochs was the best; [train] epochs = 6."),
        (course(20, 12, 60, 700), "Train in more steps: 20 epochs had only 60; [train] batch_tokens = 256,"),
        (course(20, 2, 2000), "Learn more slowly: epoch 2 of 0 to 19 was the best"),
        (course(20, 12, 2000), "Try another encoder"),
        (Journal(), "Try another encoder"),
    ],
)
def test_the_course_of_the_training_says_what_to_try(lost, own, expected):
    first, *others = advice(lost, own, Recipe.model_validate(RECIPE))
    assert first.startswith(expected) and len(others) <= 1


def test_targets_that_were_left_out_as_repeats_may_be_asked_for(lost):
    rows = [row.model_copy(update={"count": 400}) for row in lost.rankings]
    repeats = lost.model_copy(update={"rankings": rows})
    (words,) = advice(repeats, course(20, 12, 2000), Recipe.model_validate(RECIPE))
    assert words.startswith("Ask for repeats too: 58% of the targets") and 'history = ["kept"]' in words
    kept = Recipe.model_validate(RECIPE | {"evaluation": {"history": ["kept"]}})
    assert "repeats" not in " ".join(advice(repeats, course(20, 12, 2000), kept))


def test_baselines_that_are_above_can_be_mixed_in(lost):
    alone = RECIPE | {"ranker": {"kind": "none"}}
    first, _ = advice(lost, course(3, 2, 2000), Recipe.model_validate(alone))
    section = tomllib.loads(first.partition("[ranker] ")[2].partition(";")[0])
    assert Recipe.model_validate(RECIPE | {"ranker": section}).ranker.kind == "blend"
    response = alone | {"tasks": {"next": {"kind": "response", "label": "liked"}}}
    assert "Mix" not in " ".join(advice(lost, course(3, 2, 2000), Recipe.model_validate(response)))


def test_a_small_log_gets_a_smaller_model(lost):
    own = course(20, 12, 700, 400)  # 14,000 events an epoch
    told = advice(lost, own, Recipe.model_validate(RECIPE))
    assert told[0].startswith("The log is small (14,000 training events): try width = 32")
    assert "small" not in " ".join(advice(lost, own, Recipe.model_validate(RECIPE | {"width": 16})))


def test_what_it_says_can_be_written_into_a_recipe_and_is_what_training_said(lost):
    (words,) = advice(lost, course(3, 2, 2000), Recipe.model_validate(RECIPE))
    changes = tomllib.loads(words.partition("[train] ")[2].rstrip("."))
    longer = Recipe.model_validate(RECIPE | {"train": changes}).train
    assert longer.epochs > 3
    (said,) = ending.advice(longer, 3, 2, 2000, 0)
    assert said.endswith(words.partition("; ")[2])
