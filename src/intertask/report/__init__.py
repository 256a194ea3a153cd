"""A run as one HTML page that a person can read, print and pass on, with its plots as PNGs beside it."""

from collections.abc import Sequence
from pathlib import Path

from intertask.evaluate.results import Evaluation
from intertask.evaluate.transfer import Transfer
from intertask.files import refuse_foreign, written_aside
from intertask.report import journal, transfer
from intertask.report.drawings import drawings
from intertask.report.page import page
from intertask.report.samples import Sample

__all__ = ["Sample", "write", "write_transfer"]


def write(run: Path, samples: Sequence[Sample] = ()) -> Path:
    """Write `report.html` into a run folder, and the PNGs into `plots` beside it.

    The page needs no other file. Without matplotlib it holds tables only, and says how to get plots.

    Args:
        run: Folder with `evaluation.json` and, where there are any, `journal.jsonl` and `recipe.toml`.
        samples: Users to show with what they would be served.

    Returns:
        The path of the page.

    Raises:
        DataError: The folder holds no evaluation.
        IntertaskError: The folder cannot be written to.
    """
    evaluation = Evaluation.read(run / "evaluation.json")
    history = journal.read(run / "journal.jsonl")
    recipe = run / "recipe.toml"
    words = recipe.read_text(encoding="utf-8", errors="replace") if recipe.is_file() else ""
    drawn = drawings(evaluation, history)
    text = page(evaluation, history, words, samples, drawn)
    if drawn.all():
        refuse_foreign(run / "plots", ["*.png"], "the plots of an earlier report")
        with written_aside(run / "plots") as aside:
            aside.mkdir()
            for plot in drawn.all():
                (aside / f"{plot.name}.png").write_bytes(plot.png)
    with written_aside(run / "report.html") as aside:
        aside.write_text(text, encoding="utf-8")
    return run / "report.html"


def write_transfer(folder: Path, found: Transfer) -> Path:
    """Write `transfer.html` into the folder of a study; it needs no other file.

    Raises:
        IntertaskError: The folder cannot be written to.
    """
    with written_aside(folder / "transfer.html") as aside:
        aside.write_text(transfer.page(found), encoding="utf-8")
    return folder / "transfer.html"
