"""What the benchmarks name exists: a study that takes hours must not stop at a misspelt key."""

import runpy
from pathlib import Path

import pytest

from intertask.recipe import Recipe

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
STUDIES = sorted(BENCHMARKS.glob("*.toml"))
CLAIMS = sorted((BENCHMARKS / "claims").glob("*.toml"))


@pytest.mark.parametrize("file", STUDIES, ids=[file.stem for file in STUDIES])
def test_every_variant_of_a_study_is_a_recipe_of_its_own(file):
    tables = runpy.run_path(str(BENCHMARKS / "variants.py"))["recipes"](file)
    recipes = [recipe for variants in tables.values() for recipe in variants.values()]
    told = {recipe.model_copy(update={"name": ""}).to_json() for recipe in recipes}
    assert len(recipes) == len(told) > 1


@pytest.mark.parametrize("file", CLAIMS, ids=[file.stem for file in CLAIMS])
def test_the_recipe_of_a_claim_has_several_tasks(file):
    assert len(Recipe.read(file).all_tasks()) > 1
