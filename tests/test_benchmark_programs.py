"""Every program below benchmarks/ runs to its end on a log of a few hundred events."""

import json
import os
import re
import runpy
import subprocess
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from intertask import Predictor, Recipe
from intertask.datasets.synthetic import Config as Synthetic
from intertask.recipe import source
from intertask.samples.corpus import RowCorpus
from tests import shop
from tests.samples.reviews import reviews, tagged

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
PROGRAMS = sorted(file for file in BENCHMARKS.rglob("*.py") if "__main__" in file.read_text("utf-8"))
PEERS = ("lightning", "pyarrow", "pandas", "pytorch_lightning", "recbole", "rectools", "replay")
TOML = (
    shop.TOML.replace("epochs = 2", "epochs = 1")
    .replace("k = [3, 5]", "k = [10]")
    .replace('["masked", "kept"]', '["kept"]')
)


class Program:
    """Runs a program of benchmarks/ inside the tests' own process; modules beside it can be imported."""

    def __init__(self, monkeypatch, capsys):
        self.monkeypatch, self.capsys = monkeypatch, capsys

    def __call__(self, name, *words):
        file = BENCHMARKS / name
        self.monkeypatch.setattr(sys, "argv", [str(file), *map(str, words)])
        self.monkeypatch.setattr(sys, "path", [str(file.parent), *sys.path])
        self.monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
        self.capsys.readouterr()
        before = set(sys.modules)
        try:
            runpy.run_path(str(file), run_name="__main__")
        finally:
            for module in set(sys.modules) - before:
                if "." not in module and (file.parent / f"{module}.py").exists():
                    del sys.modules[module]  # each program has modules of its own beside it
        return self.capsys.readouterr().out


@pytest.fixture
def program(monkeypatch, capsys):
    return Program(monkeypatch, capsys)


@pytest.fixture
def recipe(tmp_path):
    return shop.write_files(tmp_path, TOML)


@pytest.fixture
def finished(recipe, program):
    """A run of the shop, trained and evaluated by seeds.py, and the folder of its results."""
    folder = recipe.parent
    out = program("seeds.py", recipe, "--runs", folder / "runs", "--results", folder / "results")
    assert "1 seeds" in out
    return folder / "runs" / "recipe-1", folder / "results"


class _Anything(type):
    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return _Stub


class _Stub(metaclass=_Anything):
    """Stands for any class, function or object of a library that is not installed."""


class _Foreign(MetaPathFinder, Loader):
    """Finds every module of the peers' libraries, with whatever is asked of it."""

    def find_spec(self, fullname, path=None, target=None):
        return ModuleSpec(fullname, self, is_package=True) if fullname.split(".")[0] in PEERS else None

    def create_module(self, spec):
        module = ModuleType(spec.name)
        module.__getattr__ = lambda name: _Stub
        module.__path__ = []
        return module

    def exec_module(self, module):
        pass


@pytest.fixture
def foreign(monkeypatch):
    monkeypatch.setattr(sys, "meta_path", [_Foreign(), *sys.meta_path])
    kept = {name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] in PEERS}
    yield
    for name in [name for name in sys.modules if name.split(".")[0] in PEERS]:
        del sys.modules[name]
    sys.modules.update(kept)


@pytest.mark.parametrize("file", PROGRAMS, ids=[str(file.relative_to(BENCHMARKS)) for file in PROGRAMS])
def test_a_program_says_how_it_is_called(file, program, foreign, capsys):
    if "argparse" not in file.read_text("utf-8") and not file.name.startswith("run_"):
        assert f"python benchmarks/{file.relative_to(BENCHMARKS)}" in file.read_text("utf-8")
        return
    with pytest.raises(SystemExit) as ended:
        program(file.relative_to(BENCHMARKS), "--help")
    assert not ended.value.code and "usage:" in capsys.readouterr().out


