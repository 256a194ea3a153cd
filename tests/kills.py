"""Kill training, evaluation and saving at every file operation and at random moments; what is left must do.

    python -m tests.kills                    everything: every operation, and 200 random moments
    python -m tests.kills --every 7 --random 6 --work save train      a part of it
    python -m tests.kills --every 4 --first 2 --random 50 --seed 2    the second of four parts of everything
    python -m tests.kills --data rows        the same on rows of a table in place of a log

Each piece of work runs in a child that was forked before anything was computed, and dies by SIGKILL: before
its n-th operation on a file (as Python's audit events tell them, and around those of libraries, which leave
half a file), or after a time. Then the same work is done again by another child that is left alone, and must
end like one that was never killed: the same bytes, no step of the journal missing, nothing left over. A model
folder must hold all of the old or all of the new at any time. Prints what was found as JSON.
"""

import argparse
import contextlib
import gc
import importlib
import json
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from intertask import artefact
from intertask.answering.predictor_folder import RowsArtefact
from intertask.artefact import log
from intertask.errors import DataError
from intertask.evaluate.compare import per_target
from intertask.evaluate.results import Evaluation
from intertask.runs import run as runs
from intertask.storage import files
from tests import shop
from tests.killing import Killer, child, state
from tests.samples import clinic

MANY = "epochs = 3\nbatch_tokens = 100\ncheckpoint_steps = 3"
TOML = shop.TOML.replace("epochs = 2", MANY)
ROWS_TOML = """\
width = 8
[data.rows]
path = "patients.csv"
labels = ["ill", "days"]
group = "hospital"
time = "seen"
[encoder]
kind = "gru"
[tasks.ill]
kind = "category"
[tasks.days]
kind = "regression"
[train]
epochs = 3
batch_tokens = 100
checkpoint_steps = 3
[evaluation]
resamples = 100
references = {linear = {kind = "linear", strengths = [1.0]}}
"""
OTHER = TOML.replace('name = "shop"', 'name = "other"\nseed = 2')


@dataclass
class Found:
    """What came of the kills of one kind of work."""

    kills: int = 0
    survived: int = 0  # had ended before the kill
    failures: list[str] = field(default_factory=list)


