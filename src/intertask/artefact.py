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
import math
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save_file
from torch import Tensor

from intertask import model_folder
from intertask.errors import ArtefactError, IntertaskError
from intertask.files import read_whole, settle, sha256, strange, written_aside
from intertask.model_folder import FORMAT, Artefact, Manifest, Schema, read_manifest
from intertask.tensors import forms

__all__ = ["Artefact", "as_arrays", "load", "num_weights", "save", "trained_counts"]


def save(artefact: Artefact, folder: Path) -> None:
    """Write the folder, all or nothing; one that stands there is replaced when the new one is complete.

    Raises:
        ArtefactError: Something stands there that is no model, or stands beside one.
    """
    folder = Path(folder)
    with written_aside(folder, refuse_place) as aside:
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
    """Read a folder that `save` wrote, or is writing: the old model or the new one.

    Raises:
        ArtefactError: Names the first file that is not as it was written.
    """
    return read_whole(Path(folder), lambda: model_folder.read(Path(folder)))


def find(folder: Path) -> Path | None:
    """Where the model is: in `model` in a folder, in the folder itself, or nowhere."""
    for place in (folder / "model", folder):
        settle(place)
        if (place / "manifest.json").exists():
            return place
    return None


def num_weights(folder: Path) -> int:
    """How many numbers a model has, read from the head of their file.

    Raises:
        ArtefactError: There is no such file.
    """
    try:
        return sum(math.prod(form.shape) for form in forms(folder / "weights.safetensors").values())
    except IntertaskError as error:
        raise ArtefactError(error.where, error.expected, error.found, error.hint) from None


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
        "offsets": histories.offsets,
        "items": histories.items,
        "behaviours": histories.behaviours,
        "popularity": artefact.popularity,
    }
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


def refuse_place(folder: Path, place: Path) -> None:
    """Refuse to replace anything but an empty folder or a model alone.

    Args:
        folder: Is looked at; it need not exist.
        place: What errors call it.

    Raises:
        ArtefactError: Names what stands there.
    """
    found = _foreign(folder)
    if found:
        raise ArtefactError(
            str(place), "an empty place, or an older model alone", found, "choose another folder"
        )


def _foreign(folder: Path) -> str:
    wrong = strange(folder, "folder")
    present = {} if wrong or not folder.exists() else {file.name: file for file in folder.iterdir()}
    if wrong or not present:
        return wrong
    if "manifest.json" not in present:
        return "a folder of something else"
    odd = [name for name in sorted(present) if strange(present[name], "file")]
    if odd:
        return f"{odd[0]!r} beside a model, {strange(present[odd[0]], 'file')}"
    try:
        foreign = sorted(present.keys() - {"manifest.json"} - read_manifest(folder).files.keys())
    except ArtefactError as error:
        return f"manifest.json with {error.found}"
    return f"{foreign[0]!r} beside a model" if foreign else ""
