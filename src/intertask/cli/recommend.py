"""`intertask recommend`: ask a model."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from intertask.cli import ids, wishes
from intertask.cli.output import JsonOption, OverwriteOption, print_json, refuse_existing, say
from intertask.errors import RequestError

if TYPE_CHECKING:
    import polars as pl

    from intertask.recommender import Recommender

SEVERAL = "several are separated by commas; may be repeated"


def recommend(
    model: Annotated[Path, typer.Argument(help="Folder of a run or of a model.")],
    user: Annotated[
        list[str] | None, typer.Option("--user", "-u", help=f"Users of the log; {SEVERAL}.")
    ] = None,
    users_file: Annotated[Path | None, typer.Option(help="File of users of the log, one a line.")] = None,
    everybody: Annotated[bool, typer.Option("--all", help="Every user of the log; needs --out.")] = False,
    history: Annotated[
        list[str] | None,
        typer.Option(
            help="Events of somebody: ITEM or ITEM=BEHAVIOUR, separated by commas; may be repeated."
        ),
    ] = None,
    sample: Annotated[
        int, typer.Option(min=0, help="Show this many users with their histories and lists.")
    ] = 0,
    k: Annotated[int, typer.Option("--k", "-k", help="Length of each list.")] = 10,
    behaviour: Annotated[
        str | None, typer.Option(help="Recommend the next item of this behaviour, e.g. purchase.")
    ] = None,
    objective: Annotated[
        str | None,
        typer.Option(help="Mix several tasks in one list by weights, e.g. buy=1,returned=-0.5."),
    ] = None,
    seen: Annotated[
        bool | None,
        typer.Option(
            "--seen/--no-seen",
            help="Allow items of the history, or leave them out; the recipe decides if neither is given.",
        ),
    ] = None,
    allow: Annotated[list[str] | None, typer.Option(help=f"Recommend only these items; {SEVERAL}.")] = None,
    allow_file: Annotated[
        Path | None, typer.Option(help="File of the only items to recommend, one a line.")
    ] = None,
    deny: Annotated[list[str] | None, typer.Option(help=f"Never recommend these items; {SEVERAL}.")] = None,
    deny_file: Annotated[
        Path | None, typer.Option(help="File of items never to recommend, one a line.")
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(
            help="Only items whose catalogue columns meet this, e.g. \"group == 'BAG' and price < 20\"."
        ),
    ] = None,
    boost: Annotated[
        list[str] | None,
        typer.Option(
            help="CONDITION=FACTOR, what the probability of such items is multiplied by; may be repeated."
        ),
    ] = None,
    quota: Annotated[
        list[str] | None,
        typer.Option(help="CONDITION=COUNT, the most such items in a list; may be repeated."),
    ] = None,
    diversity: Annotated[
        float, typer.Option(help="0 to 1: how much an item must be unlike those before it.")
    ] = 0.0,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain", help="Say for each item which sources put it there, and because of what events."
        ),
    ] = False,
    at: Annotated[datetime | None, typer.Option(help="The moment of the request, in UTC.")] = None,
    attributes: Annotated[
        list[str] | None,
        typer.Option(
            help="What is known of the person, of a model that reads it, e.g. age=31,country=FR; once for "
            "each --history or --user."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write the lists to a .parquet, .csv or .jsonl file.")
    ] = None,
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    r"""Recommend items to users of the log, or to somebody the log has never seen.

    An id that holds a comma is written with a backslash before it, as a\,b.
    """
    from intertask import doors
    from intertask.delivery import lists
    from intertask.recommender import Recommender
    from intertask.runs import run as runs

    whom = {
        "--user": user,
        "--users-file": users_file,
        "--all": everybody,
        "--history": history,
        "--sample": sample,
    }
    rules: list[object] = [objective, seen, allow, allow_file, deny, deny_file, where, boost, quota, at, out]
    rules += [attributes, diversity or None, explain or None]
    _refuse_contradictions([option for option, given in whom.items() if given], rules, out)
    if attributes and (everybody or users_file is not None):
        found = "--all" if everybody else "--users-file"
        raise RequestError("--attributes", "--history or --user, one for each", found)
    said = [ids.values(text, "--attributes") for text in attributes] if attributes else None
    if out is not None:
        lists.refuse_ending(out)
        wishes.refuse_flat(out, explained=explain)
        refuse_existing(out, "--out OTHER", overwrite=overwrite)
    asked = _ids(user, users_file, "--user")
    if users_file is not None and not asked:
        raise RequestError(f"--users-file {users_file}", "one id a line", "none", "write the users into it")
    weights = None if objective is None else _weights(objective)
    factors, counts = wishes.factors(boost), wishes.counts(quota)
    allowed, denied = _ids(allow, allow_file, "--allow"), _ids(deny, deny_file, "--deny")
    place = runs.model_folder(model)
    if doors.is_of_rows(place):
        raise RequestError(
            "recommend",
            "a model of a log",
            f"{model}, one of rows of a table",
            "ask it with intertask predict",
        )
    loaded = Recommender.load(place)
    if sample:
        _show_samples(loaded, sample, k, behaviour, as_json)
        return
    ask = partial(
        loaded.recommend,
        k=k,
        behaviour=behaviour,
        objective=weights,
        allow=allowed,
        deny=denied,
        where=where,
        boost=factors,
        quota=counts,
        diversity=diversity,
        explain=explain,
        at=at,
        exclude_seen=None if seen is None else not seen,
    )
    if said is not None and out is not None:
        raise RequestError("--attributes", "lists that are shown", "--out", "ask from Python for files")
    if out is not None:
        users = loaded.users if asked is None else _known(loaded.users, asked)
        titles = loaded.catalogue is not None and bool(loaded.catalogue.text)
        rows = lists.write_lists(
            out, users, lambda batch: ask(users=batch, titles=titles), overwrite=overwrite
        )
        _say_written(out, len(users), rows, as_json)
        return
    given = [ids.events(text) for text in history] if history else None
    _show(loaded, ask(users=asked, histories=given, attributes=said), as_json)


def _refuse_contradictions(chosen: list[str], rules: Sequence[object], out: Path | None) -> None:
    if len(chosen) != 1:
        found = " and ".join(chosen) or "none of them"
        raise RequestError("recommend", "one of --user, --users-file, --all, --history and --sample", found)
    if chosen == ["--sample"] and any(given is not None for given in rules):
        raise RequestError(
            "recommend --sample", "--k and --behaviour beside it", "other options", "leave them out"
        )
    if chosen == ["--all"] and out is None:
        raise RequestError(
            "recommend --all", "--out beside it", "none", "name a file, as --out lists.parquet"
        )
    if chosen == ["--history"] and out is not None:
        raise RequestError("recommend --out", "--user, --users-file or --all", "--history")


def _ids(words: list[str] | None, file: Path | None, option: str) -> list[str] | None:
    """What an option and its file name together; None where neither is given."""
    if words is None and file is None:
        return None
    return ids.separated(words or [], option) + (ids.from_file(file, f"{option} file") if file else [])


def _known(users: "pl.Series", asked: list[str]) -> "pl.Series":
    """The users, all of whom the model knows: before hours of work, and not in their midst."""
    import polars as pl

    series = pl.Series("user", asked, dtype=pl.String)
    unknown = series.filter(~series.is_in(users.cast(pl.String).implode()))
    if unknown.len():
        raise RequestError(
            "users",
            "users of the log",
            f"{unknown[0]!r}, {unknown.len():,} of {len(asked):,} unknown",
            "leave them out, or ask by --history",
        )
    return series


def _show(loaded: "Recommender", frame: "pl.DataFrame", as_json: bool) -> None:
    from intertask.cli.showing import titles

    rows = frame.to_dicts()
    for row, title in zip(rows, titles(loaded.catalogue, frame["item"]), strict=True):
        row["title"] = title
    if as_json:
        print_json(rows)
        return
    if not rows:
        say("no item is left that may be recommended", err=True)
    owner = frame.columns[0]
    for row in rows:
        if row["rank"] == 1:
            say(f"{owner} {row[owner]}")
        title = "" if row["title"] == str(row["item"]) else f"  {row['title']}"
        say(f"{row['rank']:>4}  {row['item']}{title}  {row['score']:.3f}{_reasons(row)}")


def _reasons(row: dict[str, Any]) -> str:
    """Where an item comes from, if that was asked for."""
    if "sources" not in row:
        return ""
    shares = ", ".join(f"{own['source']} {100 * own['share']:.0f} %" for own in row["sources"])
    because = ", ".join(map(str, row["because"]))
    return f"  [{shares}{f'; because of {because}' if because else ''}]"


def _say_written(out: Path, users: int, rows: int, as_json: bool) -> None:
    if as_json:
        print_json({"file": str(out), "users": users, "rows": rows})
    else:
        say(f"{out}: {rows:,} rows for {users:,} users")


def _weights(text: str) -> dict[str, float]:
    weights = {}
    for pair in filter(None, (piece.strip() for piece in text.split(","))):
        task, _, weight = pair.rpartition("=")
        try:
            value = float(weight)
        except ValueError:
            raise RequestError("--objective", "TASK=WEIGHT, with commas between", repr(pair)) from None
        if task.strip() in weights:
            raise RequestError("--objective", "one weight for each task", f"two for {task.strip()!r}")
        weights[task.strip()] = value
    return weights


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
