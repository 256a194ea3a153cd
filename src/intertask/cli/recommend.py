"""`intertask recommend`: ask a model."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from intertask.cli.output import JsonOption, print_json, say
from intertask.errors import RequestError

if TYPE_CHECKING:
    from intertask.recommender import Recommender


def recommend(
    model: Annotated[Path, typer.Argument(help="Folder of a run or of a model.")],
    user: Annotated[
        list[str] | None, typer.Option("--user", "-u", help="A user of the log; repeatable.")
    ] = None,
    history: Annotated[
        list[str] | None,
        typer.Option(help="What somebody did: ITEM or ITEM=BEHAVIOUR, with commas between; repeatable."),
    ] = None,
    sample: Annotated[int, typer.Option(min=0, help="Show so many users with their histories.")] = 0,
    k: Annotated[int, typer.Option("--k", "-k", help="Items for each.")] = 10,
    behaviour: Annotated[str | None, typer.Option(help="Whose next item is asked for.")] = None,
    objective: Annotated[
        str | None, typer.Option(help="Tasks and their weights, as buy=1,view=0.2, mixed in one list.")
    ] = None,
    seen: Annotated[
        bool | None,
        typer.Option(
            "--seen/--no-seen", help="Allow items of the history; as the recipe evaluates if unsaid."
        ),
    ] = None,
    allow: Annotated[list[str] | None, typer.Option(help="Nothing but this item; repeatable.")] = None,
    deny: Annotated[list[str] | None, typer.Option(help="Not this item; repeatable.")] = None,
    at: Annotated[datetime | None, typer.Option(help="The moment of the request, in UTC.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Recommend items to users of the log, or to somebody the log has never seen."""
    from intertask import run as runs
    from intertask.recommender import Recommender

    loaded = Recommender.load(runs.model_folder(model))
    if sample:
        if user or history or allow or deny or seen is not None or at or objective:
            raise RequestError(
                "recommend --sample", "--k and --behaviour beside it", "other options", "leave them out"
            )
        _show_samples(loaded, sample, k, behaviour, as_json)
        return
    if not user and not history:
        raise RequestError("recommend", "--user, --history or --sample", "none of them")
    frame = loaded.recommend(
        users=user or None,
        histories=[_parse(text) for text in history] if history else None,
        k=k, behaviour=behaviour, objective=None if objective is None else _weights(objective),
        exclude_seen=None if seen is None else not seen, allow=allow or None, deny=deny or None, at=at,
    )  # fmt: skip
    from intertask.cli.showing import titles

    rows = frame.to_dicts()
    for row, title in zip(rows, titles(loaded.catalogue, frame["item"]), strict=True):
        row["title"] = title
    if as_json:
        print_json(rows)
        return
    owner = frame.columns[0]
    for row in rows:
        if row["rank"] == 1:
            say(f"{owner} {row[owner]}")
        title = "" if row["title"] == str(row["item"]) else f"  {row['title']}"
        say(f"{row['rank']:>4}  {row['item']}{title}  {row['score']:.3f}")


def _weights(text: str) -> dict[str, float]:
    weights = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        task, _, weight = part.rpartition("=")
        try:
            value = float(weight)
        except ValueError:
            raise RequestError("--objective", "TASK=WEIGHT, with commas between", repr(part)) from None
        if task.strip() in weights:
            raise RequestError("--objective", "one weight for each task", f"two for {task.strip()!r}")
        weights[task.strip()] = value
    return weights


def _parse(text: str) -> list[str | tuple[str, str]]:
    events: list[str | tuple[str, str]] = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        item, equals, behaviour = part.rpartition("=")
        events.append((item.strip(), behaviour.strip()) if equals else part)
    return events


def _show_samples(loaded: "Recommender", num: int, k: int, behaviour: str | None, as_json: bool) -> None:
    from dataclasses import asdict

    from intertask.cli.showing import sample_users

    samples = sample_users(loaded, num, k, behaviour)
    if as_json:
        print_json([asdict(sample) for sample in samples])
        return
    for sample in samples:
        typer.echo()
        say(f"user {sample.user}, last events")
        for title, kind in sample.history:
            say(f"      {title}  ({kind})")
        say("  recommended")
        for rank, (title, score) in enumerate(sample.recommended, 1):
            say(f"{rank:>4}  {title}  {score:.3f}")
