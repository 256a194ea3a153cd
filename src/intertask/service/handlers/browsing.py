"""Lists go out that are the same for everybody: new, alike, popular."""

import asyncio

import polars as pl
from torch import Tensor

from intertask.answering.around import Around, matching_around
from intertask.errors import RequestError
from intertask.service import properties
from intertask.service.browsing_bodies import (
    LatestAnswer,
    LatestBody,
    NewItem,
    PopularQuery,
    SimilarAnswer,
    SimilarBody,
)
from intertask.service.engine import Named
from intertask.service.fields import spelled
from intertask.service.list_bodies import ScoredItem
from intertask.service.places import Place
from intertask.service.refusals import MissingError
from intertask.service.running import Call, Running
from intertask.service.schema import now
from intertask.service.shelf import typed

LOOKED_AT = 1_000  # newest items, by a condition


async def latest(running: Running, call: Call, body: LatestBody) -> LatestAnswer:
    """The items that were set last and are shown, whether a model knows them or not."""
    found = await running.access.read(properties.latest, call.tenant, LOOKED_AT if body.filter else body.k)
    if body.filter and found:
        names = dict.fromkeys(name for item, _ in found for name in item.properties if name != "item")
        columns = [typed(name, [item.properties.get(name) for item, _ in found]) for name in names]
        rows = pl.DataFrame([pl.Series("item", [item.item for item, _ in found], dtype=pl.String), *columns])
        around = Around({"context": body.context}, now() / 1e6, "set it: PUT /v1/items")
        try:
            meets = matching_around(rows, body.filter, around)
        except RequestError as error:
            raise RequestError("filter", error.expected, error.found, error.hint) from None
        found = [one for one, met in zip(found, meets.tolist(), strict=True) if met]
    return LatestAnswer(
        items=tuple(
            NewItem(item=item.item, since=spelled(since), properties=item.properties)
            for item, since in found[: body.k]
        )
    )


async def similar(running: Running, call: Call, body: SimilarBody) -> SimilarAnswer:
    """The items that the active model takes for most alike; page by page by a cursor."""
    place = _place(running, call, "similar", body.cursor, body.item)
    item = place.about
    named = await running.engine.named(running.access, call.tenant, place.version)
    found = await asyncio.to_thread(named.model.similar, item, body.k, _banned(named, place))
    if found is None:
        raise MissingError(
            "item",
            "an item that the active model was trained on",
            repr(item),
            "send its events and train",
        )
    return _list(running, named, found, body.k, place)


async def popular(running: Running, call: Call, body: PopularQuery) -> SimilarAnswer:
    """The items that were most frequent in training; page by page by a cursor."""
    place = _place(running, call, "popular", body.cursor, "")
    named = await running.engine.named(running.access, call.tenant, place.version)
    return _list(running, named, named.model.popular(body.k, _banned(named, place)), body.k, place)


def _place(running: Running, call: Call, kind: str, cursor: str | None, about: str | None) -> Place:
    if cursor is None:
        return Place(call.tenant, kind, about or "")
    return Place.read(cursor, call.tenant, kind, running.secret)


def _banned(named: Named, place: Place) -> Tensor | None:
    """What is not shown: hidden items, and those of the pages before."""
    if not place.served:
        return named.shelf.banned_I
    banned_I = named.model.marks.items(place.served)
    return banned_I if named.shelf.banned_I is None else banned_I | named.shelf.banned_I


def _list(
    running: Running, named: Named, found: list[tuple[str, float]], k: int, place: Place
) -> SimilarAnswer:
    items = tuple(ScoredItem(item=item, score=score) for item, score in found)
    places = named.model.places([item for item, _ in found])
    further = place.further(named.version, named.model.marks.of(places.tolist()))
    more = {"cursor": further.written(running.secret)} if len(items) == k and further.goes_on else {}
    return SimilarAnswer(model=f"v{named.version}", items=items, **more)
