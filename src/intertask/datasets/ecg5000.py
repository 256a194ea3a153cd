"""ECG5000: heartbeats of one patient with congestive heart failure, 140 samples each, five kinds.

From INTERTASK_DATA. Terms: none stated (UCR archive, of PhysioNet's BIDMC data base). A demonstration on
public data, no medical device. Source: Chen, Hao, Rakthanmanon, Zakaria, Hu and Keogh, "A general framework
for never-ending learning from time series streams", Data Mining and Knowledge Discovery 29, 2015.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import polars as pl

from intertask.data import fetch
from intertask.data.rows import Rows
from intertask.datasets import RowsDatasetConfig

_ORIGIN = "https://www.timeseriesclassification.com, as ecg5000.npz with train_x, train_y, test_x, test_y"


class Config(RowsDatasetConfig):
    """4,999 beats in their official parts, of which 500 train; label: `beat`, 1 to 5.

    Of class 5 two beats train, of class 3 ten. One of the 4,500 official test beats is missing.
    """

    usual: ClassVar[Mapping[str, str]] = {"beat": "category"}
    kind: Literal["ecg5000"] = "ecg5000"
    medical: ClassVar[bool] = True

    def load(self, folder: Path) -> Rows:
        """The beats.

        Raises:
            DataError: The file is not below INTERTASK_DATA.
        """
        place = fetch.require_local("ecg5000", ("ecg5000.npz",), _ORIGIN)
        with np.load(place / "ecg5000.npz", allow_pickle=False) as held:
            values = np.concatenate([held["train_x"], held["test_x"]])
            kinds = np.concatenate([held["train_y"], held["test_y"]]).astype(np.int64)
            counts = [len(held["train_y"]), len(held["test_y"])]
        columns = [f"volts[{place}]" for place in range(values.shape[1])]
        parts = [word for word, count in zip(("train", "test"), counts, strict=True) for _ in range(count)]
        frame = pl.DataFrame(values, schema=columns).with_columns(
            pl.Series("beat", kinds), pl.Series("part", parts)
        )
        return Rows.read(frame, labels=["beat"], numbers=columns, part="part", name=self.kind)
