"""What the sets of BBT-FinCUGE share: lists of texts with labels, whose test texts may also train."""

import gzip
import json
from pathlib import Path

import polars as pl

from intertask.data import fetch
from intertask.errors import DataError

FILES = {"train": "train_list.json.gz", "test": "eval_list.json.gz"}
_ORIGIN = "https://github.com/ssymmetry/BBT-FinCUGE-Applications, folder FinCUGE_Publish"


def lists(name: str) -> pl.DataFrame:
    """Columns text, label and part; texts that train and test are left to training.

    Args:
        name: Of the folder.

    Raises:
        DataError: The files are not below INTERTASK_DATA, or hold something else.
    """
    place = fetch.require_local(name, tuple(FILES.values()), _ORIGIN)
    parts = [_list(place / file).with_columns(part=pl.lit(part)) for part, file in FILES.items()]
    return pl.concat(parts)


def _list(file: Path) -> pl.DataFrame:
    try:
        rows = json.loads(gzip.decompress(file.read_bytes()))
        pairs = [(str(text).strip(), str(label)) for text, label in rows]
    except (OSError, EOFError, ValueError, TypeError) as error:
        raise DataError(str(file), "a list of texts with labels", str(error)) from None
    return pl.DataFrame(pairs, schema={"text": pl.String, "label": pl.String}, orient="row")