def test_both_models_of_a_run_are_asked_for_what_came_later(program, recipe, tmp_path):
    out = tmp_path / "refit.json"
    program("refit.py", recipe, "--share", 0.7, "--set", "train.refit=true", "--out", out)
    found = {one["task"]: one for one in json.loads(out.read_text("utf-8"))["tasks"]}
    assert set(found) == {"next", "buys", "liked"}
    assert found["next"]["questions"] > found["buys"]["questions"] > 0
    for one in found.values():
        assert one["difference"] == pytest.approx(one["refitted"] - one["measured"], abs=2e-4)
        assert one["interval"][0] <= one["difference"] <= one["interval"][1]


def test_weights_by_hand_stand_beside_the_default(program, recipe):
    words = ["--weights", 1, "--part", "test"]
    out = program("weights.py", recipe, "liked", recipe.parent, *words)  # paths start there
    rows = [line.split(" | ") for line in out.splitlines() if line.startswith("| ")]
    assert rows[0][1:4] == ["next", "buys", "liked"] and [row[0] for row in rows[1:]] == ["| 1"]
    *tasks, mean = map(float, rows[1][1:5])
    assert mean == pytest.approx(np.prod(tasks) ** (1 / 3), rel=0.01) and rows[1][5] == "+0.0 % |"


def test_a_model_to_be_served(program, tmp_path):
    from intertask import Recommender

    program("service/large.py", tmp_path / "model", "--items", 30, "--users", 4)
    assert Recommender.load(tmp_path / "model").recommend(users=["u1"], k=3).height == 3


def test_figures_of_the_service(program, tmp_path):
    out = tmp_path / "figures.json"
    words = ["--only", "alarms", "--minutes", 1, "--out", out, "--work", tmp_path / "work"]
    found = []
    for _ in range(2):
        with pytest.raises(SystemExit) as ended:
            program("service/all.py", *words)
        assert not ended.value.code
        found.append(json.loads(out.read_text("utf-8")))
        out.write_text(json.dumps({"alarms": found[-1]["alarms"] | {"mark": "kept"}}), "utf-8")
    assert found[0]["alarms"]["met"] and found[0]["alarms"]["experiments"] == 250
    assert found[1]["alarms"]["mark"] == "kept"  # what stands in the file is not measured again


def test_epoch(recipe, program):
    assert re.search(r"targets in \d+ steps", program("epoch.py", recipe, "--threads", "1"))


def test_what_evaluated_runs_give(finished, program):
    run, results = finished
    recipe = run.parent.parent / "recipe.toml"
    body = recipe.read_text("utf-8")
    found = json.loads((results / "recipe.json").read_text("utf-8"))
    assert found["seeds"][0]["seed"] == 1 and "popularity" in found["baselines"]
    program("headers.py", recipe, run)
    assert recipe.read_text("utf-8").startswith("# Date ") and recipe.read_text("utf-8").endswith(body)
    assert "| popularity |" in program("tables.py", run)


def test_variants(recipe, program):
    study = recipe.parent / "study.toml"
    study.write_text(
        'base = "recipe.toml"\npart = "validation"\ntask = "next"\nhistory = "kept"\nseeds = [1]\n'
        '[variants]\n"as it is" = {}\nnarrow = { width = 4 }\n',
        encoding="utf-8",
    )
    assert "| narrow | " in program("variants.py", study, recipe.parent)


