import json
import os
import signal
import subprocess
import sys

import pytest

from intertask.storage import locks
from intertask.storage.locks import Lock, holder, take

HOLD = """
import sys, time
from pathlib import Path
from intertask.storage.locks import Lock, take
assert take(Path(sys.argv[1]), "train")
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def other(tmp_path):
    """Another process that has the lock."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "lock")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_lock_is_had_once_and_says_by_whom(tmp_path, other):
    assert take(tmp_path / "lock", "evaluate") is None
    found = holder(tmp_path / "lock")
    assert (found.pid, found.work) == (other.pid, "train")
    assert str(other.pid) in str(found)


def test_the_lock_of_a_process_that_was_killed_blocks_nobody(tmp_path, other):
    other.send_signal(signal.SIGKILL)
    other.wait()
    lock = take(tmp_path / "lock", "train")
    assert lock is not None and not lock.made
    assert holder(tmp_path / "lock").pid == os.getpid()
    lock.release()


def test_two_threads_of_one_process_are_two(tmp_path):
    lock = take(tmp_path / "lock", "train")
    assert take(tmp_path / "lock", "train") is None
    lock.release()
    assert holder(tmp_path / "lock").pid is None
    again = take(tmp_path / "lock", "train")
    assert again is not None
    again.delete()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("host", "alive", "free"), [("here", True, False), ("here", False, True), ("elsewhere", False, False)]
)
def test_where_the_system_knows_no_locks_the_named_process_decides(host, alive, free, tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")

    def refuse(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", refuse)
    monkeypatch.setattr(locks.socket, "gethostname", lambda: "here")
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    pid = os.getpid() if alive else gone.pid
    text = json.dumps({"intertask": "lock", "pid": pid, "host": host, "work": "train"})
    (tmp_path / "lock").write_text(text)
    lock = take(tmp_path / "lock", "train")
    assert (lock is not None) == free
    if lock is not None:
        lock.release()
        assert take(tmp_path / "lock", "train") is not None


@pytest.mark.parametrize("kind", ["text", "json", "half", "folder", "link", "pipe"])
def test_what_somebody_else_made_is_no_lock_and_stays(kind, tmp_path):
    place, text = tmp_path / "lock", "years of work"
    (tmp_path / "target").write_text(text)
    if kind == "folder":
        place.mkdir()
    elif kind == "link":
        place.symlink_to(tmp_path / "target")
    elif kind == "pipe":
        os.mkfifo(place)
    else:
        place.write_text({"json": '{"pid": 1}', "half": '{"intertask": "lock", "pi'}.get(kind, text))
    before = place.lstat().st_mtime_ns
    with pytest.raises(OSError):
        take(place, "train")
    assert place.lstat().st_mtime_ns == before and (tmp_path / "target").read_text() == text


def test_a_lock_that_is_deleted_while_somebody_waits_for_it_is_not_had_twice(tmp_path, monkeypatch):
    first = take(tmp_path / "lock", "train")
    usual = locks._locked

    def late(handle, found):
        monkeypatch.setattr(locks, "_locked", usual)
        first.delete()  # after the file was opened
        return usual(handle, found)

    monkeypatch.setattr(locks, "_locked", late)
    second = take(tmp_path / "lock", "train")
    assert second is not None and second.made
    assert take(tmp_path / "lock", "train") is None
    second.release()


def test_a_lock_that_is_let_go_twice_lets_nobody_elses_go(tmp_path):
    for first in (Lock.delete, Lock.release):
        lock = take(tmp_path / "a.lock", "one")
        first(lock)
        other = take(tmp_path / "b.lock", "two")  # gets the number that has become free
        lock.release(forget=False)
        lock.delete()
        assert take(tmp_path / "b.lock", "three") is None
        other.release()
