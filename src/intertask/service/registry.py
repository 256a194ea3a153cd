"""The models of a service as folders that are only ever added: `models/DIGEST/`, models without people.

A folder is written aside, synced and renamed once; its name is the SHA-256 of its manifest, which holds those
of all its files. Beside it `DIGEST.golden.json` keeps some answers, so that a process that loads it can tell
whether it still answers the same.
"""

import json
import os
import secrets
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from intertask import doors
from intertask.errors import ArtefactError, RequestError
from intertask.options.seeds import generator
from intertask.predictor import Predictor
from intertask.recommender import Recommender
from intertask.service.loaded import Loaded
from intertask.service.predicting import Predicting
from intertask.service.questions import Question, Step
from intertask.service.versions import Facts
from intertask.storage.files import sha256, written_aside
from intertask.storage.untrusted import read_json

ROWS = "rows"  # the kind of a model that answers rows
GOLDEN = 20  # answers
LONGEST = 10  # events of a history that they are asked by
PLACES = 10
CLOSE = 1e-3  # sums of floats in another order, on another processor
GOLDEN_BYTES = 1 << 20
_ASIDE = "adding-"

Golden = list[list[tuple[str, float]]]


@dataclass(frozen=True)
class Added:
    """A model that is in the registry.

    Args:
        digest: The name of its folder.
        facts: What is told of it.
        recommender: As it was read, with its people; None of a model of rows.
    """

    digest: str
    facts: Facts
    recommender: Recommender | None


def add(source: Path, models: Path) -> Added:
    """Take a run's model, or a model's folder, into the registry; what is there already stays as it is.

    Raises:
        ArtefactError: It is no model, or not as it was written.
        RequestError: It ranks no items, or its answers are no numbers.
        IntertaskError: The place cannot be written to.
    """
    if doors.is_of_rows(source):
        return _added_of_rows(source, models)
    recommender = Recommender.load(source)
    recipe = recommender.recipe
    if not recipe.tasks_that_rank():
        raise RequestError(
            str(source), "a model with a task that ranks items", "none", "add a next_item task"
        )

    def golden(aside: Path, digest: str) -> Golden:
        return _golden(Loaded(digest, Recommender.load(aside)))

    digest = _kept(models, lambda aside: recommender.save(aside, histories=False), golden)
    facts: Facts = {
        "name": recipe.name,
        "tasks": ", ".join(recipe.tasks),
        "encoder": recipe.encoder.kind,
        "width": recipe.width,
        "items": len(recommender.answerer.reader.items),
        "behaviours": json.dumps(recommender.answerer.reader.behaviours, ensure_ascii=False),
        "source": source.resolve().name,
    }
    return Added(digest, facts, recommender)


def _added_of_rows(source: Path, models: Path) -> Added:
    """Take a model of rows into the registry: it ranks nothing, and has no golden answers."""
    predictor = Predictor.load(source)
    digest = _kept(models, predictor.save, lambda aside, digest: [])
    facts: Facts = {
        "kind": ROWS,
        "name": predictor.recipe.name,
        "tasks": ", ".join(predictor.recipe.tasks),
        "width": predictor.recipe.width,
        "columns": json.dumps(dict(predictor.facts.columns), ensure_ascii=False),
        "source": source.resolve().name,
    }
    return Added(digest, facts, None)


def _kept(models: Path, save: Callable[[Path], None], golden: Callable[[Path, str], Golden]) -> str:
    """Save a model aside, and give its folder the name of its digest, once."""
    models.mkdir(parents=True, exist_ok=True)
    aside = models / f"{_ASIDE}{secrets.token_hex(8)}"
    try:
        save(aside)
        digest = sha256(aside / "manifest.json")
        answers = golden(aside, digest)
        with written_aside(models / f"{digest}.golden.json") as file:
            file.write_text(json.dumps(answers), encoding="utf-8")
        if not (models / digest).exists():
            with suppress(OSError):  # another process has added the same
                aside.rename(models / digest)
        _sync(models)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return digest


def read(models: Path, digest: str) -> Loaded | Predicting:
    """A model of the registry, which answers as it did when it was added.

    Raises:
        ArtefactError: It is missing or altered, or answers otherwise.
    """
    folder = models / digest
    if sha256(folder / "manifest.json") != digest:
        raise ArtefactError(str(folder), "the manifest that gave it its name", "another", "restore a backup")
    if doors.is_of_rows(folder):
        return Predicting.read(folder)
    loaded = Loaded.read(folder)
    kept = read_json(models / f"{digest}.golden.json", GOLDEN_BYTES)
    if not _alike(kept, _golden(loaded)):
        raise ArtefactError(
            str(folder), "the answers that it gave when it was added", "others", "look for a faulty library"
        )
    return loaded


def tidy(models: Path) -> None:
    """Delete what was being added when its process was killed."""
    for leftover in models.glob(f"{_ASIDE}{'[0-9a-f]' * 16}"):
        shutil.rmtree(leftover, ignore_errors=True)


def _golden(loaded: Loaded) -> Golden:
    """Lists for some histories, the same ones for the same items.

    Raises:
        RequestError: A score is no number.
    """
    random = generator(0, "golden answers")
    known = np.flatnonzero(loaded.answerer.trained)
    found: Golden = []
    for row in range(GOLDEN):
        places = known[random.integers(len(known), size=row % (LONGEST + 1))]
        behaviours = random.integers(len(loaded.behaviours), size=len(places))
        steps: list[Step] = [
            (item, loaded.behaviours[code], 10**15 + place * 10**9)
            for place, (item, code) in enumerate(zip(loaded.names(places), behaviours.tolist(), strict=True))
        ]
        question = Question(tenant=0, person=None, k=PLACES)
        ranked, _ = loaded.rank([loaded.prepare(question, steps, [])])
        filled = ranked.filled_BK[0]
        scores = ranked.scores_BK[0][filled]
        if not np.isfinite(scores).all():
            raise RequestError("model", "scores that are numbers", "others", "train it again")
        pairs = zip(loaded.names(ranked.items_BK[0][filled]), scores.tolist(), strict=True)
        found.append(list(pairs))
    return found


def _alike(kept: object, found: Golden) -> bool:
    """Whether lists have the same scores, place by place; equal ones may have changed their places."""
    if not isinstance(kept, list) or [len(one) for one in kept] != [len(one) for one in found]:
        return False
    return all(
        np.allclose([score for _, score in before], [score for _, score in now], CLOSE, CLOSE)
        for before, now in zip(kept, found, strict=True)
    )


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
