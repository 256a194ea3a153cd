"""Recipes that come as text: read, and refused where the store does not keep what they ask for."""

import tempfile
from pathlib import Path

from intertask.errors import IntertaskError, RequestError
from intertask.recipe import Recipe
from intertask.service.refusals import RefusedError

LABEL = "value"  # the one number that the store keeps of an event


def read(file: Path) -> Recipe:
    """The recipe of a file.

    Raises:
        IntertaskError: It cannot be read, or asks for what the store does not keep.
    """
    recipe = Recipe.read(file)
    if recipe.reads_rows:
        raise RequestError("recipe", "a recipe of a log", "one of rows of a table")
    if strange := [label for label in labels(recipe) if label != LABEL]:
        raise RequestError(
            "recipe tasks",
            f"tasks of items, or of the label {LABEL!r}",
            f"the label {strange[0]!r}",
            "the store keeps one number of an event, its value",
        )
    return recipe


def labels(recipe: Recipe) -> list[str]:
    """The labels that its tasks ask for, in order."""
    return sorted({str(label) for task in recipe.tasks.values() if (label := getattr(task, "label", None))})


def refuse(text: str) -> None:
    """Refuse what cannot become a job.

    Raises:
        RefusedError: It is no recipe, or one that asks for what the store does not keep.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "recipe"
        file.write_text(text, encoding="utf-8")
        try:
            read(file)
        except IntertaskError as error:
            where = error.where.replace(str(file), "recipe")
            raise RefusedError(where, error.expected, error.found, error.hint) from None
