"""StockNet's prices: 88 shares of nine industries, day by day from September 2012 to September 2017.

From INTERTASK_DATA. Terms: MIT; the prices are Yahoo Finance's. Source: Xu and Cohen, "Stock Movement
Prediction from Tweets and Historical Prices", ACL 2018; https://github.com/yumoxu/stocknet-dataset.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from intertask.data import fetch, series
from intertask.data.rows import Rows
from intertask.datasets import RowsDatasetConfig

COLUMNS = ("Adj Close", "Open", "High", "Low", "Close", "Volume")
_ORIGIN = "https://github.com/yumoxu/stocknet-dataset, price/raw as one file prices.csv.gz"


class Config(RowsDatasetConfig):
    """Windows of the last days of a share.

    Windows hold the log of how much each column gained against the day before; the label `Adj Close+1` is the
    log of how much the share gains by the next day. Rows of one day are one group. Three rows without numbers
    are left out, with the windows that would hold them.

    Args:
        window: Days of a window.
        horizon: Days ahead.
    """

    usual: ClassVar[Mapping[str, str]] = {}
    kind: Literal["stocknet_prices"] = "stocknet_prices"
    window: int = Field(default=20, ge=1, le=250)
    horizon: int = Field(default=1, ge=1, le=250)

    def load(self, folder: Path) -> Rows:
        """The windows.

        Raises:
            DataError: The file is not below INTERTASK_DATA.
        """
        place = fetch.require_local("stocknet-prices", ("prices.csv.gz",), _ORIGIN)
        cut = series.Series(
            time="Date",
            group="Symbol",
            columns=COLUMNS,
            window=self.window,
            horizons=(self.horizon,),
            changes="log",
            target_change="log",
            missing="leave_out",
        )
        return series.read(place / "prices.csv.gz", cut, self.kind)
