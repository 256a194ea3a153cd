"""What the two doors of the library have in common: a recipe, which may stand in a file, and a card."""

from pathlib import Path
from typing import Self

from intertask.options import arguments
from intertask.recipe import Recipe
from intertask.terminal.markup import card


class Door:
    """Something to train and to ask that opens on a recipe.

    Args:
        recipe: What it is made of.
    """

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe

    @classmethod
    def from_recipe(cls, file: str | Path) -> Self:
        """One with the recipe in a file, not trained yet.

        Raises:
            RecipeError: The first thing that is wrong with the file.
        """
        return cls(Recipe.read(arguments.path(file, "from_recipe", "a recipe")))

    def _facts(self) -> list[tuple[str, str]] | None:
        """What a notebook shows of a trained one; None before it is trained."""
        raise NotImplementedError  # each kind of model has facts of its own

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        tasks = ", ".join(f"{name} ({task.kind})" for name, task in self.recipe.tasks.items())
        parts = [("encoder", self.recipe.encoder.kind), ("width", str(self.recipe.width)), ("tasks", tasks)]
        facts = self._facts()
        facts = [("state", "not trained: call fit() or load()")] if facts is None else facts
        return card(f"{type(self).__name__} {self.recipe.name}", [*parts, *facts])
