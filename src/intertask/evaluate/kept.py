"""An evaluation in the folder of its run: evaluation.json, and ranks and answers.parquet beside it.

Each file is whole at any time. evaluation.json is replaced last and names the SHA-256 of the others, so that
one that was written beside others, because a process was killed between two files, is never read with them.
"""

from contextlib import ExitStack
from pathlib import Path

from intertask.errors import DataError
from intertask.evaluate.results import Evaluation
from intertask.files import sha256, strange, written_aside

FILE = "evaluation.json"
RANKS, ANSWERS = "ranks.parquet", "answers.parquet"


def keep(found: Evaluation, folder: Path) -> Evaluation:
    """Write an evaluation, and how every target was ranked and answered.

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
        digests = {}
        for name, frame in ((RANKS, targets.ranks), (ANSWERS, targets.answers)):
            if frame is not None:
                table = stack.enter_context(written_aside(folder / name))
                frame.write_parquet(table)
                digests[name] = sha256(table)
            else:  # of an earlier evaluation, with other tasks perhaps
                stack.callback((folder / name).unlink, missing_ok=True)
        told = found.model_copy(update={"digests": digests}).with_targets(targets)
        aside.write_text(told.model_dump_json(indent=1), encoding="utf-8")
    return told


def _name_digests(folder: Path) -> None:
    """Have the evaluation of an older version name the files beside it, before they are replaced."""
    try:
        old = Evaluation.read(folder / FILE)
    except DataError:  # none, or one that nobody could read with them either
        return
    digests = {name: sha256(folder / name) for name in (RANKS, ANSWERS) if (folder / name).is_file()}
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
