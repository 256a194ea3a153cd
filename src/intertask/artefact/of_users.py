"""What a model of a log keeps of its users beside their events: what inputs have found, and what is known."""

import json
from collections.abc import Mapping
from pathlib import Path

from intertask.artefact.folder import PEOPLE, READERS, Folder
from intertask.data.parquet import read_parquet
from intertask.data.people import People
from intertask.errors import ArtefactError, IntertaskError
from intertask.inputs import Reader
from intertask.storage.untrusted import json_of, read_bytes

BYTES = 256 << 20  # of readers.json; a million words of 40 attributes


def write(readers: Mapping[str, Reader], people: People | None, folder: Path) -> None:
    """Write both, where there are any."""
    if not readers:
        return
    table = {name: reader.model_dump(mode="json") for name, reader in readers.items()}
    text = json.dumps(table, ensure_ascii=False, allow_nan=False)
    (folder / READERS).write_text(text, encoding="utf-8")
    if people is not None:
        people.table().write_parquet(folder / PEOPLE)


def readers(folder: Folder) -> dict[str, Reader]:
    """What inputs beside the events have found.

    Raises:
        IntertaskError: It is not what the recipe's inputs find.
    """
    inputs = folder.recipe.inputs_of_people
    if bool(inputs) != folder.has(READERS):
        expected = f"{READERS} where [inputs.NAME] reads users, and nowhere else"
        raise ArtefactError(str(folder.folder), expected, "something else")
    if not inputs:
        return {}
    file = folder.file(READERS, BYTES)
    table = json_of(read_bytes(file, BYTES), str(file))
    if not isinstance(table, dict) or table.keys() != inputs.keys():
        raise ArtefactError(str(file), f"readers of the inputs {', '.join(inputs)}", "others")
    try:
        return {name: own.reader(table[name]) for name, own in inputs.items()}
    except ValueError as error:
        line = str(error).splitlines()[0]
        raise ArtefactError(str(file), "what the inputs of the recipe find", line) from None


def people(folder: Folder, known: Mapping[str, Reader]) -> People | None:
    """What is known of the users whose histories are kept.

    Args:
        folder: Of the model.
        known: Its readers.

    Raises:
        IntertaskError: It is no such table, or lacks what the model reads.
    """
    if not folder.has(PEOPLE):
        return None
    if not known:
        raise ArtefactError(str(folder.folder), f"{READERS} beside {PEOPLE}", "none")
    file = folder.file(PEOPLE)
    try:
        found = People.of_table(read_parquet(file), str(file))
    except IntertaskError as error:
        raise ArtefactError(error.where, error.expected, error.found, error.hint) from None
    for reader in known.values():
        for name, kind in reader.columns.items():
            if found.columns.get(name) != kind:
                raise ArtefactError(str(file), f"a {kind} {name!r}", str(found.columns.get(name)))
    return found