@dataclass
class Work:
    """Something that is killed: how its folder is made ready, what is done, and what may be left of it."""

    name: str
    folder: Path
    prepare: Callable[[], None]
    work: Callable[[], None]
    after_kill: Callable[[], str] = lambda: ""  # what is wrong with what was left
    again: Callable[[], None] | None = None

    def try_kill(self, found: Found, label: str, whole: dict[str, bytes], **how: Any) -> None:
        """Kill once, look, do it again, look."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.prepare()
        code = child(self.work, **how)
        if code == 0:
            found.survived += 1
        elif code == -signal.SIGKILL:
            found.kills += 1
        else:
            found.failures.append(f"{self.name}, {label}: ended with {code}")
        wrong = self.after_kill()
        code = child(self.again or self.work)
        if code != 0:
            wrong = wrong or f"again: ended with {code}"
        differences = _differences(whole, state(self.folder))
        if wrong or differences:
            found.failures.append(f"{self.name}, {label}: {wrong} {differences}")


def _differences(whole: dict[str, bytes], other: dict[str, bytes]) -> list[str]:
    return sorted(name for name in whole.keys() | other.keys() if whole.get(name) != other.get(name))


@dataclass(frozen=True)
class Data:
    """What is trained on.

    Args:
        toml: A recipe.
        other: Another one, whose model is replaced.
        write: Writes the data and a recipe into a folder.
        model: What a model folder holds.
    """

    toml: str
    other: str
    write: Callable[[Path, str], object]
    model: type[log.LogArtefact] | type[RowsArtefact]


def _write_rows(folder: Path, toml: str) -> None:
    clinic.patients(120).write_csv(folder / "patients.csv")
    (folder / "recipe.toml").write_text(toml)


DATA = {
    "log": Data(TOML, OTHER, shop.write_files, log.LogArtefact),
    "rows": Data(ROWS_TOML, "seed = 2\n" + ROWS_TOML, _write_rows, RowsArtefact),
}


def works(place: Path, data: Data) -> list[Work]:
    """All kinds of work, ready to be done in a folder."""
    gc.collect()
    gc.freeze()  # or each child copies what the collector touches
    files_of = place / "log"
    files_of.mkdir()
    recipes = []
    for name, toml in (("shop", data.toml), ("other", data.other)):
        (files_of / name).mkdir()
        pid = child(lambda toml=toml, name=name: data.write(files_of / name, toml))  # frames, in a child
        assert pid == 0
        recipes.append(files_of / name / "recipe.toml")
    assert child(lambda: _train_and_list_modules(recipes[0], place / "modules", data)) == 0
    for name in (place / "modules").read_text().split():  # once, not in each child
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    assert child(lambda: _train(recipes[1], recipes[1].parent / "run")) == 0
    old, new = (recipe.parent / "run" / "model" for recipe in recipes)
    evaluated = place / "evaluated"  # on the test part, in the test of modules
    folder = place / "work"
    run, target = folder / "run", folder / "model"

    def nothing() -> None:
        folder.mkdir()

    def trained() -> None:
        folder.mkdir()
        shutil.copytree(recipes[0].parent / "run", run)

    def measured() -> None:
        folder.mkdir()
        shutil.copytree(evaluated, run)

    def whole_or_refused() -> str:
        return "" if child(lambda: _read_targets(run)) == 0 else "files of two evaluations are read as one"

    def saved() -> None:
        folder.mkdir()
        shutil.copytree(old, target)

    def save() -> None:
        artefact.save(artefact.load(new, data.model), target)

    def save_in_two() -> None:
        files.exchange = lambda one, two: False
        save()

    def whole_model() -> str:
        """The old or the new; a file system without exchange may need somebody to load it first."""
        code = child(lambda: artefact.load(target, data.model))
        if code != 0:
            return "it cannot be loaded"
        left = [path.name for path in folder.iterdir() if path != target]
        kept = state(target)
        wrong = f"left over: {left}" if left else ""
        return wrong if kept in (state(old), state(new)) else f"{wrong} neither the old nor the new"

    def at_once() -> str:
        wrong = (
            "" if state(target) in (state(old), state(new)) else "neither the old nor the new before a load"
        )
        return wrong or whole_model()

    def may_be_missing() -> str:
        return at_once() if target.exists() else ""

    return [
        Work("save over a model", folder, saved, save, at_once),
        Work("save over a model, in two renamings", folder, saved, save_in_two, whole_model, save_in_two),
        Work("save a first model", folder, nothing, save, may_be_missing),
        Work("train from nothing", folder, nothing, lambda: _train(recipes[0], run)),
        Work("train again", folder, trained, lambda: _train(recipes[0], run)),
        Work("train once more", folder, trained, lambda: _train(recipes[0], run, ["train.refit=true"])),
        Work("evaluate", folder, trained, lambda: _evaluate(run)),
        Work("evaluate again", folder, measured, lambda: _evaluate(run, "validation"), whole_or_refused),
    ]


def _train(recipe: Path, run: Path, changes: Sequence[str] = ()) -> None:
    runs.train(recipe, run, changes=changes)


def _train_and_list_modules(recipe: Path, file: Path, data: Data) -> None:
    _train(recipe, recipe.parent / "run")
    artefact.load(recipe.parent / "run" / "model", data.model)
    shutil.copytree(recipe.parent / "run", file.parent / "evaluated")
    _evaluate(file.parent / "evaluated")
    file.write_text("\n".join(sys.modules))


def _evaluate(run: Path, part: Literal["validation", "test"] = "test") -> None:
    runs.evaluate(run, part)


def _read_targets(run: Path) -> None:
    """The table of targets is that of evaluation.json, or is refused."""
    told = Evaluation.read(run / "evaluation.json")
    try:
        found = per_target(run)
    except DataError as error:
        assert "run `intertask evaluate` again" in str(error), error
    else:
        mine = {name: files.sha256(run / name) for name in ("targets.parquet",)}
        assert told.digests == mine and not found.is_empty(), mine


def main() -> None:
    """Kill as often as is asked for; exit code 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--every", type=int, default=1, help="kill at every n-th operation; 0 at none")
    parser.add_argument("--first", type=int, help="the first operation; drawn where left out")
    parser.add_argument("--random", type=int, default=200, help="kills at random moments, of all kinds")
    parser.add_argument("--work", nargs="*", help="beginnings of the kinds of work; all where left out")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", choices=DATA, default="log")
    asked = parser.parse_args()
    draw, found = random.Random(asked.seed), {}
    with tempfile.TemporaryDirectory() as name:
        place = Path(name).resolve()
        chosen = [
            work
            for work in works(place, DATA[asked.data])
            if not asked.work or any(work.name.startswith(own) for own in asked.work)
        ]
        for work in chosen:
            moments = asked.random // len(chosen) + (len(found) < asked.random % len(chosen))
            found[work.name] = _killed(work, asked.every, asked.first, moments, draw)
            sys.stdout.write(json.dumps({work.name: found[work.name]}) + "\n")
            sys.stdout.flush()
    sys.exit(any(told["failures"] for told in found.values()))


def _killed(work: Work, every: int, first: int | None, moments: int, draw: random.Random) -> dict[str, Any]:
    began = time.monotonic()
    shutil.rmtree(work.folder, ignore_errors=True)
    work.prepare()
    lasts = time.monotonic()
    assert child(work.work, Killer(work.folder, 0)) == 0
    lasts = time.monotonic() - lasts
    whole = state(work.folder)
    operations = int((work.folder.parent / "count").read_text())
    by_operation, by_moment = Found(), Found()
    first = first or (draw.randrange(every) + 1 if every else 1)
    for number in range(first, operations + 1, every) if every else []:
        killer = Killer(work.folder, number)
        work.try_kill(by_operation, f"operation {number}", whole, killer=killer)
    for _ in range(moments):
        seconds = draw.uniform(0, lasts)
        work.try_kill(by_moment, f"after {seconds:.4f} s", whole, seconds=seconds)
    return {
        "operations": operations,
        "killed at one": by_operation.kills,
        "killed at a moment": by_moment.kills,
        "had ended": by_operation.survived + by_moment.survived,
        "failures": by_operation.failures + by_moment.failures,
        "seconds": round(time.monotonic() - began, 1),
    }


if __name__ == "__main__":
    main()
