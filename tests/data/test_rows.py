import math
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from intertask.data.rows import Rows
from intertask.errors import DataError

PEOPLE = pl.DataFrame(
    {
        "age": [30.0, None, math.nan, 50.0, math.inf],
        "sex": ["m", " f", "", None, "m"],
        "group": ["a", "b", "a", "b", "c"],
        "y": [1, 0, 1, None, 0],
        "topics": ["a|b", "", None, "c", "d"],
        "when": ["2020-01-01"] * 5,
        "heavy": [1.0, 0.0, 2.0, 1.0, 1.0],
    }
)


def test_inputs_labels_and_roles_are_read_and_bad_rows_accounted_for() -> None:
    rows = Rows.read(
        PEOPLE,
        labels=["y", "topics"],
        several=["topics"],
        numbers=["age"],
        categories=["sex", "group"],
        group="group",
        time="when",
        weight="heavy",
    )
    assert rows.inputs.to_dict(as_series=False) == {
        "age": [30.0, None, None, 50.0],
        "sex": ["m", "f", None, None],
        "group": ["a", "b", "a", "b"],
    }
    assert rows.labels["y"].to_list() == ["1", "0", "1", None]
    assert rows.labels["topics"].to_list() == [["a", "b"], [], None, ["c"]]
    assert rows.roles.columns == ["group", "time", "weight"]
    assert rows.report.counts == {"infinite input age": 1}
    assert (rows.numbers, rows.categories) == (("age",), ("sex", "group"))


def test_rows_are_written_as_one_frame_and_read_back() -> None:
    rows = Rows.read(PEOPLE, labels=["y", "topics"], several=["topics"], group="group", weight="heavy")
    again = Rows.of(rows.whole(), "rows.parquet")
    assert again.whole().equals(rows.whole()) and again.digest() == rows.digest()
    assert rows.take(pl.Series([0, 1])).digest() != rows.digest()
    for frame in (rows.whole().rename({"group": "gruppe"}), rows.whole().cast({"label y": pl.Int64})):
        with pytest.raises(DataError, match="expected prepared rows"):
            Rows.of(frame, "rows.parquet")


def test_values_say_what_nobody_has_said(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    lines = [f"{n % 3},{n},{n / 7:.3f},{'ab'[n % 2]},true,?,{n}" for n in range(60)]
    file.write_text("\n".join(["code,count,share,word,truth,empty,y", *lines]))
    rows = Rows.read(file, labels=["y"], missing=["?"])
    assert rows.numbers == ("count", "share") and rows.categories == ("code", "word", "truth", "empty")
    dated = Rows.read(pl.DataFrame({"d": [None, 1.5], "on": [date(2020, 1, 1)] * 2}))
    assert dated.numbers == ("d",) and "left out 'on'" in dated.report.notes[0]


def test_a_name_may_be_that_of_a_role() -> None:
    frame = pl.DataFrame({"time": [1.5, 2.5], "group": ["a", "b"], "person": ["x", "y"], "label": [0, 1]})
    rows = Rows.read(frame, labels=["label"], group="person", numbers=["time"], categories=["group"])
    assert rows.inputs.columns == ["time", "group"] and rows.roles["group"].to_list() == ["x", "y"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labels": ["y"], "numbers": ["age", "y"]}, "'y'.*no label among the inputs, found one"),
        ({"labels": ["y"], "numbers": ["aeg"]}, "a column 'aeg'.*did you mean 'age'"),
        ({"labels": ["z"]}, "a column 'z' for a label"),
        ({"labels": ["y"], "numbers": ["topics"]}, "unreadable input topics"),
        ({"labels": ["y"], "numbers": []}, "at least one input, found none"),
        ({"labels": ["y"], "group": "y"}, "the group alone, found a label, too"),
        ({"labels": ["y"], "numbers": ["heavy"], "weight": "heavy"}, "the weight alone, found an input"),
        ({"labels": ["y"], "several": ["topics"]}, "several: expected labels, found 'topics'"),
        ({"labels": ["y"], "weight": "age", "strict": True}, "missing weight"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(options: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        Rows.read(PEOPLE, **options)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_a_list_of_labels_is_refused_unless_it_is_said() -> None:
    frame = pl.DataFrame({"x": [1.0, 2.0], "y": [["a"], ["b", "c"]]})
    with pytest.raises(DataError, match=r"say several = \['y'\]"):
        Rows.read(frame, labels=["y"])
    assert Rows.read(frame, labels=["y"], several=["y"]).labels["y"].to_list() == [["a"], ["b", "c"]]


def test_columns_that_polars_takes_for_patterns_are_left_out() -> None:
    frame = pl.DataFrame({"x": [1.5, 2.5], "^a$": [1, 2], "*": ["a", "b"], "y": [0, 1]})
    rows = Rows.read(frame, labels=["y"])
    assert rows.inputs.columns == ["x"] and "'^a$', '*'" in rows.report.notes[0]


def test_a_table_of_which_most_rows_are_bad_is_refused_without_talk_of_an_option_that_nobody_set() -> None:
    frame = pl.DataFrame({"x": [math.inf] * 3 + [1.0], "y": ["a", "b"] * 2})
    with pytest.raises(
        DataError, match=r"3 of 4 rows are refused: infinite input x 3; is it the right column\?"
    ):
        Rows.read(frame, labels=["y"])


@pytest.mark.parametrize("name", ["group", "time", "weight", "part", "row", "input x", "label y"])
def test_columns_may_be_called_as_roles_are(name: str, tmp_path: Path) -> None:
    frame = pl.DataFrame({name: ["a", "b", "a"], "y": ["no", "yes", "no"], "owner": ["1", "1", "2"]})
    rows = Rows.read(frame, labels=["y"], categories=[name], group="owner")
    assert rows.inputs[name].to_list() == ["a", "b", "a"] and rows.roles["group"].to_list() == ["1", "1", "2"]
    asked = Rows.read(frame, labels=[name], categories=["y"], group="owner")
    assert asked.labels[name].to_list() == ["a", "b", "a"]
    for own in (rows, asked):
        assert Rows.of(own.whole(), "rows").digest() == own.digest()


def test_numbers_that_32_bits_do_not_tell_apart_are_said() -> None:
    count = 200
    frame = pl.DataFrame(
        {
            "id": [9_007_199_254_000_000 + n for n in range(count)],
            "x": [float(n) for n in range(count)],
            "y": ["a", "b"] * 100,
        }
    )
    (note,) = Rows.read(frame, labels=["y"]).report.notes
    assert note.startswith(
        "column 'id': about 200 different numbers are read as 1, as they are kept in 32 bits"
    )
