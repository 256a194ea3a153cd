"""What data sets of tagged words share: sentences of the three parts as rows with lists."""

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from intertask.data import token_lines
from intertask.data.rows import Rows

MOST_JOINED = 4_096


def tagged(files: Mapping[str, Path], name: str, word: int = 0, tag: int = -1, joined_words: int = 0) -> Rows:
    """Rows with the input `words` and the label `tags`, in the order of the files.

    Args:
        files: By the part that a file is: train, validation, test.
        name: Of the data set.
        word: Place of the word on a line.
        tag: Place of its tag.
        joined_words: Sentences of a document that follow one another are one row as far as they have at most
            so many words together; 0 for a row each.

    Raises:
        DataError: A file cannot be read as that.
    """
    read = {part: token_lines.read(file, word, tag) for part, file in files.items()}
    parts = []
    for part, found in read.items():
        documents = [f"{part} {document}" for document in found.documents]
        sentences = pl.DataFrame(
            {"words": found.words, "tags": found.tags, "document": documents},
            schema={"words": pl.List(pl.String), "tags": pl.List(pl.String), "document": pl.String},
        )
        parts.append(_joined(sentences, joined_words).with_columns(part=pl.lit(part)))
    return Rows.read(
        pl.concat(parts),
        texts=["words"],
        labels=["tags"],
        several=["tags"],
        part="part",
        group="document" if any(found.documents[-1] for found in read.values()) else None,
        name=name,
    )


def _joined(sentences: pl.DataFrame, most: int) -> pl.DataFrame:
    """Sentences one behind the other, in rows of so many words at most, or of one longer sentence."""
    if not most:
        return sentences
    rows: list[int] = []
    row, room, before = -1, 0, None
    for document, count in sentences.select("document", pl.col("words").list.len()).iter_rows():
        if document != before or count > room:
            row, room, before = row + 1, most, document
        room -= count
        rows.append(row)
    by_row = sentences.with_columns(row=pl.Series(rows, dtype=pl.Int64)).group_by("row", maintain_order=True)
    whole = by_row.agg(pl.col("words").list.explode(), pl.col("tags").list.explode(), pl.first("document"))
    return whole.drop("row")
