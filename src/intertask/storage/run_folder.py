"""The folder of a run: one process at a time works in it, and nothing of anybody else's is ever touched.

A folder is a run's if it holds the lock of one, or the complete recipe that older versions left alone. In any
other folder the names that a run writes have to be free; in a run, what stands there has to be a run's.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from intertask.errors import IntertaskError
from intertask.storage.files import refuse_unnamable, strange, unwritable
from intertask.storage.locks import Lock, holder, take
from intertask.storage.ours import foreign
from intertask.storage.scratch import tidy

LOCK = "run.lock"
Names = Mapping[str, Literal["file", "folder"]]
FITTED: Names = {"recipe.json": "file", "journal.jsonl": "file", "checkpoints": "folder"}
EVALUATED: Names = {
    "evaluation.json": "file",
    "targets.parquet": "file",
    "ranks.parquet": "file",  # older versions wrote this and the next; a new evaluation takes them away
    "answers.parquet": "file",
    "report.html": "file",
    "plots": "folder",
}
WRITTEN: Names = {
    **FITTED,
    "recipe.toml": "file",
    "refused.parquet": "file",
    "corpus": "folder",
    "model": "folder",
    "evaluated": "folder",
    "refit": "folder",
    "streams": "folder",
    **EVALUATED,
}
_RECIPE_KEYS = {"encoder", "tasks", "train", "evaluation"}


@contextmanager
def working_on(folder: Path, work: str, names: Names, own: Sequence[str] = ()) -> Iterator[None]:
    """Have the folder of a run for this process alone, while the block runs.

    A folder that is made for it goes again where the block has failed and left nothing in it.

    Args:
        folder: Made where it is missing.
        work: What is done there, for others who want the folder.
        names: What is written there.
        own: Those of them that may stand there already, whatever the folder is.

    Raises:
        IntertaskError: Another process works there; the folder holds something of somebody else under a
            name that a run writes; or it cannot be written to.
    """
    refuse_others(folder, names, own)
    made = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = take(folder / LOCK, work)
    except FileExistsError as error:
        if strange(folder, "folder") == "a file":
            raise unwritable(folder, error) from error
        raise _foreign_lock(folder, "a file of something else") from error
    except OSError as error:
        drop_empty(made)
        raise unwritable(folder, error) from error
    if lock is None:
        raise _busy(folder)
    try:
        for place in (folder, folder / "checkpoints", folder / "refit", folder / "refit" / "checkpoints"):
            tidy(place)
        yield
    except BaseException:
        _leave(folder, lock, made)
        raise
    else:
        lock.release()


def refuse_others(folder: Path, names: Names, own: Sequence[str] = ()) -> None:
    """Refuse a folder in which a run would touch what is not a run's; changes nothing.

    Raises:
        IntertaskError: Names the first such thing.
    """
    if folder.exists() and folder.resolve() in (Path(folder.resolve().anchor), Path("~").expanduser()):
        raise IntertaskError(
            str(folder),
            "a folder for the run alone",
            "the root or the home folder",
            "choose another folder; nothing was changed",
        )
    refuse_unnamable(folder)
    lock = strange(folder / LOCK, "file")
    if lock:
        raise _foreign_lock(folder, lock)
    wrong = {name: strange(folder / name, kind) for name, kind in names.items()}
    known = any(wrong.values()) or is_run(folder)
    for name, kind in names.items():
        found = wrong[name]
        if not found and name not in own and (folder / name).exists():
            if not known:
                found = f"a {kind} in a folder that is no run"
            elif kind == "file":
                found = foreign(folder / name)
        if found:
            raise IntertaskError(
                str(folder / name),
                f"a {kind} of this run, or nothing yet",
                found,
                "choose another folder for the run; nothing was changed",
            )


def refuse_locked(folder: Path) -> None:
    """Refuse a folder in which another process works; changes nothing.

    Raises:
        IntertaskError: Says which.
    """
    with suppress(OSError):  # no lock, or none that this process may have: then it writes nothing either
        lock = take(folder / LOCK, None)
        if lock is None:
            raise _busy(folder)
        lock.release(forget=False)


def is_run(folder: Path) -> bool:
    """Whether a folder is a run's without doubt."""
    with suppress(OSError):
        holder(folder / LOCK)  # refuses the file of somebody else
        if (folder / LOCK).stat().st_size:
            return True
    recipe = _json(folder / "recipe.json")
    if recipe.keys() >= _RECIPE_KEYS and not (folder / "manifest.json").exists():  # which a model has
        return True
    # The folder of a stream, or a run that was put together by hand.
    trained = _json(folder / "model" / "manifest.json").get("intertask") == "model"
    return trained and (folder / "corpus" / "behaviours.json").is_file()


def _json(file: Path) -> dict[str, object]:
    with suppress(OSError, ValueError, RecursionError):
        if file.is_file() and not file.is_symlink():
            found = json.loads(file.read_text(encoding="utf-8"))
            return found if isinstance(found, dict) else {}
    return {}


def drop_empty(made: Iterable[Path]) -> None:
    """Delete the folders that were made for a run that was refused, as far as they are empty."""
    for folder in sorted(made, key=lambda place: -len(place.parts)):
        with suppress(OSError):  # something is in it
            folder.rmdir()


def _leave(folder: Path, lock: Lock, made: Sequence[Path]) -> None:
    if lock.made and [entry.name for entry in folder.iterdir()] == [LOCK]:
        lock.delete()
        drop_empty(made)
    else:
        lock.release()


def _foreign_lock(folder: Path, found: str) -> IntertaskError:
    return IntertaskError(
        str(folder / LOCK), "the lock of a run", found, "choose another folder; nothing was changed"
    )


def _busy(folder: Path) -> IntertaskError:
    return IntertaskError(
        str(folder),
        "a run that no other process works on",
        str(holder(folder / LOCK)),
        "wait for it, stop it, or choose another folder; nothing was changed",
    )
