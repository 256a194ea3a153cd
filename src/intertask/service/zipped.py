"""A zip archive of a model's folder, unpacked with limits; nothing that it says of itself is believed."""

import errno
import lzma
import shutil
import stat
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from intertask.errors import IntertaskError, RequestError

MOST_FILES = 1_000
MOST_BYTES = 16 << 30
_PART = 1 << 20
# What Python's reader raises for bytes that are no archive, or one that was changed.
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
# For bytes that bzip2 cannot read, and for a part that lies before the beginning of the archive.
_SOUGHT = (None, errno.EINVAL)
_NAMES = {
    errno.EEXIST: "one of them twice",
    errno.ENOTDIR: "one that is a folder and a file",
    errno.EISDIR: "one that is a folder and a file",
    errno.ENAMETOOLONG: "one that is too long",
}


def unpack(archive: Path, folder: Path) -> Path:
    """The folder of the model in an archive, unpacked below a folder that is new.

    Raises:
        RequestError: It is no archive of a folder, or a too large one; nothing is left.
        IntertaskError: The place cannot be written to.
    """
    try:
        folder.mkdir(parents=True)
        _extract(archive, folder)
        found = sorted(folder.rglob("manifest.json"), key=lambda file: len(file.parts))
        if not found:
            raise _refused("a model's folder with its manifest.json", "none")
        return found[0].parent
    except (RequestError, OSError, *_BROKEN) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise _told(error) from None


def _told(error: Exception) -> IntertaskError:
    """What is wrong: with the archive, or with the place."""
    if isinstance(error, RequestError):
        return error
    if isinstance(error, OSError) and error.errno in _NAMES:
        return _refused("names that files of one folder can have", _NAMES[error.errno])
    if isinstance(error, OSError) and error.errno not in _SOUGHT:
        return IntertaskError("model", "room for the files", error.strerror or str(error), "free some space")
    return _refused("a zip archive", type(error).__name__)


def _extract(archive: Path, folder: Path) -> None:
    left = MOST_BYTES
    with zipfile.ZipFile(archive) as content:
        entries = content.infolist()
        if len(entries) > MOST_FILES:
            raise _refused(f"at most {MOST_FILES:,} files", f"{len(entries):,}")
        for entry in entries:
            name = PurePosixPath(entry.filename.replace("\\", "/"))
            if name.is_absolute() or ".." in name.parts or ":" in entry.filename:
                raise _refused("files below one folder", "a path that leads out of it")
            if stat.S_ISLNK(entry.external_attr >> 16):
                raise _refused("files", "a link")
            place = folder.joinpath(*name.parts)
            if entry.is_dir():
                place.mkdir(parents=True, exist_ok=True)
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            with content.open(entry) as source, place.open("xb") as target:
                while part := source.read(_PART):
                    left -= len(part)
                    if left < 0:
                        raise _refused(f"at most {MOST_BYTES >> 30} GB unpacked", "more")
                    target.write(part)


def _refused(expected: str, found: str) -> RequestError:
    return RequestError("model", expected, found, "send a zip archive of the folder that a training wrote")
