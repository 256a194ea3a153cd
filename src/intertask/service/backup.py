"""Backups: one consistent copy of the databases while everything goes on, and the models beside it.

Models are only ever added, and are copied after the databases: whatever a database names is in the backup.
"""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import apsw

from intertask.errors import IntertaskError, RequestError
from intertask.service.sqlite import BESIDE, SQLite
from intertask.storage.files import sha256
from intertask.storage.locks import take
from intertask.storage.untrusted import read_json

STORE, MANIFEST = "store.sqlite", "backup.json"
LOCK = "service.lock"
_MOST_BYTES = 64 << 20  # of a manifest
_PARTS = ((STORE, "main"), (BESIDE, "beside"))


def back_up(folder: Path, target: Path) -> int:
    """Copy a service's folder to a new one; the number of files. The service may run meanwhile.

    Raises:
        RequestError: There is no service's database, or something stands at the target.
        IntertaskError: The place cannot be written to.
    """
    if not (folder / STORE).is_file():
        raise RequestError(
            str(folder),
            "the folder of a service with SQLite",
            "none",
            "with PostgreSQL use pg_dump, and copy models/",
        )
    if target.exists():
        raise RequestError(str(target), "a new folder", "something there", "choose another name")
    aside = target.with_name(f".{target.name}.part-{os.getpid()}")
    try:
        aside.mkdir(parents=True)
        _copy_databases(folder, aside)
        if (folder / "models").is_dir():
            for one in sorted((folder / "models").iterdir()):
                if len(one.name.partition(".")[0]) == 64:  # not what is being added just now
                    (shutil.copytree if one.is_dir() else _copied)(one, aside / "models" / one.name)
        files = {str(file.relative_to(aside)): sha256(file) for file in _files(aside)}
        (aside / MANIFEST).write_text(json.dumps({"files": files}, indent=1), encoding="utf-8")
        for file in _files(aside):
            _sync(file)
        aside.rename(target)
        _sync(target.parent)
    except (OSError, apsw.Error) as error:
        shutil.rmtree(aside, ignore_errors=True)
        raise IntertaskError(
            str(target), "a backup that can be written", str(error), "free some space"
        ) from error
    return len(files)


def restore(source: Path, folder: Path) -> int:
    """Put a backup into a new folder of a service; the number of files.

    Raises:
        RequestError: It is no backup, or not as it was written, or the folder holds something.
        IntertaskError: The place cannot be written to.
    """
    table = read_json(source / MANIFEST, _MOST_BYTES) if (source / MANIFEST).is_file() else None
    files = table.get("files") if isinstance(table, dict) else None
    if not isinstance(files, dict) or STORE not in files:
        found = "another one" if source.exists() else "none"
        raise RequestError(str(source), "a folder that a backup wrote", found)
    if folder.exists() and any(folder.iterdir()):
        raise RequestError(
            str(folder), "a new or empty folder", "one with something in it", "choose another --data"
        )
    for name, digest in files.items():
        file = source / name
        if Path(name).is_absolute() or ".." in Path(name).parts or not file.is_file():
            raise RequestError(str(source), f"the file {name}", "none", "take another backup")
        if sha256(file) != digest:
            raise RequestError(
                str(file), "the file as it was written", "an altered one", "take another backup"
            )
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = take(folder / LOCK, "serve")
        if lock is None:
            raise RequestError(str(folder), "a folder that nobody works in", "one that somebody does")
        for name in files:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, folder / name)
            _sync(folder / name)
        lock.release()
    except OSError as error:
        raise IntertaskError(str(folder), "room for the files", error.strerror or str(error)) from error
    return len(files)


def _copy_databases(folder: Path, aside: Path) -> None:
    """Each database as of one moment; those who write wait for nothing."""
    connection = SQLite(folder / STORE).reading()
    try:
        for name, schema in _PARTS:
            connection.copy(schema, aside / name)
    finally:
        connection.close()


def _copied(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in sorted(folder.rglob("*")) if file.is_file())


def _sync(file: Path) -> None:
    handle = os.open(file, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
