"""What the benchmarks name exists: a study that takes hours must not stop at a misspelt key."""

import json
import runpy
import tomllib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from intertask.recipe import Recipe

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
DOCS = Path(__file__).parent.parent / "docs"
STUDIES = sorted(BENCHMARKS.glob("*.toml"))
DEFAULTS = sorted((BENCHMARKS / "defaults").glob("*.toml"))
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


@pytest.mark.parametrize("file", DEFAULTS, ids=[file.stem for file in DEFAULTS])
def test_the_recipe_of_a_default_says_what_is_asked_and_nothing_of_how(file):
    told = tomllib.loads(file.read_text("utf-8"))
    assert set(told) <= {"name", "data", "split", "evaluation", "tasks"} and len(Recipe.read(file).tasks) > 1
    assert not any("weight" in task for task in told["tasks"].values())


@pytest.mark.parametrize(
    "file", [*(BENCHMARKS.parent / "recipes").glob("*.toml"), *CLAIMS], ids=lambda file: file.stem
)
def test_a_published_figure_does_not_depend_on_the_default_warm_up(file):
    train = Recipe.read(file).train
    assert train.warmup_steps is not None or train.warmup_share is not None


def test_every_claim_has_its_program_and_recipe_and_the_grid_of_a_folder_comes_first(monkeypatch):
    folder = BENCHMARKS / "claims"
    monkeypatch.syspath_prepend(str(folder))
    claims = runpy.run_path(str(folder / "run_all.py"))["CLAIMS"]
    assert list(claims).index("grid-retailrocket") < list(claims).index("diversity")  # which trains none
    for claim in claims.values():
        recipes = [word for word in claim.words if word.endswith(".toml")]
        assert all((folder / name).is_file() for name in (claim.program, *recipes))


def test_noise_leaves_every_item_one_event(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS / "claims"))
    replaceable = runpy.run_path(str(BENCHMARKS / "claims" / "noise.py"))["replaceable"]
    items = np.array([0, 0, 1, 2, 2, 2, 3], dtype=np.int32)
    found = replaceable(items, np.array([6, 5, 1, 0, 4]))  # all of 0, all of 3, two of the three of 2
    assert len(found) == 3
    assert set(np.delete(items, found)) == {0, 1, 2, 3}


def test_the_permuted_control_keeps_rates_and_lets_no_asked_label_into_training(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(BENCHMARKS / "claims"))
    controls = runpy.run_path(str(BENCHMARKS / "claims" / "controls.py"))
    random = np.random.default_rng(1)
    log = pl.DataFrame(
        {"user": np.repeat(np.arange(40), 12), "item": random.integers(9, size=480), "time": np.arange(480)}
    ).with_columns(rating=pl.Series(random.integers(1, 6, size=480)))
    monkeypatch.setattr(controls["source"], "load", lambda data, beside: loaded(log))
    frame = pl.read_parquet(controls["write_log"](tmp_path))
    asked = frame.with_columns(asked=pl.int_range(pl.len()).over("user") >= 10)
    rates = asked.group_by("user", "asked").agg(pl.col("liked", "permuted").sum())
    assert (rates["liked"] == rates["permuted"]).all()
    assert (frame["liked"] != frame["permuted"]).any()


def loaded(frame):
    """What a data set loads, with these events."""
    return SimpleNamespace(events=SimpleNamespace(frame=frame))


def test_every_row_of_the_notes_on_claims_stands_in_a_result():
    told = (DOCS / "lab" / "claims.md").read_text(encoding="utf-8")
    results = "\n".join(file.read_text("utf-8") for file in (BENCHMARKS / "results" / "claims").glob("*.md"))
    sections = told.split("\n## ")
    measured = [section for section in sections if not section.startswith("Gated slots\n")]  # verdicts
    assert len(measured) == len(sections) - 1
    rows = [line for section in measured for line in section.splitlines() if line.startswith("|")]
    known = set(results.splitlines())
    assert len(rows) > 100 and [row for row in rows if row not in known] == []


@pytest.mark.parametrize("page", ["evidence/index.md", "lab/claims.md"])
def test_the_worst_task_of_the_verdicts_is_that_of_the_results(page):
    told = (DOCS / page).read_text(encoding="utf-8")
    logs = ("retailrocket", "online_retail", "movielens_1m", "jdata")
    found = {
        log: json.loads((BENCHMARKS / "results/claims" / f"grid-{log}.json").read_text()) for log in logs
    }
    parts = ("without", "gradient gate", "gated slots", "one by one")

    def worst(mechanism):
        return min(100 * c["by_seed"][0] / abs(c["alone"]) for c in mechanism["tasks"].values())

    (row,) = (line for line in told.splitlines() if line.startswith("| the same with the one seed"))
    for log, cell in zip(logs, row.split("|")[2:], strict=False):
        mechanisms = found[log]["mechanisms"]
        others = {name: worst(row) for name, row in mechanisms.items() if not name.startswith(parts)}
        best = max(others, key=others.get)
        assert best in cell and len(others) == 9
    (row,) = (line for line in told.splitlines() if line.startswith("| better on the worst task"))
    for log, cell in zip(logs, row.split("|")[2:], strict=False):
        rows = found[log]["mechanisms"]
        own = min(c["percent"] for c in rows["gated slots"]["tasks"].values())
        best = max(
            min(c["percent"] for c in row["tasks"].values())
            for name, row in rows.items()
            if row["seeds"] == 3 and not name.startswith(parts)
        )
        assert f"{own:+.1f} %" in cell and f"{best:+.1f} %" in cell


def test_the_gains_of_the_page_of_evidence_are_those_of_the_results():
    told = (DOCS / "evidence" / "index.md").read_text(encoding="utf-8")
    rarest = {
        "retailrocket": "transaction",
        "online_retail": "return",
        "movielens_1m": "dislike",
        "jdata": "order",
    }
    for log, task in rarest.items():
        found = json.loads((BENCHMARKS / "results/claims" / f"grid-{log}.json").read_text())
        assert f"{task} {found['mechanisms']['gated slots']['tasks'][task]['percent']:+.0f} %" in told
    for log in (*rarest, "tmall"):
        found = json.loads((BENCHMARKS / "results/claims" / f"grid-{log}.json").read_text())
        changes = found["mechanisms"]["gated slots"]["tasks"].values()
        assert all(change["p_value"] >= 0.05 or change["difference"] > 0 for change in changes)


def test_the_table_over_seeds_is_that_of_the_results():
    lines = runpy.run_path(str(BENCHMARKS / "tables.py"))["_seeds"](
        sorted((BENCHMARKS / "results").glob("*.json"))
    )
    made = [line for line in "\n".join(lines).splitlines() if line.startswith("|")]
    page = (DOCS / "evidence" / "results" / "index.md").read_text(encoding="utf-8")
    assert [line for line in page.splitlines() if line.startswith("|")] == made and len(made) > 5
