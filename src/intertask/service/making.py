"""Makes and brings in models, beside everything else: `python -m intertask.service.making VERB ARGUMENT...`.

    add FOLDER    takes a model's folder into the registry
    train FOLDER  trains on the events that lie in a job's folder; killed and started again it goes on
    tune FOLDER   looks for better options of a recipe, likewise

The last line that it prints says in JSON what came of it.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import polars as pl

from intertask.errors import IntertaskError, RequestError
from intertask.options.config import read_toml
from intertask.recipe import Recipe
from intertask.recommender import Recommender
from intertask.runs.run import train
from intertask.runs.space import changes
from intertask.runs.tuning import toml_lines, tune
from intertask.service import cataloguing, peopling, process, recipes, registry
from intertask.service.gate import Verdict, compare
from intertask.service.loaded import Loaded
from intertask.service.settings import Place
from intertask.storage.files import written_aside
from intertask.terminal.progress import Epoch, heard

NEWEST, MOST_NEWEST = 0.05, 20_000  # events that the candidate is judged by, and is not trained on
EVENTS, ITEMS, PEOPLE, JOB = "events.parquet", "items.jsonl", "people.jsonl", "job.json"


def main() -> None:
    """Do what was asked."""
    place = process.told()
    verb, argument = sys.argv[1], Path(sys.argv[2])
    try:
        found = VERBS[verb](place, argument)
    except IntertaskError as error:
        found = {"error": str(error)}
    _say(found)


def _say(table: Mapping[str, object]) -> None:
    sys.stdout.write(json.dumps(table) + "\n")
    sys.stdout.flush()


def _added(place: Place, folder: Path) -> dict[str, object]:
    added = registry.add(folder, place.models)
    return {"digest": added.digest, "facts": added.facts}


def _train(place: Place, folder: Path) -> dict[str, object]:
    job = json.loads((folder / JOB).read_text(encoding="utf-8"))
    active = None if job["active"] is None else place.models / job["active"]
    events = pl.read_parquet(folder / EVENTS)
    cut = max(1, events.height - min(MOST_NEWEST, int(NEWEST * events.height)))
    ordered = events.sort("time", "seq")
    file = folder / "recipe.json"
    if not file.exists():
        ordered[:cut].sort("seq").drop("seq").write_parquet(folder / "training.parquet")
        recipe = _recipe(job["recipe"], active, folder)
        with written_aside(file) as aside:
            aside.write_text(recipe.model_dump_json(), encoding="utf-8")

    def told(epoch: Epoch) -> None:
        _say({"epoch": epoch.number + 1, "of": epoch.epochs})

    with heard(told):
        train(file, folder / "run")
    added = registry.add(folder / "run", place.models)
    candidate = Loaded(added.digest, Recommender.load(place.models / added.digest))
    before = None if active is None else Loaded.read(active)
    verdict = compare(candidate, before, ordered[:cut], ordered[cut:], peopling.known(folder / PEOPLE))
    return {"digest": added.digest, "facts": added.facts, "verdict": _numbers(verdict)}


def _tune(place: Place, folder: Path) -> dict[str, object]:
    job = json.loads((folder / JOB).read_text(encoding="utf-8"))
    active = None if job["active"] is None else place.models / job["active"]
    file = folder / "recipe.toml"
    if not file.exists():
        pl.read_parquet(folder / EVENTS).drop("seq").write_parquet(folder / "training.parquet")
        recipe = _recipe(job["recipe"], active, folder)
        space = json.loads(job["space"]) if job.get("space") else _space(folder)
        table = json.loads(recipe.model_dump_json(exclude_none=True)) | {"tune": {"space": space}}
        with written_aside(file) as aside:
            aside.write_text("\n".join(toml_lines(table)) + "\n", encoding="utf-8")
        if Recipe.read(file) != recipe:
            raise RequestError("recipe", "one that TOML can hold", "one that says none", "send the recipe")
    lines: list[str] = []

    def told(line: str) -> None:
        lines.append(line)
        _say({"trials": len(lines), "last": line})

    found = tune(file, folder / "tuning", float(job["minutes"]), job.get("trials"), told)
    winner = next(one for one in found.trials if one.number == found.winner)
    best = read_toml(folder / "tuning" / "best.toml")
    del best["data"]  # the events of this job, which are gone after it
    facts = {
        "monitor": found.monitor,
        "default": found.means[0],
        "best": found.means[found.winner],
        "seeds": found.seeds,
        "trials": len(found.trials),
        "winner": found.winner,
        "changes": " ".join(changes(winner.values)),
        "seconds": found.seconds,
        "recipe": "\n".join(toml_lines(best)) + "\n",
    }
    return {"tuned": facts}


def _space(folder: Path) -> object:
    """The `[tune.space]` of the recipe that was sent."""
    section = read_toml(folder / "sent.toml").get("tune") if (folder / "sent.toml").exists() else None
    if not isinstance(section, dict) or not section.get("space"):
        raise RequestError("space", "keys of the recipe with their values", "none", "send a space")
    return section["space"]


def _numbers(verdict: Verdict) -> dict[str, object]:
    return asdict(verdict)


def _recipe(text: str | None, active: Path | None, folder: Path) -> Recipe:
    """The recipe that was sent, or that of the active model, on the events of this job.

    Raises:
        RequestError: It asks for what the store does not keep, or there is none.
    """
    if text is not None:
        sent = folder / "sent.toml"
        sent.write_text(text, encoding="utf-8")
        recipe = recipes.read(sent)
    elif active is not None:
        recipe = recipes.read(active / "recipe.json")
    else:
        raise RequestError("recipe", "a recipe, or an active model that has one", "neither", "send a recipe")
    names = {name: name for name in ("user", "item", "time", "behaviour")}
    events = {"path": "training.parquet", "labels": recipes.labels(recipe), **names}
    data: dict[str, object] = {"events": events}
    if recipe.data.catalogue is not None:
        columns = recipe.data.catalogue.model_dump(include=set(cataloguing.ROLES))
        _catalogue(columns, active, folder)
        data["catalogue"] = {"path": "items.parquet", "item": "item", **columns}
    if recipe.inputs_of_people:
        kinds = peopling.kinds(recipe, active)
        data["people"] = peopling.write(folder / PEOPLE, folder / "people.parquet", kinds)
    table = recipe.model_dump(mode="json") | {"data": data}
    table["train"]["refit"] = False  # what it is judged by must be new to it
    return Recipe.model_validate(table)


def _catalogue(columns: Mapping[str, tuple[str, ...]], active: Path | None, folder: Path) -> None:
    """The items as a catalogue: what the store says of them, and the active model's catalogue otherwise."""
    rows: dict[str, dict[str, object]] = {}
    known = None if active is None else Recommender.load(active).catalogue
    if known is not None:
        for row in known.frame.with_columns(pl.col("item").cast(pl.String)).iter_rows(named=True):
            rows[row["item"]] = row
    for line in (folder / ITEMS).read_text(encoding="utf-8").splitlines():
        item, properties = json.loads(line)
        rows[item] = rows.get(item, {}) | properties
    cataloguing.table(rows, columns).write_parquet(folder / "items.parquet")


VERBS = {"add": _added, "train": _train, "tune": _tune}

if __name__ == "__main__":
    main()
