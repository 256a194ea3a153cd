"""An archive that was sent is a model's folder, or is refused in one line, and nothing of it is left."""

import io
import shutil
import zipfile

import numpy as np
import pytest

from intertask.errors import IntertaskError, RequestError
from intertask.service import zipped
from intertask.service.zipped import unpack

KINDS = {
    "stored": zipfile.ZIP_STORED,
    "deflated": zipfile.ZIP_DEFLATED,
    "bzip2": zipfile.ZIP_BZIP2,
    "lzma": zipfile.ZIP_LZMA,
}


def archive(names, kind=zipfile.ZIP_DEFLATED):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", kind) as target:
        for name in names:
            target.writestr(name, bytes(range(256)) * 4)
    return content.getvalue()


@pytest.mark.parametrize("kind", KINDS)
def test_an_archive_with_changed_bytes_is_unpacked_or_refused(kind, tmp_path):
    whole = archive(["model/manifest.json", "model/deep/weights.safetensors"], KINDS[kind])
    random, place, file = np.random.default_rng(7), tmp_path / "unpacked", tmp_path / "model.zip"
    refused = set()
    for _ in range(60):
        content = bytearray(whole)
        for spot in random.integers(len(content), size=int(random.integers(1, 4))):
            content[spot] = random.integers(256)
        file.write_bytes(content)
        try:
            assert unpack(file, place).is_relative_to(place)
        except RequestError as error:
            refused.add(error.expected)
            assert not place.exists()
        shutil.rmtree(place, ignore_errors=True)
    assert "a zip archive" in refused


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["manifest.json", "a", "a/b"], "one of them twice"),  # a folder that is a file
        (["manifest.json", "a", "./a"], "one of them twice"),
        (["manifest.json", "x" * 300], "one that is too long"),
        (["manifest.json", "d/" * 60 + "e", "../x"], "a path that leads out of it"),
        (["manifest.json", "."], "one of them twice"),
    ],
)
def test_names_that_cannot_be_files_are_the_archive_s_fault(names, found, tmp_path):
    (tmp_path / "m.zip").write_bytes(archive(names))
    with pytest.raises(RequestError, match=found):
        unpack(tmp_path / "m.zip", tmp_path / "unpacked")
    assert not (tmp_path / "unpacked").exists()


def test_a_file_without_a_name_is_refused(tmp_path):
    content = archive(["manifest.json", "X"])
    (tmp_path / "m.zip").write_bytes(content.replace(b"X", b"\0"))  # a name ends at a NUL character
    with pytest.raises(RequestError, match="a zip archive"):
        unpack(tmp_path / "m.zip", tmp_path / "unpacked")
    assert not (tmp_path / "unpacked").exists()


def test_a_full_disk_is_not_the_archive_s_fault(tmp_path, monkeypatch):
    def full(*_arguments, **_options):
        raise OSError(28, "No space left on device")

    (tmp_path / "m.zip").write_bytes(archive(["manifest.json"]))
    monkeypatch.setattr(zipped.Path, "mkdir", full)
    with pytest.raises(IntertaskError, match="room for the files, found No space left on device"):
        unpack(tmp_path / "m.zip", tmp_path / "unpacked")
