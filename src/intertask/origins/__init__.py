"""Where the data of one stream of a run come from, and the model that comes of them. One file a kind of data.

A run knows the folders, and no kind of data.
"""

from pathlib import Path
from typing import ClassVar, Protocol

from intertask.data.seam import Corpus, Split
from intertask.fitting.fitted import Fitted
from intertask.recipe import Recipe
from intertask.storage.files import Contents


class Origin(Protocol):
    """The data of one stream.

    Args:
        recipe: Of the stream, as if it stood alone.
        beside: The recipe's folder, at which relative paths start; the data are read from there.

    Attributes:
        contents: What a folder of prepared data holds.

    Raises:
        RecipeError: The recipe names no data of this kind.
        DataError: They cannot be had, or cannot be used.
    """

    contents: ClassVar[Contents]

    def __init__(self, recipe: Recipe, beside: Path) -> None: ...

    @staticmethod
    def open(folder: Path) -> Corpus:
        """The prepared data in a folder."""
        ...

    def prepare(self, folder: Path | None = None) -> Corpus:
        """The prepared data, written into a folder if one is given.

        Raises:
            DataError: They cannot be trained on.
        """
        ...

    def account(self, folder: Path) -> None:
        """Say what was refused of the data, keep that in the run's folder, and let go of what was read."""
        ...

    def save(self, fitted: Fitted[Corpus, Split], folder: Path) -> None:
        """Write what was trained on the prepared data as a model's folder."""
        ...
