"""A trained model as a folder: JSON, safetensors and Parquet, each file's SHA-256 in the manifest.

    manifest.json        format, version, checksums
    recipe.json          the whole recipe
    schema.json          what the other files mean
    weights.safetensors  the model
    ...                  what a kind of data adds (`artefact.log`)

Never a pickle. What is truncated, altered, missing, foreign or too new is refused, and named.
"""

import importlib.metadata
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from torch import Tensor

from intertask.artefact import folder as folders
from intertask.artefact.folder import FACTS, FORMAT, Kind, Manifest, read_manifest
from intertask.errors import ArtefactError, IntertaskError
from intertask.recipe import Recipe
from intertask.storage.files import read_whole, settle, sha256, strange, written_aside
from intertask.storage.tensors import forms


class Artefact(Protocol):
    """Everything that answers a request, of one kind of data."""

    @property
    def recipe(self) -> Recipe:
        """As it was trained."""
        ...

    @property
    def weights(self) -> Mapping[str, NDArray[np.generic]]:
        """Name -> array."""
        ...

    def write(self, folder: Path) -> None:
        """Write `schema.json`, and what this kind of data keeps beside it."""
        ...


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


def load(folder: Path, kind: type[Kind]) -> Kind:
    """Read a folder that `save` wrote, or is writing: the old model or the new one.

    Args:
        folder: The folder.
        kind: What a model of its kind of data is in memory, such as `LogArtefact`.

    Raises:
        ArtefactError: Names the first file that is not as it was written.
    """
    return read_whole(Path(folder), lambda: folders.read(Path(folder), kind))


def find(folder: Path) -> Path | None:
    """Where the model is: in `model` in a folder, in the folder itself, or nowhere."""
    for place in (folder / "model", folder):
        settle(place)
        if (place / "manifest.json").exists():
            return place
    return None


def is_of_rows(folder: Path) -> bool:
    """Whether a folder holds a model of rows of a table; one that cannot be read holds none."""
    try:
        return FACTS in read_manifest(folder).files
    except (IntertaskError, OSError):
        return False


def num_weights(folder: Path) -> int:
    """How many numbers a model has, read from the head of their file.

    Raises:
        ArtefactError: There is no such file.
    """
    try:
        return sum(math.prod(form.shape) for form in forms(folder / "weights.safetensors").values())
    except IntertaskError as error:
        raise ArtefactError(error.where, error.expected, error.found, error.hint) from None


def as_arrays(weights: Mapping[str, Tensor]) -> dict[str, NDArray[np.generic]]:
    """Weights as arrays on the CPU."""
    return {name: weight.detach().cpu().numpy() for name, weight in weights.items()}


def _write_parts(artefact: Artefact, folder: Path) -> None:
    (folder / "recipe.json").write_text(artefact.recipe.to_json(), encoding="utf-8")
    save_file(dict(artefact.weights), folder / "weights.safetensors")
    artefact.write(folder)


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
