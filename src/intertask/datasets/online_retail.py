"""UCI Online Retail: purchases and returns of a British gift shop, December 2010 to December 2011.

From INTERTASK_DATA. Terms: CC BY 4.0. Source: Chen, Sain and Guo, "Data mining for the online retail
industry", Journal of Database Marketing 19(3), 2012; https://doi.org/10.24432/C5BW33.
"""

from pathlib import Path
from typing import Literal

import polars as pl

from intertask.data import fetch
from intertask.data.catalogue import Catalogue
from intertask.data.event_log import EventLog
from intertask.datasets import DatasetConfig, Loaded

_ORIGIN = "https://archive.ics.uci.edu/dataset/352/online+retail, as online_retail.parquet"

# Postage, carriage, discounts, fees, samples, corrections by hand: not things that one could recommend.
SERVICES = ("POST", "DOT", "C2", "M", "D", "S", "B", "BANK CHARGES", "AMAZONFEE", "CRUK")


class Config(DatasetConfig):
    """Online Retail: the behaviours "purchase" and "return", times to the minute (British local time).

    Left out before reading: service codes (`SERVICES`) and stock corrections (a quantity of zero or less
    without a cancelled invoice). Refused, and so in the report: rows without a customer, a quarter of all.
    Repeated lines of one invoice are kept, as they cannot be told from two purchases. Items of one invoice
    have equal times and stay in the invoice's order.

    Labels: `quantity` (pieces, positive for returns, too) and `unit_price` (pounds). `country` is kept.
    """

    kind: Literal["online_retail"] = "online_retail"

    def load(self, folder: Path) -> Loaded:
        """Invoice lines as events; stock codes with their most frequent description.

        Raises:
            DataError: The file is not below INTERTASK_DATA.
        """
        place = fetch.require_local("online-retail", ("online_retail.parquet",), _ORIGIN)
        lines = pl.read_parquet(place / "online_retail.parquet")
        cancelled = pl.col("InvoiceNo").str.starts_with("C")
        goods = lines.filter(
            ~pl.col("StockCode").str.to_uppercase().is_in(SERVICES), cancelled | (pl.col("Quantity") > 0)
        ).with_columns(
            pl.when(cancelled).then(pl.lit("return")).otherwise(pl.lit("purchase")).alias("behaviour"),
            pl.col("Quantity").abs(),
        )
        events = EventLog.read(
            goods.rename({"Country": "country"}),
            user="CustomerID",
            item="StockCode",
            time="InvoiceDate",
            behaviour="behaviour",
            labels={"quantity": "Quantity", "unit_price": "UnitPrice"},
            keep=["country"],
            name=self.kind,
        )
        return Loaded(
            events, Catalogue.read(_titles(goods), item="StockCode", text=["title"], name=self.kind)
        )


def _titles(goods: pl.DataFrame) -> pl.DataFrame:
    """The description that stands most often beside each stock code; of equal ones the first by letter."""
    described = goods.with_columns(pl.col("Description").str.strip_chars().alias("title"))
    counted = described.group_by("StockCode", "title").len()
    preferred = counted.sort("StockCode", pl.col("title").is_null(), -pl.col("len").cast(pl.Int64), "title")
    return preferred.unique("StockCode", keep="first", maintain_order=True).select("StockCode", "title")
