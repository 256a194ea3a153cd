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


def test_every_claim_has_its_program_and_recipe_and_comes_behind_what_it_reads(monkeypatch):
    folder = BENCHMARKS / "claims"
    monkeypatch.syspath_prepend(str(folder))
    claims = runpy.run_path(str(folder / "run.py"))["CLAIMS"]
    for place, claim in enumerate(claims.values()):
        recipes = [word for word in claim.words if word.endswith(".toml")]
        assert all((folder / name).is_file() for name in (claim.program, *recipes))
        assert claim.after is None or claim.after in list(claims)[:place]
