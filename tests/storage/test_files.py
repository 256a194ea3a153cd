import errno
import os
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import save_file

from intertask.data.sequences import from_lists
from intertask.errors import DataError, IntertaskError
from intertask.storage import exchange, files
from intertask.storage.files import Contents, sha256, written_aside

PARTS = Contents("a folder of parts", (), ("part", "first", "second", "old"))
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
            with written_aside(place, PARTS.refuse if folder else None) as aside:
                if folder:
                    aside.mkdir()
                (aside / "part" if folder else aside).write_text(text)
                if text == "new":
                    raise KeyboardInterrupt
        except KeyboardInterrupt:
            pass
    assert (place / "part" if folder else place).read_text() == "old"
    assert listing(tmp_path) == ["place"]


@pytest.fixture(params=[True, False], ids=["exchange", "two renamings"])
def can_exchange(request, monkeypatch):
    """Both orders: in one step, and the one of file systems that know no such step."""
    if not request.param:
        monkeypatch.setattr(files, "exchange", lambda one, two: False)
    return request.param


def test_a_folder_replaces_a_folder_whole(tmp_path, can_exchange):
    for name in ("first", "second"):
        with written_aside(tmp_path / "place", PARTS.refuse) as aside:
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
    monkeypatch.setattr(files, "exchange", lambda one, two: False)
    with (
        pytest.raises(IntertaskError, match="the disk is gone"),
        written_aside(tmp_path / "place", PARTS.refuse) as aside,
    ):
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


@pytest.mark.parametrize(
    "make",
    [
        lambda place: (place / "thesis.txt").write_text("years of work"),
        lambda place: (place / "part").mkdir(),
        lambda place: (place / "part").symlink_to("/etc/passwd"),
        lambda place: os.mkfifo(place / "part"),
        lambda place: (place / "sub" / "part").mkdir(parents=True),
    ],
    ids=["file", "folder of a known name", "link of a known name", "pipe of a known name", "deeper"],
)
def test_a_folder_of_somebody_else_is_refused_before_and_after(make, tmp_path, can_exchange):
    place = tmp_path / "place"
    place.mkdir()
    make(place)
    with (
        pytest.raises(IntertaskError, match=r"place: expected an empty place, or a folder of parts, found"),
        written_aside(place, PARTS.refuse),
    ):
        raise AssertionError("nothing is made where nothing may be replaced")
    shutil.rmtree(place)
    place.mkdir()
    with (
        pytest.raises(IntertaskError, match="nothing was changed"),
        written_aside(place, PARTS.refuse) as aside,
    ):
        aside.mkdir()
        (aside / "first").touch()
        make(place)  # in the meantime
    assert len(listing(place)) == 1 and listing(place) != ["first"]
    assert listing(tmp_path) == ["place"]


@pytest.mark.parametrize(
    ("names", "foreign"),
    [
        ([], ""),
        (["users.parquet", "sequences/sizes.npy"], ""),
        (["users.parquet", "sequences/sizes.npy", "sequences/label.liked.npy"], ""),
        (["users.parquet"], "a folder without sequences/sizes.npy"),
        (["users.parquet", "sequences/sizes.npy", "sequences/mine.npy"], "'sequences/mine.npy'"),
        (["users.parquet", "sequences/sizes.npy", "sequences/users.parquet"], "'sequences/users.parquet'"),
        (["users.parquet", "sequences/sizes.npy", "SEQUENCES/sizes.npy"], "'SEQUENCES'"),
        (["sequences"], "'sequences'"),
    ],
)
def test_a_folder_is_ours_by_what_it_holds_and_what_it_must_hold(names, foreign, tmp_path):
    log = Contents("a log", ("users.parquet", "sequences/sizes.npy"), ("sequences/label.*.npy",))
    (tmp_path / "place").mkdir()
    for name in names:
        (tmp_path / "place" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "place" / name).touch()
    assert log.foreign(tmp_path / "place") == foreign
    assert log.foreign(tmp_path / "nowhere") == ""