def test_latency_in_a_process_of_its_own():
    words = ["--items", "40", "--requests", "8"]
    done = subprocess.run(
        [sys.executable, BENCHMARKS / "latency.py", *words],
        env=os.environ | {"POLARS_MAX_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert [line["length"] for line in lines] == [50, 200]


def test_memory(tmp_path, program):
    steps = program("memory.py", tmp_path / "memory", "--events", "4000").splitlines()
    assert [json.loads(line)["step"] for line in steps] == [
        "made",
        "prepared",
        "trained, one epoch",
        "evaluated",
    ]


def test_scaling(tmp_path, program, monkeypatch):
    names = runpy.run_path(str(BENCHMARKS / "scaling.py"))
    found = names["measure"](tmp_path, 40, 4000, 2)
    assert [line["step"] for line in found] == ["prepare", "train, shared_pool", "train, full_softmax"]
    sizes = ({"grows": "items", "size": 40}, {"grows": "events", "size": 4000})
    names["draw"]([size | line for size in sizes for line in found], tmp_path / "drawn.svg")
    assert "<svg" in (tmp_path / "drawn.svg").read_text("utf-8")


def test_the_claims_that_take_a_recipe(recipe, program):
    one, out = ["--seeds", "1"], recipe.parent / "runs"
    assert "| gated slots | 1 |" in program(
        "claims/grid.py", recipe, out, *one, "--mechanisms", "none", "gated slots"
    )
    assert "| buys |" in program("claims/two_by_two.py", recipe, out, *one)
    assert "| next | 20% |" in program("claims/noise.py", recipe, out, *one, "--shares", "0", "0.2")
    assert "| 50%, " in program(
        "claims/sparse.py", recipe, out, *one, "--task", "buys", "--shares", "0.5", "1"
    )
    assert "| next | together |" in program("claims/diversity.py", out)
    assert "| shared bottom | " in program("claims/cost.py", recipe, "--rounds", "1", "--threads", "1")


def test_the_claims_about_films(tmp_path, program, monkeypatch):
    world = Synthetic(users=40, items=20, length=10).load(tmp_path)
    tags = SimpleNamespace(to_list=lambda: [["Action"] if item % 2 else [] for item in range(20)])
    rated = world.events.frame.with_columns(rating=world.events.frame["liked"] * 4)
    films = SimpleNamespace(
        events=SimpleNamespace(frame=rated), catalogue=SimpleNamespace(tags_of=lambda ids: tags)
    )
    true_load = source.load

    def load(data, beside):
        if data.dataset is None:
            return true_load(data, beside)
        films.events = world.events if data.dataset.kind == "movielens_1m" else SimpleNamespace(frame=rated)
        return films

    monkeypatch.setattr(source, "load", load)
    controls = program(
        "claims/controls.py", tmp_path / "controls", "--seeds", "1", "--mechanisms", "shared bottom"
    )
    assert "| noise | shared bottom |" in controls
    assert "| thrill | " in program("claims/domains.py", tmp_path / "domains", "--seeds", "1")


def test_the_driver_of_the_peers_measures_training_evaluation_and_a_course(tmp_path, program):
    words = [
        "--out",
        tmp_path,
        "--data",
        "tiny",
        "--peers",
        "intertask",
        "--threads",
        "1",
        "--seconds",
        "0.1",
    ]
    program("peers/run.py", *words, "--rounds", "1", "--warm-up", "1")
    program("peers/run.py", *words, "--quality", "--equal", "--patience", "1", "--limit", "1")
    stages = [
        json.loads(line)
        for name in ("speed", "quality")
        for line in (tmp_path / "tiny" / f"{name}.jsonl").read_text("utf-8").splitlines()
    ]
    assert [(line["stage"], line["ok"]) for line in stages] == [
        ("train", True),
        ("evaluate", True),
        ("quality", True),
    ], stages
    assert "| intertask | 1 |" in (tmp_path / "tiny" / "speed.md").read_text("utf-8")


@pytest.mark.parametrize("name", ["speed", "quality"])
def test_committed_measurements_of_peers_become_tables(name, monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS / "peers"))
    module = runpy.run_path(str(BENCHMARKS / "peers" / "summary.py"))
    lines = (BENCHMARKS / "results" / "peers" / f"ml100k-{name}.jsonl").read_text("utf-8").splitlines()
    table = module[f"{name}_table"](map(module["Line"].model_validate_json, lines))
    assert "| intertask |" in table and "| rectools |" in table


def test_als_of_implicit_is_measured_like_the_others(tmp_path, program):
    pytest.importorskip("implicit")
    program("peers/export.py", "tiny", tmp_path / "data")
    options = {
        "data": tmp_path / "data",
        "dataset": "tiny",
        "folder": tmp_path,
        "variant": "als",
        "epochs": 1,
        "seconds": 1,
        "warm_up": 1,
        "threads": 1,
        "patience": 1,
        "every": 1,
        "limit": 1,
        "dropout": 0.0,
        "equal": True,
        "recipe": None,
        "lines": tmp_path / "lines",
        "checkpoint": tmp_path / "none",
    }
    for stage in ("train", "evaluate"):
        words = ("--out", tmp_path / f"{stage}.json", "--options", json.dumps(options, default=str))
        program("peers/run_implicit.py", stage, *words)
    assert 0 <= json.loads((tmp_path / "evaluate.json").read_text("utf-8"))["ndcg@10"] <= 1


def test_each_part_of_content_and_ranker_is_left_out_once(tmp_path, program, monkeypatch):
    monkeypatch.setattr("intertask.rankers._likelihood._STEPS", 2)  # nobody looks at the figures
    head = 'items = { kind = "content", encoder = "hashed", text_width = 8 }\n'
    recipe = shop.write_files(tmp_path, head + TOML)
    ranker = "{kind='blend',sources={content={kind='content'}},events=30,candidates=10,lengths=[9]}"
    out = program("ablation_items.py", recipe, "--set", f"ranker={ranker}")
    rows = {line.split("|")[1].strip(): line for line in out.splitlines() if line.startswith("| ")}
    assert {"sum of content and id", "id only", "content only", "id dropout .2", "bounded id"} <= rows.keys()
    assert {"whitening off", "the ranker off", "without the model", "without content"} <= rows.keys()
    assert "+0.0000 (+0.0000 to +0.0000)" in rows["everything"]


def test_taggers_are_asked_together(program, tmp_path):
    for seed in (1, 2):
        recipe = Recipe(
            width=8,
            seed=seed,
            communication="none",
            encoder="gru",
            input={"kind": "text", "vocabulary": "words"},
            tasks={"tags": {"kind": "tags", "crf": True}},
            train={"epochs": 2, "batch_tokens": 128, "learning_rate": 2e-2},
        )
        run = tmp_path / f"run{seed}"
        Predictor(recipe).fit(tagged(120)).save(run / "model")
        RowCorpus(tagged(120)).write(run / "corpus")
    runs = (tmp_path / "run1", tmp_path / "run2")
    lines = [json.loads(line) for line in program("tags_together.py", *runs, "--shares", 0, 1).splitlines()]
    assert [line.get("validation") for line in lines[:2]] == [[1, 0], [1, 1]]
    # The first run with nothing of the second is the first run.
    alone = Predictor.load(runs[0] / "model").evaluate(run=runs[0])
    (own,) = [row.metrics for row in alone.responses if row.system == "intertask"]
    assert lines[3]["test"] == [1, 0] and lines[3]["f1"] == pytest.approx(own["f1"], abs=1e-4)
    assert len(lines[-1]["f1_above_best_alone"]) == 3
    near = ("--shares", 0, "--again", 0, 0.5, "--within", 5)
    more = [json.loads(line) for line in program("tags_together.py", *runs, *near).splitlines()]
    assert [line.get("again") for line in more[:2]] == [None, 0.5]
    assert more[0] == lines[0]


def test_a_model_is_asked_together_with_the_linear_reference(program, tmp_path):
    rows = reviews(120)
    recipe = Recipe(
        width=8,
        communication="none",
        encoder="gru",
        input={"kind": "text", "vocabulary": "words"},
        tasks={"mood": "category"},
        train={"epochs": 2, "batch_tokens": 128, "learning_rate": 2e-2},
    )
    run = tmp_path / "run"
    Predictor(recipe).fit(rows).save(run / "model")
    RowCorpus(rows).write(run / "corpus")
    own, above_model, above_linear = map(json.loads, program("with_linear.py", run).splitlines())
    measured = Predictor.load(run / "model").evaluate(run=run)
    (alone,) = [row.metrics for row in measured.responses if row.system == "intertask"]
    assert own["model"]["log_loss"] == pytest.approx(alone["log_loss"], abs=1e-4)
    assert own["validation"]["log_loss"] <= own["validation_alone"]["log_loss"]
    gain = own["model"]["log_loss"] - own["both"]["log_loss"]
    assert above_model["log_likelihood_above_model"][0] == pytest.approx(gain, abs=2e-4)
    assert len(above_linear["log_likelihood_above_linear"]) == 3
