"""What data sets of tagged words share: sentences of the three parts as rows with lists."""

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from intertask.data import token_lines
from intertask.data.rows import Rows


def tagged(files: Mapping[str, Path], name: str, word: int = 0, tag: int = -1) -> Rows:
    """Rows with the input `words` and the label `tags`, in the order of the files.

    Args:
        files: By the part that a file is: train, validation, test.
        name: Of the data set.
        word: Place of the word on a line.
        tag: Place of its tag.

    Raises:
        DataError: A file cannot be read as that.
    """
    read = {part: token_lines.read(file, word, tag) for part, file in files.items()}
    parts = []
    for part, found in read.items():
        documents = [f"{part} {document}" for document in found.documents]
        parts.append(
            pl.DataFrame(
                {"words": found.words, "tags": found.tags, "document": documents},
                schema={"words": pl.List(pl.String), "tags": pl.List(pl.String), "document": pl.String},
            ).with_columns(part=pl.lit(part))
        )
    return Rows.read(
        pl.concat(parts),
        texts=["words"],
        labels=["tags"],
        several=["tags"],
        part="part",
        group="document" if any(found.documents[-1] for found in read.values()) else None,
        name=name,
    )
