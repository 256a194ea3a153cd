import errno
import os
import shutil
import subprocess

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import save_file

from intertask.data.sequences import from_lists
from intertask.errors import DataError, IntertaskError
from intertask.files import sha256, written_aside

ONE_MEGABYTE = np.arange(2**17)


@pytest.fixture
def small_disk(tmp_path):
    """A disk with room for 64 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    command = [mount or "mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if (
        mount is None
        or os.geteuid() != 0
        or subprocess.run(command, check=False, capture_output=True).returncode
    ):
        pytest.skip("only a user who may mount can make a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def listing(folder):
    return sorted(file.name for file in folder.iterdir())


def test_a_file_appears_when_it_is_complete(tmp_path):
    with written_aside(tmp_path / "new" / "there.txt") as aside:
        aside.write_text("done")
        assert not (tmp_path / "new" / "there.txt").exists()
    assert (tmp_path / "new" / "there.txt").read_text() == "done"
    assert listing(tmp_path / "new") == ["there.txt"]


@pytest.mark.parametrize("folder", [False, True])
def test_a_failure_leaves_the_old_one_and_nothing_else(folder, tmp_path):
    place = tmp_path / "place"
    for text in ("old", "new"):
        try:
            with written_aside(place) as aside:
                if folder:
                    aside.mkdir()
                (aside / "part" if folder else aside).write_text(text)
                if text == "new":
                    raise KeyboardInterrupt
        except KeyboardInterrupt:
            pass
    assert (place / "part" if folder else place).read_text() == "old"
    assert listing(tmp_path) == ["place"]


def test_a_folder_replaces_a_folder_whole(tmp_path):
    for name in ("first", "second"):
        with written_aside(tmp_path / "place") as aside:
            aside.mkdir()
            (aside / name).write_text(name)
    assert listing(tmp_path / "place") == ["second"]
    assert listing(tmp_path) == ["place"]


def test_the_old_folder_comes_back_when_the_new_one_cannot_be_moved(tmp_path, monkeypatch):
    (tmp_path / "place").mkdir()
    (tmp_path / "place" / "old").touch()
    rename = type(tmp_path).rename

    def fail_once(self, target):
        if self.name == "place" and self.parent != tmp_path:
            raise OSError(errno.EIO, "the disk is gone")
        return rename(self, target)

    monkeypatch.setattr(type(tmp_path), "rename", fail_once)
    with pytest.raises(IntertaskError, match="the disk is gone"), written_aside(tmp_path / "place") as aside:
        aside.mkdir()
    assert listing(tmp_path) == ["place"]
    assert listing(tmp_path / "place") == ["old"]


@pytest.mark.parametrize(
    "write",
    [
        lambda file: file.write_bytes(ONE_MEGABYTE.tobytes()),
        ONE_MEGABYTE.tofile,
        lambda file: save_file({"a": ONE_MEGABYTE}, file),
        lambda file: pl.DataFrame({"a": ONE_MEGABYTE}).write_parquet(file, compression="uncompressed"),
        lambda file: pl.DataFrame({"a": ONE_MEGABYTE}).write_csv(file),
    ],
    ids=["bytes", "numpy", "safetensors", "parquet", "csv"],
)
def test_a_full_disk_is_one_line_whoever_writes(write, small_disk):
    (small_disk / "place").write_text("old")
    expected = "place: expected a place with room that can be written to, found .+; free some space"
    with (
        pytest.raises(IntertaskError, match=expected) as caught,
        written_aside(small_disk / "place") as aside,
    ):
        write(aside)
    assert "\n" not in str(caught.value)
    assert (small_disk / "place").read_text() == "old"
    assert listing(small_disk) == ["place"]


def test_a_full_disk_is_told_by_the_users_name_of_the_folder(small_disk):
    many = from_lists([list(range(20_000))], 20_000)
    with (
        pytest.raises(IntertaskError, match=rf"^{small_disk}/prepared: expected a place"),
        written_aside(small_disk / "prepared") as aside,
    ):
        aside.mkdir()
        many.write(aside / "sequences")
    assert listing(small_disk) == []


@pytest.mark.parametrize("error", [ValueError("a mistake"), DataError("a row", "ids", "none")])
def test_other_errors_pass_as_they_are(error, tmp_path):
    with pytest.raises(type(error)) as caught, written_aside(tmp_path / "place"):
        raise error
    assert caught.value is error
    assert listing(tmp_path) == []


def test_a_place_below_a_file_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(
            IntertaskError, match=r"file/there: expected a place .* found (Not a directory|File exists)"
        ),
        written_aside(tmp_path / "file" / "there"),
    ):
        pass


def test_the_checksum_is_the_known_one(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")  # FIPS 180-2, appendix B.1
    assert sha256(tmp_path / "abc").startswith("ba7816bf8f01cfea414140de5dae2223b00361a396177a9c")
