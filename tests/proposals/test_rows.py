"""The first recipe for a table follows from how many rows there are."""

import tomllib
from pathlib import Path

import pytest

from intertask.data.guesses import look
from intertask.proposals.rows import first_rows_recipe
from intertask.recipe import Recipe
from tests.samples.clinic import patients


@pytest.mark.parametrize(
    ("count", "layers", "encoder", "tokens"),
    [(200, 0, "attention", None), (5_000, 2, "none", None), (20_000, 2, "none", 256 * 5)],
)
def test_many_rows_go_through_layers_and_few_are_compared(
    count: int, layers: int, encoder: str, tokens: int | None, tmp_path: Path
) -> None:
    patients(count).drop("days").write_csv(tmp_path / "patients.csv")
    text, rows = first_rows_recipe(tmp_path / "recipe.toml", look(tmp_path / "patients.csv"), ["ill"])
    recipe = Recipe.model_validate(tomllib.loads(text))
    assert len(rows) == count and recipe.encoder.kind == encoder
    assert getattr(recipe.input, "num_layers") == layers  # noqa: B009
    assert recipe.train.batch_tokens == tokens
