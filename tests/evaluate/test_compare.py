import polars as pl
import pytest

from intertask.errors import DataError, ProtocolError, RequestError
from intertask.evaluate.compare import Comparison, compare
from intertask.evaluate.kept import keep
from intertask.evaluate.protocol import EventsProtocol
from intertask.evaluate.results import Evaluation
from intertask.events.evaluation import Evaluator
from intertask.events.systems import ModelSystem
from tests import shop


def write(folder, rank_shift=0):
    """A run's folder as `evaluate` leaves it, its own ranks moved by some places."""
    fitted = shop.recommender().fitted
    asked = Evaluator("shop", fitted.model, shop.corpus(), fitted.split, shop.recipe().evaluation, 1)
    folder.mkdir()
    found = asked.run()
    own = (pl.col("system") == ModelSystem.name) & (pl.col("metric") == "rank")
    moved = pl.when(own).then((pl.col("value") + rank_shift).clip(1)).otherwise(pl.col("value"))
    keep(found.with_targets(found.targets.with_columns(value=moved)), folder)
    found.write(folder / "evaluation.json")  # as older versions did: tests change what stands beside it
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    return write(folder / "one"), write(folder / "better", rank_shift=-5)


def change(folder, **columns):
    file = folder / "targets.parquet"
    pl.read_parquet(file).with_columns(**columns).write_parquet(file)


def rewrite(folder, **changes):
    file = folder / "evaluation.json"
    found = Evaluation.read(file)
    found.model_copy(update={"protocol": found.protocol.model_copy(update=changes)}).write(file)


def test_a_run_against_itself_shows_no_difference(runs):
    found = compare(runs[0], runs[0], resamples=100)
    assert {(row.task, row.history) for row in found.rows} == {
        ("liked", ""),
        *((task, history) for task in ("next", "buys") for history in ("masked", "kept")),
    }
    for row in found.rows:
        assert row.first == row.second
        assert (row.difference, row.interval.low, row.interval.high) == (0, 0, 0)


def test_the_difference_is_first_minus_second(runs):
    worse, better = runs
    there, back = compare(worse, better, resamples=100), compare(better, worse, resamples=100)
    for one, other in zip(there.rows, back.rows, strict=True):
        assert one.difference == pytest.approx(one.first - one.second)
        assert one.difference == pytest.approx(-other.difference)
        assert one.difference <= 0
        assert one.interval.low <= one.difference <= one.interval.high
    assert any(row.interval.high < 0 for row in there.rows)


def test_the_figures_are_those_of_the_evaluation(runs):
    evaluation = Evaluation.read(runs[0] / "evaluation.json")
    expected = {
        (row.task, row.history): row.metrics
        for row in evaluation.rankings
        if row.system == "intertask" and row.slice == "all"
    }
    for row in compare(runs[0], runs[1], resamples=100).rows:
        if row.metric.endswith("@5"):
            assert row.first == pytest.approx(expected[row.task, row.history][row.metric])


@pytest.mark.parametrize("name", list(EventsProtocol.model_fields))
def test_another_protocol_is_refused_and_the_field_named(name, runs, tmp_path):
    other = write(tmp_path / "other")
    value = getattr(Evaluation.read(other / "evaluation.json").protocol, name)
    changed = {bool: lambda: not value, int: lambda: value + 1, str: lambda: value + "!"}[type(value)]()
    rewrite(other, **{name: changed})
    with pytest.raises(ProtocolError) as caught:
        compare(runs[0], other)
    assert str(caught.value) == (
        f"{other} {name}: expected {value!r}, as in the other run, found {changed!r}; "
        "evaluate both in the same way before comparing them"
    )


def test_runs_without_a_common_task_are_refused(runs, tmp_path):
    other = write(tmp_path / "other")
    change(other, task=pl.lit("another"))
    with pytest.raises(
        DataError, match="expected a task of the same name as in the other run, found none in common"
    ):
        compare(runs[0], other)


def test_tasks_of_one_name_that_ask_for_other_targets_are_refused(runs, tmp_path):
    other = write(tmp_path / "other")
    table = pl.read_parquet(other / "targets.parquet")
    of_task = (pl.col("task") == "next") & (pl.col("setting") == "kept")
    table.filter(~of_task | (pl.col("target") > table["target"].min())).write_parquet(
        other / "targets.parquet"
    )
    size = shop.NUM_USERS
    with pytest.raises(ProtocolError) as caught:
        compare(runs[0], other)
    assert str(caught.value) == (
        f"{other} task next, history kept: expected the {size} targets of the other run, found {size - 1}, "
        f"of which {size - 1} are the same; does the task ask for another behaviour?"
    )


def test_a_response_is_compared_by_what_each_answer_was_worth(runs, tmp_path):
    other = write(tmp_path / "other")
    change(other, value=pl.when(pl.col("task") == "liked").then(pl.col("value") - 0.25).otherwise("value"))
    (row,) = (
        row for row in compare(runs[0], other, resamples=100).rows if row.task == "liked" and row.is_alone
    )
    assert row.metric == "-log_loss" and row.history == ""
    assert (row.difference, row.interval.low, row.interval.high) == pytest.approx((0.25, 0.25, 0.25))
    (expected,) = (
        row.metrics["log_loss"]
        for row in Evaluation.read(runs[0] / "evaluation.json").responses
        if (row.system, row.task) == ("intertask", "liked")
    )
    assert row.first == pytest.approx(-expected, abs=1e-6)


