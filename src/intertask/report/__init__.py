"""A run as one HTML page that a person can read, print and pass on, with its plots as PNGs beside it."""

from collections.abc import Sequence
from pathlib import Path

from intertask.errors import IntertaskError
from intertask.evaluate.gains import Transfer
from intertask.evaluate.results import Evaluation
from intertask.report import journal, study_page
from intertask.report.canvas import Plot, is_plot
from intertask.report.drawings import drawings
from intertask.report.page import page
from intertask.report.samples import Sample
from intertask.storage.files import strange, written_aside
from intertask.storage.ours import refuse_foreign

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
    refuse_place(run)
    _write_plots(run / "plots", drawn.all())
    with written_aside(run / "report.html") as aside:
        aside.write_text(text, encoding="utf-8")
    return run / "report.html"


def refuse_place(run: Path) -> None:
    """Refuse a run folder in which a report would take the place of something else; changes nothing.

    Raises:
        IntertaskError: Names it.
    """
    refuse_foreign([run / "report.html"])
    wrong = strange(run / "plots", "folder")
    if wrong:
        raise IntertaskError(
            str(run / "plots"),
            "the plots of an earlier report, or nothing yet",
            wrong,
            "move it elsewhere; nothing was changed",
        )


def _write_plots(folder: Path, plots: Sequence[Plot]) -> None:
    """Write the plots, and delete those of an earlier report that this one lacks; others' files stay."""
    for plot in plots:
        with written_aside(folder / f"{plot.name}.png") as aside:
            aside.write_bytes(plot.png)
    names = {f"{plot.name}.png" for plot in plots}
    for file in sorted(folder.glob("*.png")) if plots else []:
        if file.name not in names and not strange(file, "file") and is_plot(file):
            file.unlink()


def write_transfer(folder: Path, found: Transfer) -> Path:
    """Write `transfer.html` into the folder of a study; it needs no other file.

    Raises:
        IntertaskError: The folder cannot be written to, or holds such a file of something else.
    """
    refuse_foreign([folder / "transfer.html"])
    with written_aside(folder / "transfer.html") as aside:
        aside.write_text(study_page.page(found), encoding="utf-8")
    return folder / "transfer.html"
