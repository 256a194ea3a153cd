"""Kill training, evaluation and saving at every file operation and at random moments; what is left must do.

    python -m tests.kills                    everything: every operation, and 200 random moments
    python -m tests.kills --every 7 --random 6 --work save train      a part of it
    python -m tests.kills --every 4 --first 2 --random 50 --seed 2    the second of four parts of everything

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
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from intertask import artefact
from intertask.artefact import log
from intertask.errors import DataError
from intertask.evaluate.compare import per_target
from intertask.evaluate.results import Evaluation
from intertask.runs import run as runs
from intertask.storage import files
from intertask.train import checkpoint
from tests import shop

MANY = "epochs = 3\nbatch_tokens = 100\ncheckpoint_steps = 3"
TOML = shop.TOML.replace("epochs = 2", MANY)
OTHER = TOML.replace('name = "shop"', 'name = "other"\nseed = 2')
EVENTS = {
    "open",
    "os.rename",
    "os.remove",
    "os.rmdir",
    "os.mkdir",
    "os.chmod",
    "shutil.rmtree",
    "fcntl.flock",
    "tests.sync",
    "tests.half",
    "tests.whole",
}
SECONDS = 120  # after which a child hangs


@dataclass
class Found:
    """What came of the kills of one kind of work."""

    kills: int = 0
    survived: int = 0  # had ended before the kill
    failures: list[str] = field(default_factory=list)


class Killer:
    """An audit hook that kills this process before the n-th operation below a folder."""

    def __init__(self, folder: Path, number: int) -> None:
        self.folder, self.number, self.count = str(folder), number, 0
        self.files: dict[int, str] = {}

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in EVENTS or not self._below(event, arguments):
            return
        self.count += 1
        if self.count == self.number:
            if event == "tests.half":
                os.truncate(arguments[0], Path(arguments[0]).stat().st_size // 2)
            os.kill(os.getpid(), signal.SIGKILL)

    def _below(self, event: str, arguments: tuple[Any, ...]) -> bool:
        if event in ("fcntl.flock", "tests.sync"):
            return True
        if event == "open" and isinstance(arguments[2], int) and not arguments[2] & (os.O_WRONLY | os.O_RDWR):
            return False  # reading changes nothing
        # A folder that is deleted is deleted by names within it.
        relative = not Path(str(arguments[0])).is_absolute()
        return (relative and event != "open") or self.folder in str(arguments[0])


def audited(write: Callable[..., Any], place: int) -> Callable[..., Any]:
    """A library's own writing of a file, with moments at which half of it is there, and all of it."""

    def writing(*arguments: Any, **named: Any) -> Any:
        result = write(*arguments, **named)
        sys.audit("tests.half", str(arguments[place]))
        sys.audit("tests.whole", str(arguments[place]))
        return result

    return writing


def watch_libraries() -> None:
    """Have what writes without Python's knowledge tell of it."""
    import polars as pl

    artefact.save_file = audited(artefact.save_file, 1)
    log.save_file = audited(log.save_file, 1)
    checkpoint.save_file = audited(checkpoint.save_file, 1)
    pl.DataFrame.write_parquet = audited(pl.DataFrame.write_parquet, 1)  # type: ignore[method-assign]
    usual = os.fsync

    def sync(handle: int) -> None:
        sys.audit("tests.sync", handle)
        usual(handle)

    os.fsync = sync


def child(work: Callable[[], None], killer: Killer | None = None, seconds: float | None = None) -> int | None:
    """Do some work in a fork: its return code, -9 if it was killed; None if it hung."""
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        try:
            if killer is not None:
                watch_libraries()
                sys.addaudithook(killer)
            work()
            if killer is not None and killer.number == 0:
                (Path(killer.folder).parent / "count").write_text(str(killer.count))
            sys.stderr.flush()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)
    began = time.monotonic()
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        passed = time.monotonic() - began
        if (seconds is not None and passed > seconds) or passed > SECONDS:
            os.kill(pid, signal.SIGKILL)
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            return code if passed <= SECONDS else None
        time.sleep(0.001)


def state(folder: Path) -> dict[str, bytes]:
    """Everything in a folder, by name; of files that tell the time, what else they tell."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        found[name] = b"" if path.is_dir() else path.read_bytes()
        if path.name == "journal.jsonl":
            found[name] = b"\n".join(_lines(found[name]))
        if path.name == "evaluation.json":
            told = json.loads(found[name])
            found[name] = json.dumps(told | {"seconds": {}, "provenance": {}}).encode()
    return found


def _lines(text: bytes) -> list[bytes]:
    """The lines of a journal without times; how often a run was started is no part of it."""
    told = [json.loads(line) for line in text.splitlines()]
    for line in told:
        line.pop("seconds", None)
    return [json.dumps(line).encode() for line in told if line["event"] not in ("start", "resume")]


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


def works(place: Path) -> list[Work]:
    """All kinds of work, ready to be done in a folder."""
    gc.collect()
    gc.freeze()  # or each child copies what the collector touches
    files_of = place / "log"
    files_of.mkdir()
    recipes = []
    for name, toml in (("shop", TOML), ("other", OTHER)):
        (files_of / name).mkdir()
        pid = child(lambda toml=toml, name=name: _write(files_of / name, toml))  # frames, in a child
        assert pid == 0
        recipes.append(files_of / name / "recipe.toml")
    assert child(lambda: _train_and_list_modules(recipes[0], place / "modules")) == 0
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
        artefact.save(artefact.load(new, log.LogArtefact), target)

    def save_in_two() -> None:
        files.exchange = lambda one, two: False
        save()

    def whole_model() -> str:
        """The old or the new; a file system without exchange may need somebody to load it first."""
        code = child(lambda: _load(target))
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


def _write(folder: Path, toml: str) -> None:
    shop.write_files(folder, toml)


def _train(recipe: Path, run: Path, changes: Sequence[str] = ()) -> None:
    runs.train(recipe, run, changes=changes)


def _train_and_list_modules(recipe: Path, file: Path) -> None:
    _train(recipe, recipe.parent / "run")
    artefact.load(recipe.parent / "run" / "model", log.LogArtefact)
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


def _load(folder: Path) -> None:
    artefact.load(folder, log.LogArtefact)


def main() -> None:
    """Kill as often as is asked for; exit code 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--every", type=int, default=1, help="kill at every n-th operation; 0 at none")
    parser.add_argument("--first", type=int, help="the first operation; drawn where left out")
    parser.add_argument("--random", type=int, default=200, help="kills at random moments, of all kinds")
    parser.add_argument("--work", nargs="*", help="beginnings of the kinds of work; all where left out")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    draw, found = random.Random(asked.seed), {}
    with tempfile.TemporaryDirectory() as name:
        place = Path(name).resolve()
        chosen = [
            work
            for work in works(place)
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
