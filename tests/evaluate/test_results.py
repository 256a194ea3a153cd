import pytest

from intertask.errors import DataError
from intertask.evaluate.protocol import EventsProtocol, RowsProtocol
from intertask.evaluate.results import DifferenceRow, Evaluation, Interval, Provenance, ScoreRow

PROTOCOL = EventsProtocol(
    data="ab",
    split="leave_one_out",
    part="test",
    history="masked",
    candidates="all items, 9",
    query_time=False,
    num_targets=7,
)


ROWS = RowsProtocol(data="ab", split="groups_out", part="test", resampled="hospital", num_targets=7)


@pytest.mark.parametrize(
    ("protocol", "name"), [(own, name) for own in (PROTOCOL, ROWS) for name in type(own).model_fields]
)
def test_the_fingerprint_changes_with_every_field(protocol, name):
    value = getattr(protocol, name)
    other = {bool: lambda: not value, int: lambda: value + 1, str: lambda: value + "!"}[type(value)]()
    changed = protocol.model_copy(update={name: other})
    assert changed.fingerprint() != protocol.fingerprint()
    assert protocol.model_copy().fingerprint() == protocol.fingerprint()


def test_a_published_fingerprint_stays_what_it_is():
    assert PROTOCOL.fingerprint() == "6acd9d9a4e423000"


@pytest.mark.parametrize("protocol", [PROTOCOL, ROWS])
def test_every_condition_is_told_in_words(protocol):
    told = " ".join(protocol.told()) + " ".join(value for _, value in protocol.conditions())
    values = protocol.model_dump(exclude={"split", "part", "query_time"}).values()
    assert all(str(value) in told for value in values)


@pytest.mark.parametrize("protocol", [PROTOCOL, ROWS])
def test_an_evaluation_of_any_kind_of_data_is_read_back(protocol, tmp_path):
    origin = Provenance(seed=1, commit="c", version="v", command="x", date="2026-01-01", machine="m")
    found = Evaluation(
        model="x",
        protocol=protocol,
        provenance=origin,
        rankings=[],
        lists=[],
        differences=[],
        responses=[ScoreRow(system="intertask", task="ill", count=3, metrics={"auc": 0.5})],
    )
    found.write(tmp_path / "evaluation.json")
    again = Evaluation.read(tmp_path / "evaluation.json")
    assert again == found and type(again.protocol) is type(protocol)
    assert again.protocol.fingerprint() == protocol.fingerprint()


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
