import hashlib
import subprocess
from pathlib import Path

import pytest

from intertask.data import fetch
from intertask.errors import DataError


def test_a_download_is_compared_with_its_checksum(tmp_path: Path) -> None:
    (tmp_path / "published").write_bytes(b"data")
    url = (tmp_path / "published").as_uri()
    fetch.download(url, tmp_path / "copy", md5=hashlib.md5(b"data").hexdigest())
    assert (tmp_path / "copy").read_bytes() == b"data"
    with pytest.raises(DataError, match="a file with MD5 0"):
        fetch.download(url, tmp_path / "copy", md5="0")


def test_an_address_out_of_reach_gets_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is this machine online"):
        fetch.download((tmp_path / "nothing").as_uri(), tmp_path / "copy", md5="0")


def test_a_wheel_is_compared_with_its_checksum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = tmp_path / "x-1-py3-none-any.whl"
    wheel.write_bytes(b"wheel")
    done = subprocess.CompletedProcess(args=[], returncode=0, stdout="", stderr="")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)
    assert fetch.pip_download("x==1", wheel.name, tmp_path, hashlib.sha256(b"wheel").hexdigest()) == wheel
    with pytest.raises(DataError, match="do not use it"):
        fetch.pip_download("x==1", wheel.name, tmp_path, "0")


def test_a_pip_that_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = subprocess.CompletedProcess(
        args=[], returncode=1, stdout="", stderr="a\nERROR: no such release\n"
    )
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(DataError, match="ERROR: no such release"):
        fetch.pip_download("x==1", "x.whl", tmp_path, "0")
