"""What a recommender keeps beside recipe and weights: the ids, the users' events, the catalogue.

schema.json          behaviours, sizes, roles of the catalogue's columns
histories.safetensors  the users' events, flat; without users where they were not to be kept
items.parquet, users.parquet  ids in the order of their indices
catalogue.parquet    where there is one
content.safetensors  what it says of each item, where the model reads that
ranker.safetensors   sources and what mixes them with the model, where there is a ranker
readers.json         what inputs beside the events have found in the users that trained, where there are any
people.parquet       what is known of the users whose histories are kept
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, StrictInt, StrictStr, field_validator
from safetensors.numpy import save_file

from intertask.artefact import described as described_items
from intertask.artefact import of_users
from intertask.artefact.folder import RANKER, Folder
from intertask.content.described import Described
from intertask.content.reader import Found
from intertask.data.catalogue import Catalogue
from intertask.data.parquet import read_parquet
from intertask.data.people import People
from intertask.data.sequences import Sequences
from intertask.data.vocabulary import Vocabulary
from intertask.errors import ArtefactError, IntertaskError
from intertask.inputs import Reader
from intertask.nn.dimensions import Dimensions
from intertask.options.config import Config
from intertask.ranking import Ranker, keeping
from intertask.recipe import Recipe
from intertask.storage import tensors
from intertask.storage.tensors import Form

MAX_BEHAVIOURS = 255
MOST_EVENTS = 2**62  # of all items together

Count = Annotated[StrictInt, Field(ge=0, lt=2**31)]


class Schema(Config):
    """What the arrays mean."""

    behaviours: tuple[StrictStr, ...] = Field(min_length=1, max_length=MAX_BEHAVIOURS)
    num_items: Annotated[Count, Field(ge=1)]
    num_users: Count
    has_times: Annotated[bool, Field(strict=True)]
    catalogue: dict[StrictStr, list[StrictStr]] = {}  # role -> columns
    ranker: keeping.Outline | None = None
    weights: Literal["evaluated", "refitted"] = (
        "evaluated"  # those that were measured, or others on all events
    )
    described: Found | None = None  # in the catalogue's rows of the training items

    @field_validator("behaviours")
    @classmethod
    def _each_once(cls, behaviours: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(behaviours)) < len(behaviours):
            raise ValueError("each behaviour once")
        return behaviours

    def dimensions(self, recipe: Recipe) -> Dimensions:
        """The sizes of a model for this log."""
        return Dimensions(
            recipe.width,
            recipe.max_length,
            tuple(recipe.tasks),
            self.num_items,
            self.behaviours,
            self.has_times,
        )


@dataclass(frozen=True)
class LogArtefact:
    """Everything that answers a request to a recommender.

    Args:
        recipe: As it was trained.
        behaviours: Names, in the order of their codes.
        items: Ids of the items.
        users: Ids of the users whose histories are kept.
        weights: Name -> array.
        histories: The users' events.
        popularity: int64 [behaviours, items], training events: the answer to an empty history.
        catalogue: What there is.
        refitted: Whether it was trained on all events, once another model had been evaluated.
        described: What the catalogue says of each item, where the model reads it.
        ranker: What mixes the scores of the tasks with those of sources; None where the model ranks alone.
        readers: What inputs beside the events have found in the users that trained, by their names.
        people: What is known of users; None where nobody's histories are kept.
    """

    needed: ClassVar[tuple[str, ...]] = ("histories.safetensors", "items.parquet", "users.parquet")

    recipe: Recipe
    behaviours: tuple[str, ...]
    items: Vocabulary
    users: Vocabulary
    weights: Mapping[str, NDArray[np.generic]]
    histories: Sequences
    popularity: NDArray[np.int64]
    catalogue: Catalogue | None
    refitted: bool = False
    described: Described | None = None
    ranker: Ranker | None = None
    readers: Mapping[str, Reader] = field(default_factory=dict)
    people: People | None = None

    def write(self, folder: Path) -> None:
        """Write what a recommender keeps beside recipe and weights."""
        histories = self.histories
        schema = Schema(
            behaviours=self.behaviours,
            num_items=len(self.items),
            num_users=len(self.users),
            has_times=histories.times is not None,
            catalogue={} if self.catalogue is None else self.catalogue.roles(),
            weights="refitted" if self.refitted else "evaluated",
            described=None if self.described is None else self.described.reader.found,
            ranker=None if self.ranker is None else keeping.outline(self.ranker),
        )
        unsaid = {name: True for name in ("ranker",) if self.ranker is None}  # as before there were any
        if schema.described is None or schema.described.own is None:
            told = schema.model_dump_json(indent=1, exclude=unsaid | {"described": {"own"}})
        else:
            told = schema.model_dump_json(indent=1, exclude=unsaid)
        (folder / "schema.json").write_text(told, encoding="utf-8")
        if self.ranker is not None:
            save_file(keeping.arrays(self.ranker), folder / RANKER)
        arrays: dict[str, NDArray[np.generic]] = {
            "offsets": histories.offsets,
            "items": histories.items,
            "behaviours": histories.behaviours,
            "popularity": self.popularity,
        }
        if histories.times is not None:
            arrays["times"] = histories.times
        save_file(
            {name: np.ascontiguousarray(array) for name, array in arrays.items()},
            folder / "histories.safetensors",
        )
        self.items.ids.rename("id").to_frame().write_parquet(folder / "items.parquet")
        self.users.ids.rename("id").to_frame().write_parquet(folder / "users.parquet")
        if self.catalogue is not None:
            self.catalogue.frame.write_parquet(folder / "catalogue.parquet")
        if self.described is not None:
            described_items.write(self.described, folder)
        of_users.write(self.readers, self.people, folder)

    @classmethod
    def read(cls, folder: Folder) -> Self:
        """All of it.

        Raises:
            IntertaskError: Names the first file that is not as it must be.
        """
        if folder.recipe.reads_rows:
            raise ArtefactError(
                str(folder.folder / "recipe.json"), "a recipe of a log", "one of rows of a table"
            )
        schema = folder.schema(Schema)
        described = None
        if (schema.described is not None) != folder.recipe.items.reads_catalogue:
            raise ArtefactError(
                str(folder.folder / "schema.json"), "content where the items are made of it alone", "others"
            )
        if schema.described is not None:
            described = described_items.read(folder, schema.described, schema.num_items)
        readers = of_users.readers(folder)
        dimensions = replace(schema.dimensions(folder.recipe), described=described, fields=readers)
        weights = folder.weights(dimensions)
        histories, popularity = _histories(folder, schema)
        items, users = (folder.file(name) for name in ("items.parquet", "users.parquet"))
        catalogue = None
        if bool(schema.catalogue) != folder.has("catalogue.parquet"):
            raise ArtefactError(
                str(folder.folder), "a catalogue and the roles of its columns, or neither", "one of the two"
            )
        if schema.catalogue:
            catalogue = _catalogue(folder, schema)
        return cls(
            folder.recipe,
            schema.behaviours,
            Vocabulary.read(items, schema.num_items),
            Vocabulary.read(users, schema.num_users),
            weights,
            histories,
            popularity,
            catalogue,
            schema.weights == "refitted",
            described,
            _ranker(folder, schema),
            readers,
            of_users.people(folder, readers),
        )


def _histories(folder: Folder, schema: Schema) -> tuple[Sequences, NDArray[np.int64]]:
    file = folder.file("histories.safetensors")
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


def _ranker(folder: Folder, schema: Schema) -> Ranker | None:
    if (schema.ranker is not None) != folder.has(RANKER):
        expected = f"a ranker in the schema and {RANKER}, or neither"
        raise ArtefactError(str(folder.folder), expected, "one of the two")
    if schema.ranker is None:
        return None
    file = folder.file(RANKER)
    tensors.forms(file)
    found, recipe = tensors.read(file), folder.recipe
    return keeping.restored(
        schema.ranker, found, recipe.ranker, recipe.tasks_that_rank(), schema.num_items, str(file)
    )


def _catalogue(folder: Folder, schema: Schema) -> Catalogue:
    file = folder.file("catalogue.parquet")
    try:
        return Catalogue.from_roles(read_parquet(file), schema.catalogue)
    except IntertaskError as error:
        where = error.where if error.where.startswith(str(file)) else f"{file} {error.where}"
        raise ArtefactError(where, error.expected, error.found, error.hint) from None
