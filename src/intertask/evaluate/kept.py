"""An evaluation in the folder of its run: evaluation.json, and targets.parquet beside it.

Each file is whole at any time. evaluation.json is replaced last and names the SHA-256 of the table, so that
one that was written beside another, because a process was killed between the two, is never read with it.
Older versions wrote two tables, which are read where evaluation.json is theirs.
"""

from contextlib import ExitStack
from pathlib import Path

import polars as pl

from intertask.errors import DataError
from intertask.evaluate import targets as tables
from intertask.evaluate.results import Evaluation
from intertask.storage.files import sha256, strange, written_aside

FILE = "evaluation.json"
_OLDER = (tables.RANKS, tables.ANSWERS)


def keep(found: Evaluation, folder: Path) -> Evaluation:
    """Write an evaluation, and what became of every target.

    Args:
        found: What it knows of its targets takes the place of what stands there.
        folder: Of the run; the caller has it for itself, and has refused files of others.

    Returns:
        The evaluation as it stands there.

    Raises:
        IntertaskError: The folder cannot be written to.
    """
    targets = found.targets
    if targets is None:
        found.write(folder / FILE)
        return found
    _name_digests(folder)
    with ExitStack() as stack:
        aside = stack.enter_context(written_aside(folder / FILE))  # the first one is put in place last
        table = stack.enter_context(written_aside(folder / tables.FILE))
        targets.write_parquet(table)
        told = found.model_copy(update={"digests": {tables.FILE: sha256(table)}}).with_targets(targets)
        aside.write_text(told.model_dump_json(indent=1), encoding="utf-8")
    for name in _OLDER:  # not before: an earlier evaluation may name them
        (folder / name).unlink(missing_ok=True)
    return told


def read(folder: Path) -> tuple[Evaluation, pl.DataFrame]:
    """The evaluation in the folder of a run, and what became of each target, both of one evaluation.

    Raises:
        DataError: There is none, or its table is not the one it names.
    """
    found = Evaluation.read(folder / FILE)
    refuse_torn(found, folder)
    if not any(name in _OLDER for name in found.digests) and (
        found.digests or not any((folder / name).exists() for name in _OLDER)
    ):
        return found, tables.read(folder / tables.FILE)
    return found, tables.read_older(folder, ranked=bool(found.rankings), answered=bool(found.responses))


def _name_digests(folder: Path) -> None:
    """Have the evaluation of an older version name the files beside it, before they are replaced."""
    try:
        old = Evaluation.read(folder / FILE)
    except DataError:  # none, or one that nobody could read with them either
        return
    digests = {name: sha256(folder / name) for name in _OLDER if (folder / name).is_file()}
    if digests and not old.digests:
        old.model_copy(update={"digests": digests}).write(folder / FILE)


def refuse_torn(found: Evaluation, folder: Path) -> None:
    """Refuse files that another evaluation has put beside this one.

    Raises:
        DataError: Names the first such file.
    """
    for name, digest in found.digests.items():
        file = folder / name
        if strange(file, "file") or not file.exists() or sha256(file) != digest:
            raise DataError(
                str(file),
                f"the file that {FILE} beside it names",
                "another one, or none",
                "was an evaluation killed? run `intertask evaluate` again",
            )


def is_whole(folder: Path) -> bool:
    """Whether a folder holds an evaluation with its files.

    Raises:
        DataError: The evaluation cannot be read.
    """
    if not (folder / FILE).is_file():
        return False
    found = Evaluation.read(folder / FILE)
    try:
        refuse_torn(found, folder)
    except DataError:
        return False
    return True
