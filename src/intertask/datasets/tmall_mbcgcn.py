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
* Nor do a user's training carts hold the tested cart, or the training views the tested view.
"""

from collections.abc import Sequence
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
from intertask.options.seeds import generator

_ORIGIN = "the repository of MB-CGCN (Data; training views from its matrix), as rows of user_id and item_id"
_BEHAVIOURS = ("buy", "cart", "view")
_TRAINED = ~pl.col("tested")


class Config(DatasetConfig):
    """Tmall, in an order that is drawn; leave-one-out tests published test rows and nothing else.

    A user's training events of all behaviours stand in an order drawn for this user alone, whatever the order
    of the rows. One of the behaviour that the user is asked about, drawn likewise, comes behind them, to be
    validated, and the published test row of this behaviour comes last. Both stand about as often among the
    user's training rows of the other behaviours: validated and tested buys 83.3 and 83.2 %, carts 66.7 and
    66.3 %, views 22.7 and 22.6 %. All 15,449 users have two training rows of each behaviour at least; files
    in which someone has none of a behaviour that is asked about, or not one test row, are refused.

    The other test rows are left out, so that training knows what it knew when it was published. Of the tested
    buys 311 stand in those rows and in no other of their user; they count as unvisited.

    What an order that is drawn means: a buy stands before the view that led to it as often as behind it, so
    "next" says what goes together, not what follows. While training about half as many items have been
    visited as when asked (43.8 % of buys), and the event before the tested one, the validated one, is always
    of its behaviour.

    In the published protocol a user's training buys are no candidates; with the history kept they are.

    Args:
        asked: What a user is asked about. "buy": buys, as published; views and carts are trained as tasks,
            but have no metric, neither to choose an epoch by nor to report, and cannot be set against
            themselves alone. "each": one of the three behaviours, drawn for this user alone, so that every
            task has a metric and tasks can be compared; only a third of the published test buys is asked then
            (5,182 with seed 0).
        seed: Seed of the draws: which behaviour each user is asked about, and the orders.
    """

    kind: Literal["tmall_mbcgcn"] = "tmall_mbcgcn"
    asked: Literal["buy", "each"] = "buy"
    seed: int = Field(default=0, ge=0, lt=2**63)

    def load(self, folder: Path) -> Loaded:
        """Training events and one test event of each user, with a drawn `order`; no catalogue.

        Raises:
            DataError: The files are not below INTERTASK_DATA, or someone has no training event or not one
                test event of a behaviour that is asked about.
        """
        asked = _BEHAVIOURS if self.asked == "each" else ("buy",)
        files = [(name, "train") for name in _BEHAVIOURS] + [(name, "test") for name in asked]
        place = fetch.require_local("tmall-mbcgcn", [_file(*file) for file in files], _ORIGIN)
        rows = pl.concat([_rows(place, *file) for file in files])
        for behaviour in asked:
            _check(place, rows, behaviour)
        users = rows["user"].unique()
        turns = pl.DataFrame({"user": users, "turn": [self._turn(user, asked) for user in users]})
        rows = rows.join(turns, on="user").with_columns((pl.col("behaviour") == pl.col("turn")).alias("own"))
        # A user's training events that may be validated first, the test event last, and nothing left of the
        # order in the files.
        rows = rows.filter(pl.col("own") | _TRAINED)
        rows = rows.sort("user", "tested", ~pl.col("own"), "behaviour", "item")
        counts = rows.group_by("user", maintain_order=True).agg(
            _TRAINED.sum().alias("trained"), (_TRAINED & pl.col("own")).sum()
        )
        order = np.concatenate([self._order(*user) for user in counts.iter_rows()])
        events = rows.with_columns(pl.Series("order", order))
        return Loaded(EventLog.read(events, order="order", behaviour="behaviour", name=self.kind), None)

    def _turn(self, user: int, asked: Sequence[str]) -> str:
        return asked[int(generator(self.seed, self.kind, "asked", user).integers(len(asked)))]

    def _order(self, user: int, trained: int, own: int) -> NDArray[np.int64]:
        draw = generator(self.seed, self.kind, user)
        order = np.append(draw.permutation(trained), trained + 1)
        # Drawn for itself: the last of its behaviour in the order would leave the others at its beginning.
        order[draw.integers(own)] = trained
        return order


def _file(behaviour: str, part: str) -> str:
    return f"{behaviour}_{part}.parquet"


def _rows(place: Path, behaviour: str, part: str) -> pl.DataFrame:
    file = place / _file(behaviour, part)
    with reading(str(file)):
        frame = pl.read_parquet(file, columns=["user_id", "item_id"])
    return frame.select(
        pl.col("user_id").alias("user"),
        pl.col("item_id").alias("item"),
        pl.lit(behaviour).alias("behaviour"),
        pl.lit(part == "test").alias("tested"),
    )


def _check(place: Path, rows: pl.DataFrame, behaviour: str) -> None:
    """Leave-one-out would take some other event for the validated or the tested one."""
    own = pl.col("behaviour") == behaviour
    users = rows.group_by("user").agg(
        (own & _TRAINED).sum().alias("train"), (own & ~_TRAINED).sum().alias("test")
    )
    users = users.sort("user")
    for part, expected, found, wrong in (
        ("test", f"one test {behaviour} of each user", "none or several", pl.col("test") != 1),
        ("train", f"a training {behaviour} of each user, to be validated", "none", pl.col("train") == 0),
    ):
        bad = users.filter(wrong)
        if bad.height:
            raise DataError(
                str(place / _file(behaviour, part)),
                expected,
                f"{found} of {bad.height:,} of {users.height:,} users, user {bad['user'][0]} the first",
                f"take the files as they were published, from {_ORIGIN}",
            )
