import os
from dataclasses import replace

import numpy as np
import pytest

from intertask.data.sequences import Sequences, from_lists
from intertask.errors import DataError
from tests import worlds

LOG = from_lists(
    [[0, 1, 2], [], [3], []],
    5,
    behaviours=[[0, 1, 0], [], [1], []],
    times=[[5, 6, 7], [], [1], []],
    labels={"liked": [[1.0, float("nan"), 0.0], [], [0.5], []]},
)


def same(first: Sequences, second: Sequences) -> bool:
    return first.digest() == second.digest() and first.labels.keys() == second.labels.keys()


def test_counts_include_users_without_events():
    assert (LOG.num_users, LOG.num_events, LOG.lengths.tolist()) == (4, 4, [3, 0, 1, 0])
    assert LOG.users_of(np.arange(4)).tolist() == [0, 0, 0, 2]


@pytest.mark.parametrize("sequences", [LOG, replace(LOG, times=None), replace(LOG, labels={})])
def test_what_was_written_is_mapped_not_read(sequences, tmp_path):
    sequences.write(tmp_path / "there")
    opened = Sequences.open(tmp_path / "there")
    assert same(opened, sequences)
    assert isinstance(opened.items, np.memmap)
    assert (opened.times is None) == (sequences.times is None)
    assert (opened.num_items, opened.num_behaviours) == (5, 2)


def test_the_digest_changes_with_everything():
    changed = [
        replace(LOG, offsets=np.array([0, 2, 3, 4, 4])),
        replace(LOG, items=np.array([0, 1, 2, 4], np.int32)),
        replace(LOG, behaviours=np.array([0, 0, 0, 1], np.uint8)),
        replace(LOG, times=np.array([5, 6, 8, 1])),
        replace(LOG, times=None),
        replace(LOG, num_items=6),
        replace(LOG, num_behaviours=3),
        replace(LOG, labels={}),
        replace(LOG, labels={"bought": LOG.labels["liked"]}),
        replace(LOG, labels={"liked": np.zeros(4, np.float32)}),
    ]
    assert len({sequences.digest() for sequences in (LOG, *changed)}) == len(changed) + 1


@pytest.mark.parametrize("missing", ["sizes", "offsets", "items", "behaviours"])
def test_an_incomplete_folder_is_refused(missing, tmp_path):
    LOG.write(tmp_path / "there")
    (tmp_path / "there" / f"{missing}.npy").unlink()
    with pytest.raises(DataError, match=f"there: expected a folder of prepared sequences.*{missing}"):
        Sequences.open(tmp_path / "there")


def test_a_truncated_array_is_refused(tmp_path):
    LOG.write(tmp_path / "there")
    file = tmp_path / "there" / "items.npy"
    file.write_bytes(file.read_bytes()[:-3])
    with pytest.raises(DataError, match="a folder of prepared sequences"):
        Sequences.open(tmp_path / "there")


@pytest.mark.parametrize("name", ["items", "behaviours", "times"])
def test_arrays_that_do_not_fit_each_other_are_refused(name, tmp_path):
    LOG.write(tmp_path / "there")
    file = tmp_path / "there" / f"{name}.npy"
    np.save(file, np.load(file)[:-1])
    with pytest.raises(DataError, match=rf"found \d+ events in {name}.npy and \d+ in offsets.npy; prepare"):
        Sequences.open(tmp_path / "there")


@pytest.mark.parametrize("name", ["sizes", "items", "offsets"])
def test_an_empty_file_is_refused(name, tmp_path):
    LOG.write(tmp_path / "there")
    (tmp_path / "there" / f"{name}.npy").write_bytes(b"")
    with pytest.raises(DataError, match="a folder of prepared sequences"):
        Sequences.open(tmp_path / "there")


def test_an_array_of_python_objects_is_refused(tmp_path):
    LOG.write(tmp_path / "there")
    np.save(tmp_path / "there" / "items.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="Python objects"):
        Sequences.open(tmp_path / "there")


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match="prepare it again"):
        Sequences.open(tmp_path / "nowhere")


def test_a_label_of_any_name_is_written_and_found_again(tmp_path):
    names = ["stars/5", "../up", "50%", "50%2F", "größe"]
    found = from_lists([[0, 1]], labels={name: [[1.0, float(place)]] for place, name in enumerate(names)})
    found.write(tmp_path / "sequences")
    again = Sequences.open(tmp_path / "sequences")
    assert {name: array.tolist() for name, array in again.labels.items()} == {
        name: array.tolist() for name, array in found.labels.items()
    }
    assert again.digest() == found.digest()
    assert [place.name for place in tmp_path.iterdir()] == ["sequences"]


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("items", lambda a: a + 100, "items: expected numbers of 0 to"),
        ("items", lambda a: a.astype(np.int64), "items: expected int32"),
        ("items", lambda a: a[:-1], "expected"),
        ("offsets", lambda a: a[::-1], "expected"),
        ("offsets", lambda a: a[:0], "expected"),
        ("behaviours", lambda a: a + 200, "behaviours: expected numbers of 0 to"),
        ("times", lambda a: a[::-1], "times: expected times that never fall within a user"),
        ("sizes", lambda a: a - 10**6, "items and"),
        ("sizes", lambda a: a.astype(np.float64), "float64 [2] in sizes.npy"),
        ("sizes", lambda a: np.array([[1, 2]]), "int64 [1, 2] in sizes.npy"),
    ],
)
def test_arrays_that_are_no_sequences_are_refused(name, change, message, tmp_path):
    worlds.varied().write(tmp_path / "sequences")
    file = tmp_path / "sequences" / f"{name}.npy"
    np.save(file, np.ascontiguousarray(change(np.load(file))))
    with pytest.raises(DataError) as caught:
        Sequences.open(tmp_path / "sequences")
    assert message in str(caught.value)


def test_a_pipe_among_the_arrays_is_refused_at_once(tmp_path):
    worlds.varied().write(tmp_path / "sequences")
    (tmp_path / "sequences" / "items.npy").unlink()
    os.mkfifo(tmp_path / "sequences" / "items.npy")
    with pytest.raises(DataError, match=r"items\.npy: expected a file, found a pipe"):
        Sequences.open(tmp_path / "sequences")
