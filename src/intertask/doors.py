"""The door that fits a model folder: a recommender, or a predictor of rows."""

from pathlib import Path

from intertask import artefact
from intertask.options import arguments
from intertask.predictor import Predictor
from intertask.recommender import Recommender


def load(folder: str | Path) -> Recommender | Predictor:
    """A trained model, whatever kind it is.

    Args:
        folder: The folder of the model, or of the run that trained it.

    Returns:
        A `Recommender` of what was trained on a log, a `Predictor` of what was trained on rows of a table.

    Raises:
        ArtefactError: Names the first file that is not as it was written.
    """
    place = arguments.path(folder, "load")
    return Predictor.load(place) if is_of_rows(place) else Recommender.load(place)


def is_of_rows(folder: Path) -> bool:
    """Whether the folder of a model or of a run holds a predictor; one that cannot be read holds none."""
    return artefact.is_of_rows(artefact.find(folder) or folder)
