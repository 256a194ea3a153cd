"""What data sets of tagged words share: sentences of the three parts as rows with lists."""

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from intertask.data import token_lines
from intertask.data.rows import Rows

MOST_JOINED = 4_096
TAGS = {"tags": -1}


def tagged(
    files: Mapping[str, Path],
    name: str,
    word: int = 0,
    joined_words: int = 0,
    labels: Mapping[str, int] = TAGS,
) -> Rows:
    """Rows with the input `words` and labels of lists, in the order of the files.

    Args:
        files: By the part that a file is: train, validation, test.
        name: Of the data set.
        word: Place of the word on a line.
        joined_words: Sentences of a document that follow one another are one row as far as they have at most
            so many words together; 0 for a row each.
        labels: Name and place on a line of what is said of each word.

    Raises:
        DataError: A file cannot be read as that.
    """
    parts, bordered = [], False
    for part, file in files.items():
        read = {label: token_lines.read(file, word, place) for label, place in labels.items()}
        found = next(iter(read.values()))
        bordered |= bool(found.documents[-1])
        words = pl.Series("words", found.words, pl.List(pl.String))
        told = [pl.Series(label, own.tags, pl.List(pl.String)) for label, own in read.items()]
        documents = pl.Series("document", [f"{part} {document}" for document in found.documents], pl.String)
        sentences = pl.DataFrame([words, *told, documents])
        parts.append(_joined(sentences, joined_words).with_columns(part=pl.lit(part)))
    return Rows.read(
        pl.concat(parts),
        texts=["words"],
        labels=list(labels),
        several=list(labels),
        part="part",
        group="document" if bordered else None,
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
    whole = by_row.agg(pl.exclude("row", "document").list.explode(), pl.first("document"))
    return whole.drop("row")