def test_a_probability_is_not_compared_with_a_value(runs, tmp_path):
    other = write(tmp_path / "other")
    of_task = pl.col("task") == "liked"
    change(other, metric=pl.when(of_task).then(pl.lit("-squared_error")).otherwise("metric"))
    with pytest.raises(
        ProtocolError, match=r"task liked: expected metric -log_loss of target \d+, as in .* found -squared"
    ):
        compare(runs[0], other)


def test_tasks_of_one_name_that_ask_for_other_labels_are_refused(runs, tmp_path):
    other = write(tmp_path / "other")
    change(other, label=1 - pl.col("label"))
    with pytest.raises(
        ProtocolError,
        match=r"liked: expected label [01]\.0 of target \d+, as .* same behaviour, label and at_l",
    ):
        compare(runs[0], other)


def test_a_foreign_table_is_told_of_in_one_line(runs, tmp_path):
    other = write(tmp_path / "other")
    pl.DataFrame({"system": ["intertask"], "rank": [1]}).write_parquet(other / "targets.parquet")
    with pytest.raises(DataError, match=r"targets\.parquet: expected what an evaluation wrote") as caught:
        compare(runs[0], other)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["evaluation.json", "targets.parquet"])
@pytest.mark.parametrize("broken", [False, True])
def test_a_run_that_was_not_evaluated_is_refused_in_one_line(name, broken, runs, tmp_path):
    other = write(tmp_path / "other")
    (other / name).unlink()
    if broken:
        (other / name).write_bytes(b"PAR1 but no more")
    with pytest.raises(DataError, match=f"{name}: expected .*run `intertask evaluate`") as caught:
        compare(runs[0], other)
    assert "\n" not in str(caught.value)


def in_memory(folder):
    """What `evaluate` gave, without its folder."""
    found = Evaluation.read(folder / "evaluation.json")
    return found.with_targets(pl.read_parquet(folder / "targets.parquet"))


def test_several_runs_are_each_set_against_the_first(runs):
    worse, better = runs
    found = compare(worse, better, worse, resamples=100)
    assert len(found.runs) == 3 and len(set(found.runs)) == 3
    assert [row.run for row in found.rows] == sorted((row.run for row in found.rows), key=found.runs.index)
    pair = compare(worse, better, resamples=100)
    own = [row for row in found.rows if row.run == found.runs[1]]
    for one, other in zip(own, pair.rows, strict=True):
        assert one.interval == other.interval and one.p_value >= other.p_value  # more questions are asked


def test_a_p_value_is_corrected_over_runs_and_tasks_of_one_metric(runs):
    worse, better = runs
    rows = compare(worse, better, resamples=100).rows
    again = compare(worse, *[better] * 4, resamples=100).of("ndcg@10")
    main = [row for row in rows if row.metric == "ndcg@10" or row.is_alone]
    least = min(row.p_value for row in main)
    assert min(row.p_value for row in again) == pytest.approx(min(1.0, 4 * least))


def test_a_verdict_follows_from_the_corrected_p_and_from_enough_targets(runs):
    rows = compare(*runs, resamples=1000).rows
    kept = [row for row in rows if (row.task, row.history, row.metric) == ("next", "kept", "ndcg@10")]
    assert [row.verdict for row in kept] == ["first is worse"] and kept[0].p_value < 0.05
    assert {row.verdict for row in rows if row.task == "liked"} == {"not judged"}
    assert all("and a verdict needs" in row.too_few for row in rows if row.verdict == "not judged")


def test_evaluations_in_memory_compare_as_their_folders_do(runs):
    there = compare(*runs, resamples=100)
    here = compare(in_memory(runs[0]), in_memory(runs[1]), resamples=100)
    assert [row.model_copy(update={"run": ""}) for row in here.rows] == [
        row.model_copy(update={"run": ""}) for row in there.rows
    ]
    mixed = compare(in_memory(runs[0]), runs[1], resamples=100)
    assert [row.difference for row in mixed.rows] == [row.difference for row in there.rows]
    with pytest.raises(DataError, match="evaluation 2: expected one that knows its targets"):
        compare(runs[0], Evaluation.read(runs[1] / "evaluation.json"))


def test_a_comparison_is_a_frame(runs):
    found = compare(*runs, resamples=100)
    frame = found.to_frame()
    assert frame.height == len(found.rows)
    assert frame.columns == [
        "run",
        "task",
        "history",
        "metric",
        "targets",
        "first",
        "second",
        "difference",
        "low",
        "high",
        "p_value",
        "too_few",
        "verdict",
    ]
    assert frame["low"].to_list() == [row.interval.low for row in found.rows]
    assert frame["verdict"].to_list() == [row.verdict for row in found.rows]
    assert Comparison.model_validate_json(found.model_dump_json()) == found


def test_one_run_is_compared_with_nothing(runs):
    with pytest.raises(RequestError, match="compare: expected two runs or more, found one"):
        compare(runs[0])
