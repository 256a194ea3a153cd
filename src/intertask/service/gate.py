"""Whether a candidate may be published by itself: judged by the newest events, which are new to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intertask.service.loaded import Loaded
from intertask.service.questions import Question, Step, Value

K = 10
MOST_USERS = 2_000
LEAST_USERS = 20
TOGETHER = 32
LOSS = 0.01  # of what the active model reaches, that the interval must exclude
QUANTILE = 1.96


@dataclass(frozen=True)
class Verdict:
    """How a candidate did: NDCG@10 of the next items of users with new events.

    Args:
        users: How many.
        candidate: Its mean.
        popularity: That of the most frequent items.
        active: That of the active model; None where nothing is published.
        low: The lower end of the 95 % interval of candidate minus active.
        passed: Whether it beats popularity, and a loss of over 1 % against the active model is excluded.
        reason: Why not.
    """

    users: int
    candidate: float
    popularity: float
    active: float | None
    low: float | None
    passed: bool
    reason: str


def compare(
    candidate: Loaded,
    active: Loaded | None,
    before: pl.DataFrame,
    newest: pl.DataFrame,
    people: Mapping[str, Mapping[str, Value]] | None = None,
) -> Verdict:
    """Judge a candidate.

    Args:
        candidate: Trained on `before`.
        active: The model that answers now; it may have seen the newest events, which helps it.
        before: Events by time: user, item, behaviour, time.
        newest: Those behind them.
        people: Properties of users, for models that read them.
    """
    targets = newest.unique("user", keep="first", maintain_order=True)[:MOST_USERS]
    users = targets["user"].to_list()
    known = (
        before.filter(pl.col("user").is_in(users))
        .group_by("user", maintain_order=True)
        .agg("item", "behaviour", pl.col("time").dt.epoch("us").alias("time"))
    )
    histories = {
        user: list(zip(items, behaviours, times, strict=True))
        for user, items, behaviours, times in known.iter_rows()
    }
    wanted = list(targets.select("user", "item").iter_rows())
    ours = _gains(candidate, wanted, histories, people or {})
    usual = _popular_gains(candidate, wanted, histories)
    theirs = None if active is None else _gains(active, wanted, histories, people or {})
    low = None
    if theirs is not None and len(ours) > 1:
        differences = ours - theirs
        low = float(differences.mean() - QUANTILE * differences.std(ddof=1) / np.sqrt(len(differences)))
    means = [None if one is None else float(one.mean()) if len(one) else 0.0 for one in (ours, usual, theirs)]
    reason = _reason(len(ours), means[0] or 0.0, means[1] or 0.0, means[2], low)
    return Verdict(len(ours), means[0] or 0.0, means[1] or 0.0, means[2], low, not reason, reason)


def _reason(users: int, ours: float, usual: float, theirs: float | None, low: float | None) -> str:
    """Why a candidate is not published by itself; empty where it is."""
    if users < LEAST_USERS:
        return f"{users} users with new events are too few to judge by; {LEAST_USERS} are needed"
    if ours <= usual:
        return f"NDCG@10 of {ours:.4f} does not beat that of popularity, {usual:.4f}"
    if theirs is not None and low is not None and low < -LOSS * theirs:
        return f"a loss against the active model is not excluded: {ours:.4f}, {theirs:.4f} before"
    return ""


def _gains(
    model: Loaded,
    wanted: list[tuple[str, str]],
    histories: dict[str, list[Step]],
    people: Mapping[str, Mapping[str, Value]],
) -> NDArray[np.float64]:
    gains = []
    for start in range(0, len(wanted), TOGETHER):
        part = wanted[start : start + TOGETHER]
        prepared = [
            model.prepare(
                Question(tenant=0, person=None, k=K),
                histories.get(user, []),
                _left_out(model, item, histories.get(user, [])),
                person=partial(_of, people, user),
            )
            for user, item in part
        ]
        ranked, _ = model.rank(prepared)
        for row, (_, item) in enumerate(part):
            gains.append(_gain(model.names(ranked.items_BK[row][ranked.filled_BK[row]]), item))
    return np.array(gains)


def _of(people: Mapping[str, Mapping[str, Value]], user: str) -> Mapping[str, Value]:
    return people.get(user, {})


def _popular_gains(
    model: Loaded, wanted: list[tuple[str, str]], histories: dict[str, list[Step]]
) -> NDArray[np.float64]:
    """Of the most frequent items, without those that the model leaves out as well."""
    most = max((len(steps) for steps in histories.values()), default=0)
    names = [name for name, _ in model.popular(K + most, None)]
    gains = []
    for user, item in wanted:
        out = set(_left_out(model, item, histories.get(user, [])))
        gains.append(_gain([name for name in names if name not in out][:K], item))
    return np.array(gains)


def _left_out(model: Loaded, wanted: str, steps: list[Step]) -> list[str]:
    """Items of the history, where the recipe leaves them out and none of them is the wanted one."""
    seen = [item for item, _, _ in steps]
    return seen if model.masks_seen and wanted not in seen else []


def _gain(names: list[str], item: str) -> float:
    return 1 / np.log2(2 + names.index(item)) if item in names else 0.0
