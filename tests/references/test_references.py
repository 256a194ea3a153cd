import numpy as np
import pytest

from intertask.data.rows import Rows
from intertask.options.config import config_class, kinds
from intertask.references import Question, ReferenceConfig
from intertask.references.linear import Config as Linear
from intertask.references.trees import Config as Trees
from tests.samples.clinic import clinic

TRAINING, VALIDATION, TEST = clinic(300, 0), clinic(100, 1), clinic(200, 2)
OF_OTHERS = ("frequent_tag", "naive")  # that answer other questions than of classes and numbers
EVERY: list[ReferenceConfig] = [
    *(
        config_class("references", kind, "")(kind=kind)
        for kind in kinds("references")
        if kind != "frequent_tag"
        if kind != "naive"
    ),  # type: ignore[list-item]
    Trees(library="sklearn", trees=50),
]


def asked(rows: Rows, label: str) -> Question:
    if label == "days":
        return Question(
            rows, rows.labels["days"].cast(float).to_numpy(), None, np.ones(len(rows), np.float32)
        )
    ill = (rows.labels["ill"] == "yes").to_numpy()
    pain = rows.inputs["pain"].replace_strict({"none": 0, "mild": 1, "strong": 2}).to_numpy()
    truth = {
        "ill": ill.astype(np.int64),
        "pain": pain,
        "both": np.stack([ill, pain == 2], 1).astype(np.float32),
    }
    classes = {"ill": 2, "pain": 3, "both": 2}
    return Question(rows, truth[label], classes[label], np.ones(len(rows), np.float32))


@pytest.mark.parametrize("config", EVERY)
@pytest.mark.parametrize(("label", "floor"), [("ill", 0.75), ("pain", 0.95), ("both", 0.75)])
def test_what_the_inputs_say_is_learned(config: ReferenceConfig, label: str, floor: float) -> None:
    found = config.fit(asked(TRAINING, label), asked(VALIDATION, label), 1)(TEST)
    truth = asked(TEST, label).truth
    if label == "both":
        assert found.shape == truth.shape
        assert ((found >= 0.5) == (truth > 0)).mean() > floor
    else:
        assert found.shape == (len(TEST), 2 + (label == "pain"))
        assert np.allclose(found.sum(1), 1, atol=1e-5)
        assert (found.argmax(1) == truth).mean() > floor


@pytest.mark.parametrize("config", EVERY)
def test_numbers_are_learned_better_than_their_mean(config: ReferenceConfig) -> None:
    found = config.fit(asked(TRAINING, "days"), asked(VALIDATION, "days"), 1)(TEST)
    truth = asked(TEST, "days").truth.astype(np.float64)
    assert ((found - truth) ** 2).mean() < 0.7 * truth.var()


@pytest.mark.parametrize("config", EVERY)
def test_the_same_seed_gives_the_same_answers(config: ReferenceConfig) -> None:
    one, other = (config.fit(asked(TRAINING, "ill"), asked(VALIDATION, "ill"), 7)(TEST) for _ in range(2))
    assert np.array_equal(one, other)


@pytest.mark.parametrize("config", EVERY)
def test_unknown_words_and_missing_numbers_are_answered(config: ReferenceConfig) -> None:
    answer = config.fit(asked(TRAINING, "ill"), asked(VALIDATION, "ill"), 1)
    strange = Rows(
        TEST.inputs.with_columns(pain=np.nan, age=None).cast(TEST.inputs.schema),  # type: ignore[arg-type]
        TEST.labels,
        TEST.roles,
        TEST.report,
    )
    assert np.isfinite(answer(strange)).all()


@pytest.mark.parametrize("config", EVERY)
def test_a_label_that_no_training_row_has_is_never_given(config: ReferenceConfig) -> None:
    training, checked = asked(TRAINING, "both"), asked(VALIDATION, "both")
    training.truth[:, 1] = 0
    assert (config.fit(training, checked, 1)(TEST)[:, 1] == 0).all()


def test_the_penalty_that_validates_best_is_taken() -> None:
    training, checked = asked(TRAINING, "ill"), asked(VALIDATION, "ill")
    chosen = Linear(strengths=(1e-2, 1.0, 1e6)).fit(training, checked, 0)(TEST)
    alone = Linear(strengths=(1e6,)).fit(training, checked, 0)(TEST)
    assert not np.allclose(chosen, alone, atol=0.05)
