"""The folder of a predictor: beside recipe and weights what its training rows have said, and no row.

schema.json  the kind of data
facts.json   words, means and quantiles of the columns; classes, or mean and spread, of each task
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from intertask.artefact.folder import FACTS, Folder
from intertask.errors import ArtefactError
from intertask.options.config import Config
from intertask.recipe import Recipe
from intertask.samples.facts import Facts
from intertask.storage.untrusted import json_of, read_bytes

BYTES = 256 << 20  # of facts.json; a million words of 40 columns


class Schema(Config):
    """What the other files mean."""

    kind: Literal["rows"] = "rows"


@dataclass(frozen=True)
class RowsArtefact:
    """Everything that answers a request to a predictor.

    Args:
        recipe: As it was trained.
        weights: Name -> array.
        facts: What the training rows have said.
    """

    needed: ClassVar[tuple[str, ...]] = (FACTS,)

    recipe: Recipe
    weights: Mapping[str, NDArray[np.generic]]
    facts: Facts

    def write(self, folder: Path) -> None:
        """Write what a predictor keeps beside recipe and weights."""
        (folder / "schema.json").write_text(Schema().model_dump_json(indent=1), encoding="utf-8")
        text = json.dumps(self.facts.table(), ensure_ascii=False, allow_nan=False)
        (folder / FACTS).write_text(text, encoding="utf-8")

    @classmethod
    def read(cls, folder: Folder) -> "RowsArtefact":
        """All of it.

        Raises:
            IntertaskError: Names the first file that is not as it must be.
        """
        recipe = folder.recipe
        if not recipe.reads_rows:
            raise ArtefactError(
                str(folder.folder / "recipe.json"), "a recipe of rows of a table", "one of a log"
            )
        folder.schema(Schema)
        file = folder.file(FACTS, BYTES)
        table = json_of(read_bytes(file, BYTES), str(file))
        if not isinstance(table, dict):
            raise ArtefactError(str(file), "a table of facts", type(table).__name__)
        try:
            facts = Facts.of(recipe, table)
        except ValueError as error:
            raise ArtefactError(str(file), "the facts of the recipe's model", _first(error)) from None
        return cls(recipe, folder.weights(facts.dimensions(recipe)), facts)


def _first(error: ValueError) -> str:
    """The first thing that is wrong, on one line."""
    told = getattr(error, "errors", None)
    if callable(told):
        first = told()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return str(error)
