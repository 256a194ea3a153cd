"""A trained model as a folder: JSON, safetensors and Parquet, each file's SHA-256 in the manifest.

    manifest.json        format, version, checksums
    recipe.json          the whole recipe
    schema.json          behaviours, sizes, roles of the catalogue's columns
    weights.safetensors  the model
    histories.safetensors  the users' events, flat; absent where they were not to be kept
    items.parquet, users.parquet  ids in the order of their indices
    catalogue.parquet    where there is one

Never a pickle. What is truncated, altered, missing, foreign or too new is refused, and named.
"""

import importlib.metadata
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file, save_file
from torch import Tensor

from intertask.config import Config, parse
from intertask.data.catalogue import Catalogue
from intertask.data.sequences import Sequences
from intertask.data.vocabulary import Vocabulary
from intertask.errors import ArtefactError, IntertaskError
from intertask.files import sha256, written_aside
from intertask.recipe import Recipe

FORMAT = 2  # since 2 the steps of a funnel are calibrated each under its condition, not their products


class Manifest(Config):
    """What a model folder says of itself."""

    intertask: Literal["model"] = "model"
    format: int
    version: str
    files: dict[str, str]  # name -> SHA-256


class Schema(Config):
    """What the arrays mean."""

    behaviours: tuple[str, ...]
    num_items: int
    num_users: int
    has_times: bool
    catalogue: dict[str, list[str]] = {}  # role -> columns


@dataclass(frozen=True)
class Artefact:
    """Everything that answers a request.

    Args:
        recipe: As it was trained.
        behaviours: Names, in the order of their codes.
        items: Ids of the items.
        users: Ids of the users whose histories are kept.
        weights: Name -> array.
        histories: The users' events.
        popularity: int64 [behaviours, items], training events: the answer to an empty history.
        catalogue: What there is.
    """

    recipe: Recipe
    behaviours: tuple[str, ...]
    items: Vocabulary
    users: Vocabulary
    weights: Mapping[str, NDArray[np.generic]]
    histories: Sequences
    popularity: NDArray[np.int64]
    catalogue: Catalogue | None


def save(artefact: Artefact, folder: Path) -> None:
    """Write the folder, all or nothing; one that stands there is replaced when the new one is complete.

    Raises:
        ArtefactError: Something stands there that is no model, or stands beside one.
    """
    folder = Path(folder)
    _check_place(folder)
    with written_aside(folder) as aside:
        aside.mkdir()
        _write_parts(artefact, aside)
        files = {}
        for file in sorted(aside.iterdir()):
            # safetensors makes files for their owner alone; a server often runs as somebody else.
            file.chmod((aside / "schema.json").stat().st_mode)
            files[file.name] = sha256(file)
        manifest = Manifest(format=FORMAT, version=importlib.metadata.version("intertask"), files=files)
        (aside / "manifest.json").write_text(manifest.model_dump_json(indent=1), encoding="utf-8")


def load(folder: Path) -> Artefact:
    """Read a folder that `save` wrote.

    Raises:
        ArtefactError: Names the first file that is not as it was written.
    """
    folder = Path(folder)
    manifest = _manifest(folder)
    try:
        _check_files(folder, manifest)
        stored = _read_parts(folder)
        given = [name for name, task in stored.recipe.tasks.items() if getattr(task, "given", None)]
        if manifest.format < 2 and given:
            raise ArtefactError(
                str(folder / "manifest.json"), f"format {FORMAT} for a funnel, as of {given[0]}",
                f"format {manifest.format}, whose probabilities mean something else", "train it again",
            )  # fmt: skip
        return stored
    except IntertaskError as error:
        raise ArtefactError(error.where, error.expected, error.found, error.hint) from None
    except (OSError, ValueError, KeyError, SafetensorError, pl.exceptions.PolarsError) as error:
        raise ArtefactError(
            str(folder), "the files of one model", str(error), "save the model again"
        ) from None


def num_weights(folder: Path) -> int:
    """How many numbers a model has, read from the head of their file.

    Raises:
        ArtefactError: There is no such file.
    """
    try:
        with safe_open(folder / "weights.safetensors", framework="numpy") as file:
            return sum(math.prod(file.get_slice(name).get_shape()) for name in file.keys())  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise ArtefactError(str(folder), "a model", str(error)) from None


def trained_counts(folder: Path) -> NDArray[np.int64]:
    """How many events of each item and behaviour a model that `load` accepts was trained on."""
    with safe_open(folder / "histories.safetensors", framework="numpy") as file:
        return cast("NDArray[np.int64]", file.get_tensor("popularity"))


def as_arrays(weights: Mapping[str, Tensor]) -> dict[str, NDArray[np.generic]]:
    """Weights as arrays on the CPU."""
    return {name: weight.detach().cpu().numpy() for name, weight in weights.items()}


