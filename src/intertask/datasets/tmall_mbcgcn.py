"""Tmall as MB-CGCN prepared it: what people viewed, put in the cart and bought, without times or order.

From INTERTASK_DATA only; no terms are stated, so for local use. Source: Cheng et al., "Multi-Behavior
Recommendation with Cascading Graph Convolution Networks", WWW 2023.

Published are a training part and, for each behaviour, one test row a user; there is no validation part.
What the files tell was counted:

* Views are sets. Carts and buys are lists, but the mean place of an item in them varies from item to item no
  more than in shuffled ones. So nothing here says what came first.
* Items are numbered by their first buyer, test rows included: those that user 0 bought are 0 to 12, and so on
  for all 5,122 users who were first to buy something. So the numbers tell what is tested, and rows in their
  order would. They are names here; nothing may read them as numbers.
* The training views of its user hold 79.7 % of the tested buys (12,315 of 15,449), views and carts 83.2 %,
  the training buys none. So what is asked is mostly which of the things seen was bought: ask with
  `history = ["kept"]` and report visited and unvisited items apart. Masked, 2,597 targets are left.
"""

from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from intertask.data import fetch
from intertask.data.event_log import EventLog
from intertask.data.tables import reading
from intertask.datasets import DatasetConfig, Loaded
from intertask.errors import DataError
from intertask.seeds import generator

_ORIGIN = "the repository of MB-CGCN (Data; training views from its matrix), as rows of user_id and item_id"
_PARTS = {f"{behaviour}_train.parquet": behaviour for behaviour in ("buy", "cart", "view")}
_TEST = "buy_test.parquet"


class Config(DatasetConfig):
    """Tmall, in an order that is drawn; leave-one-out tests exactly the published test buys.

    A user's training events of all behaviours stand in an order drawn for this user alone, whatever the order
    of the rows. One of the training buys, drawn likewise, comes behind them, to be validated: such a one has
    been viewed as often (79.3 %) as the tested one, which comes last. All 15,449 users have two training buys
    at least; files in which someone has none, or not one test buy, are refused.

    The test views and test carts are left out, so that training knows what it knew when it was published.
    Nobody is asked about a view or a cart: as tasks they are trained, but have no metric, neither to choose
    an epoch by nor to report, and cannot be set against themselves alone. Of the tested buys 311 stand in
    those rows and in no other of their user; they count as unvisited.

    What an order that is drawn means: a buy stands before the view that led to it as often as behind it, so
    "next" says what goes together, not what follows. While training fewer buys have been visited (43.8 %)
    than when asked, and the event before the tested one is always a buy, the validated one.

    In the published protocol a user's training buys are no candidates; with the history kept they are.

    Args:
        seed: Of the draw.
    """

    kind: Literal["tmall_mbcgcn"] = "tmall_mbcgcn"
    seed: int = Field(default=0, ge=0)

    def load(self, folder: Path) -> Loaded:
        """Training events and test buys, with a drawn `order`; no catalogue.

        Raises:
            DataError: The files are not below INTERTASK_DATA, or someone has no training buy or not one test
                buy.
        """
        place = fetch.require_local("tmall-mbcgcn", (*_PARTS, _TEST), _ORIGIN)
        parts = [_rows(place / file, behaviour, tested=False) for file, behaviour in _PARTS.items()]
        rows = pl.concat([*parts, _rows(place / _TEST, "buy", tested=True)])
        # A user's training buys first, the test buy last, and nothing left of the order in the files.
        rows = rows.sort("user", "tested", "behaviour", "item")
        trained = ~pl.col("tested")
        users = rows.group_by("user", maintain_order=True).agg(
            trained.sum().alias("trained"),
            (trained & (pl.col("behaviour") == "buy")).sum().alias("buys"),
            pl.col("tested").sum(),
        )
        _check(place, users)
        order = np.concatenate([self._order(*user) for user in users.drop("tested").iter_rows()])
        events = rows.with_columns(pl.Series("order", order))
        return Loaded(EventLog.read(events, order="order", behaviour="behaviour", name=self.kind), None)

    def _order(self, user: int, trained: int, buys: int) -> NDArray[np.int64]:
        draw = generator(self.seed, self.kind, user)
        order = np.append(draw.permutation(trained), trained + 1)
        # Drawn for itself: the last buy of the order would leave the others at its beginning.
        order[draw.integers(buys)] = trained
        return order


def _rows(file: Path, behaviour: str, *, tested: bool) -> pl.DataFrame:
    with reading(str(file)):
        frame = pl.read_parquet(file, columns=["user_id", "item_id"])
    return frame.select(
        pl.col("user_id").alias("user"),
        pl.col("item_id").alias("item"),
        pl.lit(behaviour).alias("behaviour"),
        pl.lit(tested).alias("tested"),
    )


def _check(place: Path, users: pl.DataFrame) -> None:
    """Leave-one-out would take some other event for the validated or the tested buy."""
    for file, expected, found, bad in (
        (_TEST, "one test buy of each user", "none or several", users.filter(pl.col("tested") != 1)),
        ("buy_train.parquet", "a training buy of each user, to be validated", "none", users.filter(buys=0)),
    ):
        if bad.height:
            raise DataError(
                str(place / file), expected,
                f"{found} of {bad.height:,} of {users.height:,} users, user {bad['user'][0]} the first",
                f"take the files as they were published, from {_ORIGIN}",
            )  # fmt: skip
