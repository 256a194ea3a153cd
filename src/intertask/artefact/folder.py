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
from contextlib import suppress
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, StrictInt, StrictStr, field_validator

from intertask.data.parquet import refuse_large
from intertask.errors import ArtefactError, IntertaskError
from intertask.model import ModelConfig
from intertask.model.blueprint import blueprint
from intertask.model.funnel import step_before
from intertask.nn.dimensions import Dimensions
from intertask.options.config import Config, ConfigType, parse
from intertask.recipe import Recipe
from intertask.recipe.data_section import refuse_mixed
from intertask.storage import tensors
from intertask.storage.tensors import Form
from intertask.storage.untrusted import json_of, open_regular, read_bytes, size_of
from intertask.tasks.next_item import Config as NextItem
from intertask.train import checkpoint
from intertask.train.edges import OPEN_TS

FORMAT = 2  # since 2 the steps of a funnel are calibrated each under its condition, not their products
NEEDED = ("recipe.json", "schema.json", "weights.safetensors")  # of every model
OF_LOGS = ("histories.safetensors", "items.parquet", "users.parquet", "catalogue.parquet")
CONTENT = "content.safetensors"  # of models of logs that read the catalogue
RANKER = "ranker.safetensors"  # of models of logs whose scores are mixed with those of sources
FACTS = "facts.json"  # of models of rows
READERS = "readers.json"  # of models of logs that read what is known of users
PEOPLE = "people.parquet"  # and that, of the users whose histories are kept
FILES = (*NEEDED, *OF_LOGS, CONTENT, RANKER, READERS, PEOPLE, FACTS)
JSON_BYTES = 4 << 20  # of one file
HEADER_BYTES = 8 << 20  # of the weights, beside the numbers
LARGE = 1 << 30  # bytes from which on a file's structure is looked at before its checksum
LARGEST_WEIGHT = 1e6  # products of larger ones leave single precision
CALIBRATION = 1e-3, 1e3


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


class Readable(Protocol):
    """What a model of one kind of data is in memory.

    Attributes:
        needed: Files that it has beside those of every model.
    """

    needed: ClassVar[tuple[str, ...]]

    @classmethod
    def read(cls, folder: "Folder") -> Self:
        """What a folder holds.

        Raises:
            IntertaskError: Names the first file that is not as it must be.
        """
        ...


Kind = TypeVar("Kind", bound=Readable)


def read(folder: Path, kind: type[Kind]) -> Kind:
    """Read a folder that `artefact.save` wrote.

    Args:
        folder: The folder.
        kind: What a model of its kind of data is in memory.

    Raises:
        ArtefactError: Names the first file that is not as it was written.
    """
    manifest = read_manifest(folder)
    try:
        return kind.read(Folder(folder, manifest, kind.needed))
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


class Folder:
    """A folder with its manifest; each file is compared with its checksum before it is used.

    Attributes:
        recipe: As the model was trained.
    """

    def __init__(self, folder: Path, manifest: Manifest, needed: tuple[str, ...]) -> None:
        self.folder, self.manifest = folder, manifest
        self._check_names(needed)
        self._schema = self._json(folder / "schema.json")
        self.recipe = self._recipe(folder / "recipe.json")

    def schema(self, kind: type[ConfigType]) -> ConfigType:
        """What the other files mean, as a kind of data says it.

        Raises:
            IntertaskError: It is another kind's, or contradicts itself.
        """
        return parse(kind, self._schema, str(self.folder / "schema.json"))

    def has(self, name: str) -> bool:
        """Whether the manifest names a file."""
        return name in self.manifest.files

    def file(self, name: str, most: int | None = None) -> Path:
        """A file that is as it was written.

        Args:
            name: Of the file.
            most: Bytes that it may have; a larger one is not read.

        Raises:
            ArtefactError: It is absent, larger, or altered.
        """
        self._need(name)
        self._compare(self.folder / name, most)
        return self.folder / name

    def _need(self, *names: str) -> None:
        for name in names:
            if name not in self.manifest.files:
                raise ArtefactError(
                    f"{self.folder / 'manifest.json'} files", f"the file {name}", "none of that name"
                )

    def _check_names(self, needed: tuple[str, ...]) -> None:
        self._need(*NEEDED, *needed)
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
        try:
            refuse_mixed(recipe)
        except IntertaskError as error:
            raise ArtefactError(f"{file} {error.where}", error.expected, error.found) from None
        if self.manifest.version == importlib.metadata.version("intertask"):
            # An option that is left out would be what it is left out for today; of an older version that is
            # right, as it did not have the option.
            options = set(ModelConfig.model_fields) - {"items"}  # left out it is the table that it always was
            missing = _missing(json.loads(recipe.to_json()), table, options)
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

    def weights(self, dimensions: Dimensions) -> dict[str, NDArray[np.generic]]:
        """The weights of the recipe's model, which `recipe` then is as they were trained.

        Raises:
            IntertaskError: They are those of another model, or no numbers that it can have.
        """
        file = self.folder / "weights.safetensors"
        self.recipe = _with_map(self.recipe, file)
        try:
            planned = checkpoint.weights(blueprint(self.recipe, dimensions))
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