def _write_parts(artefact: Artefact, folder: Path) -> None:
    histories = artefact.histories
    schema = Schema(
        behaviours=artefact.behaviours,
        num_items=len(artefact.items),
        num_users=len(artefact.users),
        has_times=histories.times is not None,
        catalogue={} if artefact.catalogue is None else artefact.catalogue.roles(),
    )
    (folder / "recipe.json").write_text(artefact.recipe.to_json(), encoding="utf-8")
    (folder / "schema.json").write_text(schema.model_dump_json(indent=1), encoding="utf-8")
    save_file(dict(artefact.weights), folder / "weights.safetensors")
    arrays: dict[str, NDArray[np.generic]] = {
        "offsets": histories.offsets, "items": histories.items, "behaviours": histories.behaviours,
        "popularity": artefact.popularity,
    }  # fmt: skip
    if histories.times is not None:
        arrays["times"] = histories.times
    save_file(
        {name: np.ascontiguousarray(array) for name, array in arrays.items()},
        folder / "histories.safetensors",
    )
    artefact.items.ids.rename("id").to_frame().write_parquet(folder / "items.parquet")
    artefact.users.ids.rename("id").to_frame().write_parquet(folder / "users.parquet")
    if artefact.catalogue is not None:
        artefact.catalogue.frame.write_parquet(folder / "catalogue.parquet")


def _read_parts(folder: Path) -> Artefact:
    schema = parse(
        Schema, json.loads((folder / "schema.json").read_text("utf-8")), str(folder / "schema.json")
    )
    arrays = load_file(folder / "histories.safetensors")
    histories = Sequences(
        offsets=arrays["offsets"],
        items=arrays["items"],
        behaviours=arrays["behaviours"],
        times=arrays.get("times"),
        num_items=schema.num_items,
        num_behaviours=len(schema.behaviours),
    )
    catalogue = None
    if (folder / "catalogue.parquet").exists():
        frame = pl.read_parquet(folder / "catalogue.parquet", glob=False)
        catalogue = Catalogue.from_roles(frame, schema.catalogue)
    return Artefact(
        recipe=Recipe.from_json(folder / "recipe.json"),
        behaviours=schema.behaviours,
        items=Vocabulary(pl.read_parquet(folder / "items.parquet", glob=False)["id"]),
        users=Vocabulary(pl.read_parquet(folder / "users.parquet", glob=False)["id"]),
        weights=load_file(folder / "weights.safetensors"),
        histories=histories,
        popularity=cast("NDArray[np.int64]", arrays["popularity"]),
        catalogue=catalogue,
    )


def _check_place(folder: Path) -> None:
    """Refuse to replace anything but an empty folder or a model."""
    if not folder.exists():
        return
    found = "a file"
    if folder.is_dir():
        present = {file.name for file in folder.iterdir()}
        if not present:
            return
        found = "a folder of something else"
        if "manifest.json" in present:
            try:
                foreign = sorted(present - {"manifest.json"} - set(_manifest(folder).files))
            except ArtefactError as error:
                foreign, found = ["manifest.json"], f"manifest.json with {error.found}"
            else:
                found = f"{foreign[0]!r} beside a model" if foreign else ""
            if not foreign:
                return
    raise ArtefactError(
        str(folder), "an empty place, or an older model alone", found, "choose another folder"
    )


def _manifest(folder: Path) -> Manifest:
    file = folder / "manifest.json"
    try:
        table = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        found = "no such file" if isinstance(error, FileNotFoundError) else str(error)
        raise ArtefactError(
            str(file), "the manifest of a model folder", found, "save the model again"
        ) from None
    version = table.get("format") if isinstance(table, dict) else None
    if isinstance(version, int) and version > FORMAT:
        raise ArtefactError(
            str(file), f"format {FORMAT} or older",
            f"format {version}, written by intertask {table.get('version')}", "upgrade intertask",
        )  # fmt: skip
    try:
        return parse(Manifest, table, str(file))
    except IntertaskError as error:
        raise ArtefactError(error.where, error.expected, error.found, "save the model again") from None


def _check_files(folder: Path, manifest: Manifest) -> None:
    present = {file.name for file in folder.iterdir()} - {"manifest.json"}
    for name in sorted(present - set(manifest.files)):
        raise ArtefactError(str(folder / name), "only files of the manifest", "a foreign file", "remove it")
    for name, checksum in sorted(manifest.files.items()):
        if name not in present:
            raise ArtefactError(str(folder / name), "a file of the manifest", "no such file", "copy it again")
        found = sha256(folder / name)
        if found != checksum:
            raise ArtefactError(
                str(folder / name), f"SHA-256 {checksum[:12]}...", f"{found[:12]}...",
                "it is truncated or altered: copy it again",
            )  # fmt: skip
