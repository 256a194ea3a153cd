import pytest

from intertask.errors import DataError
from intertask.evaluate.results import DifferenceRow, Evaluation, Interval, Protocol

PROTOCOL = Protocol(
    data="ab",
    split="leave_one_out",
    part="test",
    history="masked",
    candidates="all items, 9",
    query_time=False,
    num_targets=7,
)


@pytest.mark.parametrize("name", list(Protocol.model_fields))
def test_the_fingerprint_changes_with_every_field(name):
    value = getattr(PROTOCOL, name)
    other = {bool: lambda: not value, int: lambda: value + 1, str: lambda: value + "!"}[type(value)]()
    changed = PROTOCOL.model_copy(update={name: other})
    assert changed.fingerprint() != PROTOCOL.fingerprint()
    assert PROTOCOL.model_copy().fingerprint() == PROTOCOL.fingerprint()


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.1, 0.2, "better"),
        (-0.2, -0.1, "worse"),
        (-0.1, 0.1, "no difference shown"),
        (0.0, 0.1, "no difference shown"),
        (-0.1, 0.0, "no difference shown"),
    ],
)
def test_a_verdict_needs_an_interval_that_excludes_zero(low, high, verdict):
    row = DifferenceRow(
        task="next",
        history="masked",
        baseline="ease",
        metric="ndcg@10",
        difference=(low + high) / 2,
        interval=Interval(low=low, high=high),
    )
    assert row.verdict == verdict


@pytest.mark.parametrize("text", [None, "", "{}", '{"model": "x"}', "not json"])
def test_what_is_no_evaluation_is_refused_in_one_line(text, tmp_path):
    file = tmp_path / "evaluation.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(DataError, match=r"evaluation\.json: expected the evaluation of a run") as caught:
        Evaluation.read(file)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith("run `intertask evaluate`")