def test_without_a_kind_nothing_but_an_empty_folder_is_replaced(tmp_path):
    (tmp_path / "place").mkdir()
    for expected in ("", "expected an empty place, found 'part'"):
        try:
            with written_aside(tmp_path / "place") as aside:
                aside.mkdir()
                (aside / "part").touch()
            assert not expected
        except IntertaskError as error:
            assert expected and expected in str(error)


@pytest.mark.parametrize("folder", [False, True])
@pytest.mark.parametrize("kind", ["link", "dangling link", "pipe", "other"])
def test_what_is_neither_file_nor_folder_is_never_replaced(kind, folder, tmp_path):
    (tmp_path / "real").mkdir()
    place = tmp_path / "place"
    if kind == "link":
        place.symlink_to(tmp_path / "real")
    elif kind == "dangling link":
        place.symlink_to(tmp_path / "gone")
    elif kind == "pipe":
        os.mkfifo(place)
    elif folder:
        place.write_text("a file where a folder is to be")
    else:
        place.mkdir()
    before = place.lstat()
    with (
        pytest.raises(IntertaskError, match=r"place: expected .*nothing was changed"),
        written_aside(place) as aside,
    ):
        aside.mkdir() if folder else aside.touch()
    assert place.lstat().st_ino == before.st_ino and place.lstat().st_mode == before.st_mode
    assert listing(tmp_path) == ["place", "real"]


@pytest.mark.parametrize("name", ["new", "old", "writer.lock", "n" * 250, " ", "-rf", "a\nb", "ü"])
def test_a_strange_name_is_a_name(name, tmp_path, can_exchange):
    for text in ("first", "second"):
        with written_aside(tmp_path / name, PARTS.refuse) as aside:
            aside.mkdir()
            (aside / text).touch()
    assert listing(tmp_path) == [name] and listing(tmp_path / name) == ["second"]


def test_the_working_folder_and_the_root_are_not_replaced(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in (".", "/", "..", ""):
        with pytest.raises(IntertaskError), written_aside(Path(name)) as aside:
            aside.mkdir()
    assert Path.cwd() == tmp_path and listing(tmp_path) == []


def test_whoever_reads_while_somebody_writes_sees_all_old_or_all_new(tmp_path, can_exchange):
    place, kind = tmp_path / "place", Contents("pairs", ("a", "b"))

    def write(number):
        with written_aside(place, kind.refuse) as aside:
            aside.mkdir()
            for name in kind.needed:
                (aside / name).write_text(str(number))

    def read():
        first = (place / "a").read_text()
        time.sleep(0.0005)
        return first, (place / "b").read_text()

    write(0)
    with ThreadPoolExecutor(2) as pool:
        writing = [pool.submit(lambda: [write(number) for number in range(30)]) for _ in range(2)]
        pairs = [files.read_whole(place, read)]
        while not all(job.done() for job in writing):
            pairs.append(files.read_whole(place, read))
        for job in writing:
            job.result()
    assert all(one == other for one, other in pairs)
    assert len({one for one, _ in pairs}) > 1, "nothing was ever replaced while it was read"
    assert listing(tmp_path) == ["place"]


def test_an_error_of_a_folder_that_keeps_still_is_raised(tmp_path):
    (tmp_path / "place").mkdir()
    with pytest.raises(DataError, match="broken"):
        files.read_whole(tmp_path / "place", lambda: (_ for _ in ()).throw(DataError("broken", "a", "b")))


def test_a_file_system_that_refuses_the_exchange_is_no_error(tmp_path, monkeypatch):
    monkeypatch.setattr(exchange, "_renameat2", lambda: None)
    (tmp_path / "a").mkdir()
    assert not exchange.exchange(tmp_path / "a", tmp_path / "b")


def test_two_paths_change_places(tmp_path):
    (tmp_path / "a").write_text("a")
    (tmp_path / "b").mkdir()
    if not exchange.exchange(tmp_path / "a", tmp_path / "b"):
        pytest.skip("this file system cannot")
    assert (tmp_path / "a").is_dir() and (tmp_path / "b").read_text() == "a"
    with pytest.raises(OSError, match="No such file"):
        exchange.exchange(tmp_path / "a", tmp_path / "nowhere")
