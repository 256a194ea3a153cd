"""Reading a model folder that anybody may have made: that it agrees with itself proves nothing.

What stands in `manifest.json`, `schema.json` and `recipe.json` says how large everything else must be. That
is compared with the headers of the other files before anything is read, built or allocated, and their
contents are looked through before anybody relies on them.
"""

import hashlib
import importlib.metadata
import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, StrictInt, StrictStr, field_validator

from intertask import tensors
from intertask.config import Config, parse
from intertask.data.catalogue import Catalogue
from intertask.data.parquet import read_parquet, refuse_large
from intertask.data.sequences import Sequences
from intertask.data.vocabulary import Vocabulary
from intertask.errors import ArtefactError, IntertaskError
from intertask.funnel import step_before
from intertask.model import ModelConfig, blueprint
from intertask.nn.dimensions import Dimensions
from intertask.recipe import Recipe
from intertask.tasks.next_item import Config as NextItem
from intertask.tensors import Form
from intertask.train import checkpoint
from intertask.train.edges import OPEN_TS
from intertask.untrusted import json_of, open_regular, read_bytes, size_of

FORMAT = 2  # since 2 the steps of a funnel are calibrated each under its condition, not their products
NEEDED = (
    "recipe.json",
    "schema.json",
    "weights.safetensors",
    "histories.safetensors",
    "items.parquet",
    "users.parquet",
)
FILES = (*NEEDED, "catalogue.parquet")
JSON_BYTES = 4 << 20  # of one file
HEADER_BYTES = 8 << 20  # of the weights, beside the numbers
LARGE = 1 << 30  # bytes from which on a file's structure is looked at before its checksum
LARGEST_WEIGHT = 1e6  # products of larger ones leave single precision
CALIBRATION = 1e-3, 1e3
MAX_BEHAVIOURS = 255
MOST_EVENTS = 2**62  # of all items together

Count = Annotated[StrictInt, Field(ge=0, lt=2**31)]


class Manifest(Config):
    """What a model folder says of itself."""

    intertask: Literal["model"] = "model"
    format: Annotated[StrictInt, Field(ge=1)]
    version: Annotated[StrictStr, Field(max_length=100)]
    files: dict[StrictStr, StrictStr]  # name -> SHA-256

    @field_validator("files")
    @classmethod
    def _of_a_model(cls, files: dict[str, str]) -> dict[str, str]:
        for name, checksum in files.items():
            if name not in FILES:
                raise ValueError(f"the files of a model, not {name!r}")
            if not re.fullmatch("[0-9a-f]{64}", checksum):
                raise ValueError(f"64 hexadecimal digits for {name}, not {checksum[:80]!r}")
        return files


class Schema(Config):
    """What the arrays mean."""

    behaviours: tuple[StrictStr, ...] = Field(min_length=1, max_length=MAX_BEHAVIOURS)
    num_items: Annotated[Count, Field(ge=1)]
    num_users: Count
    has_times: Annotated[bool, Field(strict=True)]
    catalogue: dict[StrictStr, list[StrictStr]] = {}  # role -> columns

    @field_validator("behaviours")
    @classmethod
    def _each_once(cls, behaviours: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(behaviours)) < len(behaviours):
            raise ValueError("each behaviour once")
        return behaviours


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


def read(folder: Path) -> Artefact:
    """Read a folder that `artefact.save` wrote.

    Raises:
        ArtefactError: Names the first file that is not as it was written.
    """
    manifest = read_manifest(folder)
    try:
        return _Folder(folder, manifest).artefact()
    except IntertaskError as error:
        raise ArtefactError(error.where, error.expected, error.found, error.hint) from None
    except OSError as error:  # gone or replaced while it was read
        raise ArtefactError(
            str(error.filename or folder), "the files of one model", str(error), "save the model again"
        ) from None


def read_manifest(folder: Path) -> Manifest:
    """What a folder says of itself.

    Raises:
        ArtefactError: It is no folder of a model, or of a later format.
    """
    file = folder / "manifest.json"
    try:
        table = json_of(read_bytes(file, JSON_BYTES), str(file))
    except IntertaskError as error:
        raise ArtefactError(
            str(file), "the manifest of a model folder", error.found, "save the model again"
        ) from None
    version = table.get("format") if isinstance(table, dict) else None
    if isinstance(table, dict) and type(version) is int and version > FORMAT:
        raise ArtefactError(
            str(file),
            f"format {FORMAT} or older",
            f"format {version}, written by intertask {table.get('version')}",
            "upgrade intertask",
        )
    try:
        return parse(Manifest, table, str(file))
    except IntertaskError as error:
        raise ArtefactError(error.where, error.expected, error.found, "save the model again") from None


