"""The studies of cold items and of new people for the terminal and for programs."""

from pathlib import Path

import polars as pl
from rich import box
from rich.console import Console
from rich.table import Table

from intertask.cold.arriving import FEW, Arriving, arriving
from intertask.cold.study import CONSTANT, ColdStart, cold_start
from intertask.cold.users import NewUsers, new_users
from intertask.data.prepare import open_corpus
from intertask.evaluate.config import MODEL
from intertask.recipe import Recipe


def studied(
    folder: Path, console: Console | None, *, folds: int, separate: bool, people: bool, months: int
) -> dict[str, object]:
    """The studies that are asked for of a trained run, as values; each is printed as it ends.

    Args:
        folder: Of the run.
        console: Where they are printed; nowhere if None.
        folds: Of items that are held out; none if 0.
        separate: With folds, a model of ids and one of content beside.
        people: Whether people are held out whole.
        months: Before which to train, to ask for items that arrived in them; none if 0.

    Raises:
        RequestError: The recipe does not fit a study.
        DataError: The log does not.
    """
    told: dict[str, object] = {}
    if folds:
        unseen = of_run(folder, folds, separate=separate)
        told["cold"] = as_json(unseen)
        if console is not None:
            show(unseen, console)
    if people:
        found = people_of_run(folder)
        told["new_users"] = {"people": found.people, "systems": found.table().to_dicts()}
        if console is not None:
            show_people(found, console)
    if months:
        arrived = arriving_of_run(folder, months)
        told["new_items"] = arriving_as_json(arrived)
        if console is not None:
            show_arriving(arrived, console)
    return told


def of_run(folder: Path, num_folds: int, *, separate: bool = False) -> ColdStart:
    """The study of the recipe and the log of a trained run, with models of its own.

    Raises:
        RequestError: The recipe's items are not made of a catalogue.
        DataError: The folder holds no prepared log, or no target is a cold item.
    """
    recipe = Recipe.from_json(folder / "recipe.json")
    return cold_start(recipe, open_corpus(folder / "corpus"), num_folds=num_folds, separate=separate)


def people_of_run(folder: Path) -> NewUsers:
    """What the recipe and the log of a trained run say of people who are held out whole.

    Raises:
        RequestError: The recipe ranks no items, or reads attributes of people.
        DataError: The folder holds no prepared log, or nobody can be asked for.
    """
    return new_users(Recipe.from_json(folder / "recipe.json"), open_corpus(folder / "corpus"))


def arriving_of_run(folder: Path, months: int) -> Arriving:
    """What the recipe and the log of a trained run say of items that arrived in the last months.

    Raises:
        RequestError: The recipe's items are not made of a catalogue.
        DataError: The folder holds no prepared log, or one without times or new items.
    """
    return arriving(Recipe.from_json(folder / "recipe.json"), open_corpus(folder / "corpus"), months=months)


def show_arriving(found: Arriving, console: Console) -> None:
    """Print a row for each system."""
    title = (
        f"{found.items:,} items without a training event, in {', '.join(found.months)}: "
        f"{int(found.new.sum()):,} targets of theirs and {int((~found.new).sum()):,} others"
    )
    _print(found.table(), title, console)
    if found.describes:
        console.print(f"Fewer than {FEW} targets of new items: these figures describe, and prove nothing.")


def show_people(found: NewUsers, console: Console) -> None:
    """Print a row for each number of events and system."""
    _print(found.table(), f"{found.people:,} people held out whole, by their first events", console)


def _print(frame: pl.DataFrame, title: str, console: Console) -> None:
    table = Table(title=title, box=box.SIMPLE)
    for name in frame.columns:
        table.add_column(name, justify="left" if name == "system" else "right")
    for row in frame.iter_rows():
        table.add_row(*(f"{value:.4f}" if isinstance(value, float) else str(value) for value in row))
    console.print(table)


def show(found: ColdStart, console: Console) -> None:
    """Print the tables."""
    tested, candidates = found.items
    title = (
        f"{tested:,} items without an event, among {candidates:,} candidates; {found.folds} of 5 folds, "
        f"{int(found.cold.sum()):,} targets of theirs and {int((~found.cold).sum()):,} others"
    )
    table = Table(title=title, box=box.SIMPLE)
    rows = found.table()
    for name in rows.columns:
        table.add_column(name, justify="left" if name in ("system", "cold scores") else "right")
    for row in rows.iter_rows():
        table.add_row(*(value if isinstance(value, str) else f"{value:.4f}" for value in row))
    console.print(table)
    for other in found.against().to_dicts():
        told = (
            f"{part} NDCG@20 {other[part]:+.4f} [{other[f'{part} low']:+.4f}, {other[f'{part} high']:+.4f}]"
            for part in ("cold", "warm")
        )
        console.print(f"{MODEL} less {other['system']}: {', '.join(told)}")
    ratio, low, high = found.gain()
    console.print(
        f"{ratio:.2f} times [{low:.2f}, {high:.2f}] the cold NDCG@20 of {CONSTANT} at equal loss of warm ones"
    )
    if found.warmed["targets"].max():
        steps = (
            f"{row['events shown']}: {row['cold NDCG@20']:.4f} (warm {row['warm NDCG@20']:.4f})"
            for row in found.warmed.to_dicts()
        )
        console.print(f"cold NDCG@20 after so many events were shown, without training: {', '.join(steps)}")


def as_json(found: ColdStart) -> dict[str, object]:
    """The same as values."""
    ratio, low, high = found.gain()
    return {
        "folds": found.folds,
        "items": found.items[0],
        "candidates": found.items[1],
        "targets": int(found.cold.sum()),
        "systems": found.table().to_dicts(),
        "differences": found.against().to_dicts(),
        "curves": {name: found.curve(name).to_dicts() for name in found.systems},
        "warmed": found.warmed.to_dicts(),
        "gain_beyond_a_constant": {"ratio": ratio, "low": low, "high": high},
    }


def arriving_as_json(found: Arriving) -> dict[str, object]:
    """The same as values."""
    return {
        "months": list(found.months),
        "items": found.items,
        "targets": int(found.new.sum()),
        "others": int((~found.new).sum()),
        "describes": found.describes,
        "systems": found.table().to_dicts(),
    }
