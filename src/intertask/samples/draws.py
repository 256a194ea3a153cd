"""Rows in an order that is drawn: labels in proportion, groups whole."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intertask.data.rows import Rows
from intertask.options.seeds import generator

Places = NDArray[np.int64]
MOST_STRATA = 100  # labels of more different values are not kept in proportion


def manner(rows: Rows, stratified: bool, grouped: bool) -> str:
    """How rows are drawn, in words."""
    label = _stratum(rows) if stratified else None
    return (f", stratified by {label}" if label else "") + (", whole groups" if grouped else "")


def _stratum(rows: Rows) -> str | None:
    """The first label, if it is one of a few values."""
    for name, kind in rows.labels.schema.items():
        fits = kind == pl.String and rows.labels[name].n_unique() <= MOST_STRATA
        return name if fits else None
    return None


def set_aside(rows: Rows, train: Places, share: float, seed: int) -> tuple[Places, Places]:
    """A share of the training rows, with the labels in proportion, for validation."""
    drawn = order(rows, train, True, False, seed)
    return train[drawn >= share], train[drawn < share]


def order(rows: Rows, places: Places, stratified: bool, grouped: bool, seed: int) -> NDArray[np.float64]:
    """A random number of 0 to 1 for each of some rows, the same within a group, even within each stratum."""
    random = generator(seed, "split")
    label = _stratum(rows) if stratified else None
    strata = np.zeros(len(places), np.int64)
    if label is not None:  # by the spelling, so that the same rows in another order have the same strata
        strata = rows.labels[label][places].rank("dense").fill_null(0).to_numpy().astype(np.int64)
    units = np.arange(len(places))
    if grouped:
        groups = rows.role("group", "[split] grouped")[places].rank("dense").to_numpy().astype(np.int64)
        _, first, units = np.unique(groups, return_index=True, return_inverse=True)
        strata = strata[first]  # a group is where its first row is
    sizes = np.bincount(units)
    place_of = np.empty(len(sizes))
    for stratum in np.unique(strata[: len(sizes)]):
        own = random.permutation(np.flatnonzero(strata == stratum))
        ends = np.cumsum(sizes[own])
        place_of[own] = (ends - sizes[own] * random.random(len(own))) / ends[-1]
    rising = np.argsort(place_of, kind="stable")
    ends = np.cumsum(sizes[rising])
    place_of[rising] = (ends - sizes[rising] / 2) / ends[-1]  # few large groups are spread over all parts
    return place_of[units]
