"""PneumoniaMNIST: X-rays of the chests of children, 28 x 28 pixels, with and without pneumonia.

From INTERTASK_DATA. Terms: CC BY 4.0. A demonstration on public data, no medical device. Source: Yang et al.,
"MedMNIST v2 - A large-scale lightweight benchmark for 2D and 3D biomedical image classification", Scientific
Data 10, 2023; Kermany et al., Cell 172, 2018.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import polars as pl

from intertask.data import fetch
from intertask.data.rows import Rows
from intertask.datasets import RowsDatasetConfig
from intertask.datasets._pictures import as_files

_ORIGIN = "https://medmnist.com, as pneumoniamnist.npz"
_PARTS = {"train": "train", "val": "validation", "test": "test"}


class Config(RowsDatasetConfig):
    """5,856 pictures in their official parts; label: `pneumonia`.

    The test part was taken otherwise than the others: 62 of 100 are ill there, 74 of 100 in training.
    """

    usual: ClassVar[Mapping[str, str]] = {"pneumonia": "category"}
    kind: Literal["pneumoniamnist"] = "pneumoniamnist"
    medical: ClassVar[bool] = True

    def load(self, folder: Path) -> Rows:
        """The pictures, part by part.

        Raises:
            DataError: The file is not below INTERTASK_DATA.
        """
        place = fetch.require_local("pneumoniamnist", ("pneumoniamnist.npz",), _ORIGIN)
        with np.load(place / "pneumoniamnist.npz", allow_pickle=False) as held:
            pictures = np.concatenate([held[f"{part}_images"] for part in _PARTS])
            ill = np.concatenate([held[f"{part}_labels"].ravel() for part in _PARTS])
            parts = [word for part, word in _PARTS.items() for _ in held[f"{part}_labels"]]
        frame = pl.DataFrame(
            {
                "picture": as_files(self.kind, pictures),
                "pneumonia": np.where(ill == 1, "yes", "no"),
                "part": parts,
            }
        )
        return Rows.read(frame, files=["picture"], labels=["pneumonia"], part="part", name=self.kind)