class _Folder:
    """A folder with its manifest; each file is compared with its checksum before it is used."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder, self.manifest = folder, manifest
        self._check_names()
        schema = folder / "schema.json"
        self.schema = parse(Schema, self._json(schema), str(schema))
        self.recipe = self._recipe(folder / "recipe.json")

    def artefact(self) -> Artefact:
        """All of it.

        Raises:
            IntertaskError: Names the first file that is not as it must be.
        """
        weights = self._weights(self.folder / "weights.safetensors")
        histories, popularity = self._histories(self.folder / "histories.safetensors")
        for name in ("items.parquet", "users.parquet"):
            self._compare(self.folder / name)
        catalogue = None
        if bool(self.schema.catalogue) != ("catalogue.parquet" in self.manifest.files):
            raise ArtefactError(
                str(self.folder), "a catalogue and the roles of its columns, or neither", "one of the two"
            )
        if self.schema.catalogue:
            catalogue = self._catalogue(self.folder / "catalogue.parquet")
        return Artefact(
            self.recipe,
            self.schema.behaviours,
            Vocabulary.read(self.folder / "items.parquet", self.schema.num_items),
            Vocabulary.read(self.folder / "users.parquet", self.schema.num_users),
            weights,
            histories,
            popularity,
            catalogue,
        )

    def _check_names(self) -> None:
        for name in NEEDED:
            if name not in self.manifest.files:
                raise ArtefactError(
                    f"{self.folder / 'manifest.json'} files", f"the file {name}", "none of that name"
                )
        known = self.manifest.files.keys() | {"manifest.json"}
        with os.scandir(self.folder) as entries:
            foreign = next((entry.name for entry in entries if entry.name not in known), None)
        if foreign is not None:
            raise ArtefactError(
                str(self.folder / foreign), "only files of the manifest", "a foreign file", "remove it"
            )
        for name in sorted(self.manifest.files):
            size_of(self.folder / name)

    def _compare(self, file: Path, most: int | None = None) -> None:
        """Compare a file with its checksum; a larger one than it may be is not read."""
        size = size_of(file)
        if most is not None and size > most:
            raise ArtefactError(str(file), f"at most {most:,} bytes", f"{size:,}")
        if size > LARGE:  # a hole of a terabyte takes no room, and an hour to be hashed
            (tensors.forms if file.suffix == ".safetensors" else refuse_large)(file)
        checksum = self.manifest.files[file.name]
        try:
            with open_regular(file) as handle:
                found = hashlib.file_digest(handle, "sha256").hexdigest()
        except OSError as error:
            raise ArtefactError(str(file), "a file that can be read", str(error)) from None
        if found != checksum:
            raise ArtefactError(
                str(file),
                f"SHA-256 {checksum[:12]}...",
                f"{found[:12]}...",
                "it is truncated or altered: copy it again",
            )

    def _json(self, file: Path) -> object:
        self._compare(file, JSON_BYTES)
        return json_of(read_bytes(file, JSON_BYTES), str(file))

    def _recipe(self, file: Path) -> Recipe:
        table = self._json(file)
        recipe = parse(Recipe, table, str(file))
        if self.manifest.version == importlib.metadata.version("intertask"):
            # An option that is left out would be what it is left out for today; of an older version that is
            # right, as it did not have the option.
            missing = _missing(json.loads(recipe.to_json()), table, set(ModelConfig.model_fields))
            if missing:
                raise ArtefactError(f"{file} {missing}", "every option of the model", "nothing")
        further = [name for name, task in recipe.tasks.items() if step_before(task)]
        if self.manifest.format < 2 and further:
            raise ArtefactError(
                str(self.folder / "manifest.json"),
                f"format {FORMAT} for a funnel, as of {further[0]}",
                f"format {self.manifest.format}, whose probabilities mean something else",
                "train it again",
            )
        return recipe

    def _weights(self, file: Path) -> dict[str, NDArray[np.generic]]:
        self.recipe = _with_map(self.recipe, file)
        recipe, schema = self.recipe, self.schema
        dimensions = Dimensions(
            recipe.width,
            recipe.max_length,
            tuple(recipe.tasks),
            schema.num_items,
            schema.behaviours,
            schema.has_times,
        )
        try:
            planned = checkpoint.weights(blueprint(recipe, dimensions))
        except IntertaskError as error:
            raise ArtefactError(
                f"{self.folder / 'recipe.json'} {error.where}", error.expected, error.found, error.hint
            ) from None
        expected = {
            name: Form(str(weight.dtype).removeprefix("torch."), tuple(weight.shape))
            for name, weight in planned.items()
        }
        self._compare(file, HEADER_BYTES + sum(form.size for form in expected.values()))
        tensors.refuse_others(file, tensors.forms(file), expected, "the weights of the recipe")
        weights = tensors.read(file, LARGEST_WEIGHT)
        for name, array in weights.items():
            if name.endswith(OPEN_TS) and not np.isin(array, (0, 1)).all():
                raise ArtefactError(f"{file} {name}", "edges that are open (1) or closed (0)", "others")
            if name.endswith(".calibration") and not CALIBRATION[0] <= float(array) <= CALIBRATION[1]:
                raise ArtefactError(
                    f"{file} {name}", f"{CALIBRATION[0]:g} to {CALIBRATION[1]:g}", f"{float(array):g}"
                )
        return weights

    def _histories(self, file: Path) -> tuple[Sequences, NDArray[np.int64]]:
        schema = self.schema
        self._compare(file)
        found = tensors.forms(file)
        events = found.get("items", Form("int32", (0,))).shape[:1]
        expected = {
            "offsets": Form("int64", (schema.num_users + 1,)),
            "items": Form("int32", events),
            "behaviours": Form("uint8", events),
            "popularity": Form("int64", (len(schema.behaviours), schema.num_items)),
        } | ({"times": Form("int64", events)} if schema.has_times else {})
        tensors.refuse_others(file, found, expected, "the arrays of the schema")
        arrays = tensors.read(file)
        popularity = cast("NDArray[np.int64]", arrays["popularity"])
        if popularity.min() < 0 or popularity.sum(dtype=np.float64) > MOST_EVENTS:
            raise ArtefactError(f"{file} popularity", "counts of events", "numbers that are none")
        histories = Sequences(
            cast("NDArray[np.int64]", arrays["offsets"]),
            cast("NDArray[np.int32]", arrays["items"]),
            cast("NDArray[np.uint8]", arrays["behaviours"]),
            cast("NDArray[np.int64] | None", arrays.get("times")),
            schema.num_items,
            len(schema.behaviours),
        )
        histories.check(str(file))
        return histories, popularity

    def _catalogue(self, file: Path) -> Catalogue:
        self._compare(file)
        try:
            return Catalogue.from_roles(read_parquet(file), self.schema.catalogue)
        except IntertaskError as error:
            where = error.where if error.where.startswith(str(file)) else f"{file} {error.where}"
            raise ArtefactError(where, error.expected, error.found, error.hint) from None


def _with_map(recipe: Recipe, weights: Path) -> Recipe:
    """The recipe, saying so where a task has a map of its own that it would not have today.

    Until detached tasks were trained by themselves, a task that only such ones stood beside had one.
    """
    name, *others = recipe.attached() or [""]
    task = recipe.tasks.get(name)
    if others or not isinstance(task, NextItem):
        return recipe
    with suppress(IntertaskError):  # a damaged file is compared with its checksum next, and named
        if f"tasks.{name}.own.weight" in tensors.forms(weights):
            mapped = task.model_copy(update={"own_map": True})
            return recipe.model_copy(update={"tasks": {**recipe.tasks, name: mapped}})
    return recipe


def _missing(complete: object, table: object, top: set[str] | None = None) -> str:
    """The first option that a complete table has and another has not; empty where it has all."""
    if not isinstance(complete, dict) or not isinstance(table, dict):
        return ""
    for name, value in complete.items():
        if top is not None and name not in top:
            continue
        if name not in table:
            return str(name)
        if inner := _missing(value, table[name]):
            return f"{name}.{inner}"
    return ""
