"""`intertask similar`: what is like an item."""

from pathlib import Path
from typing import Annotated

import typer

from intertask.cli import ids
from intertask.cli.output import JsonOption, print_json, say


def similar(
    model: Annotated[Path, typer.Argument(help="Folder of a run or of a model.")],
    items: Annotated[list[str], typer.Argument(help="Items; several in one word are separated by commas.")],
    by: Annotated[
        str,
        typer.Option(help="vectors: as the model learned; events: who had both; content: the catalogue."),
    ] = "vectors",
    k: Annotated[int, typer.Option("--k", "-k", help="Length of each list.")] = 10,
    as_json: JsonOption = False,
) -> None:
    r"""Show the items that are most like some items.

    An id that holds a comma is written with a backslash before it, as a\,b.
    """
    from intertask import doors
    from intertask.cli.showing import titles
    from intertask.errors import RequestError
    from intertask.recommender import Recommender
    from intertask.runs import run as runs

    asked = ids.separated(items, "similar")
    place = runs.model_folder(model)
    if doors.is_of_rows(place):
        raise RequestError("similar", "a model of a log", f"{model}, one of rows of a table")
    loaded = Recommender.load(place)
    # One way among three, which the library checks.
    frame = loaded.similar(asked, k=k, by=by)  # type: ignore[arg-type]
    rows = frame.to_dicts()
    for row, title in zip(rows, titles(loaded.catalogue, frame["similar"]), strict=True):
        row["title"] = title
    if as_json:
        print_json(rows)
        return
    if not rows:
        say("nothing is like them", err=True)
    for row in rows:
        if row["rank"] == 1:
            say(f"item {row['item']}")
        title = "" if row["title"] == str(row["similar"]) else f"  {row['title']}"
        say(f"{row['rank']:>4}  {row['similar']}{title}  {row['score']:.3f}")
