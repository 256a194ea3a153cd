"""A file that nobody has described yet becomes a recipe that trains, evaluates and recommends as it is."""

import json
import shlex
import tomllib
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from intertask.recipe import Recipe
from tests import shop

BEHAVIOURS = ["angesehen", "Warenkorb", "gekauft"]
START = 1_700_000_000


def orders(num: int = 3000, seed: int = 0) -> pl.DataFrame:
    """The export of a German shop: columns in German, day before month, decimal commas, umlauts."""
    random = np.random.default_rng(seed)
    users, items = random.integers(0, 80, num), random.integers(0, 25, num)
    seconds = START + np.sort(random.integers(0, 10_000_000, num))
    return pl.DataFrame(
        {
            "Bestellnr": [f"B{number:05}" for number in range(num)],
            "Kundennr": users + 10_000,
            "Artikelnr": [f"A-{item:03}" for item in items],
            "Artikelbezeichnung": [f"Türschloß Größe {item}" for item in items],
            "Aktion": [BEHAVIOURS[code] for code in random.choice(3, num, p=[0.7, 0.2, 0.1])],
            "Preis": [f"{item},95" for item in items],
            "Datum": pl.Series(seconds * 1000).cast(pl.Datetime("ms")).dt.strftime("%d.%m.%Y %H:%M"),
        }
    )


def written(name: str, frame: pl.DataFrame, encoding: str = "utf-8", **options: str) -> str:
    Path(name).write_bytes(frame.write_csv(**options).encode(encoding))  # type: ignore[arg-type]
    return name


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.filterwarnings("ignore:.*are read day first")  # which `train` says of a German date
@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-8"])
def test_a_shops_export_becomes_a_model_without_a_question(encoding, intertask):
    name = written("bestellungen.csv", orders(), encoding, separator=";", line_terminator="\r\n")
    done = intertask("init", name)
    assert done.code == 0, done
    for command in ("data", "train", "evaluate", "recommend"):
        assert f"intertask {command} " in done.out
    section = tomllib.loads(Path("bestellungen.toml").read_text(encoding="utf-8"))["data"]["events"]
    expected = {
        "path": name,
        "separator": ";",
        "user": "Kundennr",
        "item": "Artikelnr",
        "time": "Datum",
        "behaviour": "Aktion",
    }
    assert section == expected | ({"encoding": "cp1252"} if encoding == "cp1252" else {})
    recipe = Recipe.read("bestellungen.toml")
    assert list(recipe.tasks) == ["next", "gekauft", "warenkorb"]
    assert recipe.ranker.kind == "blend"
    assert recipe.evaluation.history == ("kept",)
    assert intertask("data", "bestellungen.toml").code == 0
    quick = ["--set", "train.epochs=1", "--set", "width=8", "--set", "evaluation.resamples=100"]
    assert intertask("train", "bestellungen.toml", *quick).code == 0
    assert intertask("evaluate", "runs/bestellungen").code == 0
    rows = json.loads(intertask("recommend", "runs/bestellungen", "--user", "10003", "-k", "3", "--json").out)
    assert len(rows) == 3 and all(row["title"].startswith("Türschloß Größe ") for row in rows)


def test_a_log_and_a_catalogue_are_told_apart(intertask):
    shop.write_files(Path())
    Path("recipe.toml").unlink()
    done = intertask("init", "items.csv", "events.csv", "--label", "liked")
    assert done.code == 0, done
    recipe = Recipe.read("events.toml")
    assert recipe.data.events is not None and recipe.data.catalogue is not None
    assert recipe.data.events.path == Path("events.csv")
    assert (recipe.data.events.user, recipe.data.events.item) == ("visitor", "sku")
    assert recipe.data.catalogue.text == ("title",) and recipe.data.catalogue.tags == ("genres",)
    assert recipe.data.events.behaviour == "action"


def test_columns_of_a_file_of_items_are_there_to_filter_by(intertask):
    items = pl.DataFrame(
        {
            "Artikelnr": [f"A-{item:03}" for item in range(25)],
            "Bezeichnung": [f"Stuhl {item}" for item in range(25)],
            "Warengruppe": ["Möbel", "Büro", "Küche", "Garten", "Kind"] * 5,
            "Lagerplatz": [f"Regal {item}" for item in range(25)],
            "Preis": [item + 0.95 for item in range(25)],
            "Listenpreis": [f"{item},95" for item in range(25)],
        }
    )
    written("bestellungen.csv", orders(), separator=";")
    written("artikel.csv", items, separator=";")
    assert intertask("init", "bestellungen.csv", "artikel.csv").code == 0
    catalogue = Recipe.read("bestellungen.toml").data.catalogue
    assert catalogue is not None and catalogue.text == ("Bezeichnung",)
    assert catalogue.categories == ("Warengruppe",) and catalogue.numbers == ("Preis",)


def customers() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "Kundennr": [10_000 + user for user in range(80)],
            "Land": ["DE", "AT", None, "CH"] * 20,
            "Alter": [20 + user % 50 for user in range(80)],
            "E-Mail": [f"kunde{user}@beispiel.de" for user in range(80)],
        }
    )


@pytest.mark.filterwarnings("ignore:.*are read day first")
@pytest.mark.parametrize("files", [["bestellungen.csv", "kunden.csv"], ["kunden.csv", "bestellungen.csv"]])
def test_a_file_of_users_is_read_beside_the_log(files, intertask):
    written("bestellungen.csv", orders(), separator=";")
    written("kunden.csv", customers())
    done = intertask("init", *files, "--yes")
    assert done.code == 0 and "attributes Land, Alter\n" in done.out and "left out" not in done.out, done
    recipe = Recipe.read("bestellungen.toml")
    found = recipe.data.people
    assert found is not None and (found.path, found.user) == (Path("kunden.csv"), "Kundennr")
    assert (found.categories, found.numbers) == (("Land",), ("Alter",))
    assert list(recipe.inputs_of_people) == ["person"]
    counts = json.loads(intertask("data", "bestellungen.toml", "--json").out)
    assert counts["users with attributes"] == 80 and counts["attributes"] == {
        "Land": "category",
        "Alter": "number",
    }
    quick = ["--set", "train.epochs=1", "--set", "width=8"]
    assert intertask("train", "bestellungen.toml", *quick).code == 0
    words = ["--history", "A-001", "--attributes", "Alter=31,Land=DE", "-k", "3", "--json"]
    assert len(json.loads(intertask("recommend", "runs/bestellungen", *words).out)) == 3


@pytest.mark.filterwarnings("ignore:.*are read day first")
def test_a_file_that_says_nothing_of_the_log_is_named(intertask):
    written("bestellungen.csv", orders(), separator=";")
    written("fremde.csv", customers().with_columns(pl.col("Kundennr") + 5_000))
    written("leer.csv", customers().select("Kundennr", "E-Mail"))
    done = intertask("init", "bestellungen.csv", "fremde.csv", "leer.csv", "--yes")
    assert done.code == 0 and "left out   the file fremde.csv" in done.out, done
    assert "left out   the file leer.csv" in done.out
    assert Recipe.read("bestellungen.toml").data.people is None


def test_lists_in_a_column_become_sequences(intertask):
    random = np.random.default_rng(0)
    lists = [" ".join(map(str, random.integers(0, 20, 8))) for _ in range(40)]
    written("visits.csv", pl.DataFrame({"user_id": range(40), "items": lists}))
    assert intertask("init", "visits.csv").code == 0
    recipe = Recipe.read("visits.toml")
    assert recipe.data.events is not None and recipe.data.events.sequences is True
    assert json.loads(intertask("data", "visits.toml", "--json").out)["events"] == 320


def test_objects_in_a_listening_log_are_columns_by_their_parts(intertask):
    random = np.random.default_rng(0)
    lines = []
    for number in range(600):
        song = int(random.integers(0, 20))
        track = {"name": f"Song {song}", "id": f"t{song}", "artist": {"name": f"Artist {song % 5}"}}
        track["genres"] = ["rock", "pop"][: song % 3]
        listener = {"country": random.choice(["DE", None]), "id": f"u{number % 40}"}
        event = {"ts": f"2026-01-{number % 28 + 1:02}T10:00:00Z", "listener": listener, "track": track}
        if number % 50 == 0:
            event["track"] = None
        if number % 50 == 1:
            del event["listener"]
        lines.append(json.dumps(event))
    Path("listens.jsonl").write_text("\n".join(lines))
    done = intertask("init", "listens.jsonl")
    assert done.code == 0 and "refused 24" in done.out, done
    recipe = Recipe.read("listens.toml")
    assert recipe.data.events is not None and recipe.data.catalogue is not None
    assert (recipe.data.events.user, recipe.data.events.item) == ("listener.id", "track.id")
    assert recipe.data.events.time == "ts" and recipe.data.catalogue.text == ("track.name",)
    data = json.loads(intertask("data", "listens.toml", "--json").out)
    assert (data["users"], data["items"], data["events"]) == (40, 20, 576)


def test_ratings_become_a_response_from_the_middle_on(intertask):
    random = np.random.default_rng(0)
    frame = pl.DataFrame(
        {
            "userId": random.integers(0, 50, 2000),
            "movieId": random.integers(0, 60, 2000),
            "rating": random.choice([1.0, 2.0, 3.0, 4.0, 5.0], 2000, p=[0.05, 0.1, 0.3, 0.35, 0.2]),
            "timestamp": START + random.integers(0, 10**7, 2000),
        }
    )
    written("ratings.csv", frame)
    assert intertask("init", "ratings.csv").code == 0
    task = tomllib.loads(Path("ratings.toml").read_text())["tasks"]["rating"]
    assert task == {"kind": "response", "label": "rating", "at_least": 4.0}


def test_lists_are_mixed_where_enough_people_can_teach_the_weights(intertask):
    for people, kind in ((29, "none"), (40, "blend")):
        random = np.random.default_rng(0)
        columns = {"user": random.permutation(600) % people, "item": random.integers(0, 20, 600)}
        written(f"of_{people}.csv", pl.DataFrame(columns))
        assert intertask("init", f"of_{people}.csv").code == 0
        assert Recipe.read(f"of_{people}.toml").ranker.kind == kind
    quick = ["--set", "train.epochs=1", "--set", "width=8"]
    assert intertask("train", "of_29.toml", *quick).code == 0


def test_a_recipe_that_is_there_is_never_overwritten(intertask):
    written("orders.csv", orders(200))
    Path("orders.toml").write_text("mine")
    assert intertask.refused("init", "orders.csv") == (
        "orders.toml: expected a name that is free, found a file; "
        "name another one: --out OTHER.toml, or add --overwrite"
    )
    Path("linked.toml").symlink_to("nowhere")
    assert "a name that is free" in intertask.refused("init", "orders.csv", "--out", "linked.toml")
    assert "ending in .toml" in intertask.refused("init", "orders.csv", "--out", "orders.txt")
    assert Path("orders.toml").read_text() == "mine"
    assert intertask("init", "orders.csv", "--overwrite").code == 0
    assert "[data.events]" in Path("orders.toml").read_text()


def test_what_cannot_be_known_names_the_option(intertask):
    frame = pl.DataFrame({"x": [1, 2, 1] * 20, "y": [3, 4, 5] * 20, "z": list(range(60))})
    written("odd.csv", frame)
    line = intertask.refused("init", "odd.csv")
    assert (
        "expected a column whose name says that it holds the users, found x, y, z; name it: --user COLUMN"
        in line
    )
    assert not Path("odd.toml").exists()
    assert intertask("init", "odd.csv", "--user", "x", "--item", "y", "--time", "none").code == 0
    assert "expected a column 'w' for a role" in intertask.refused(
        "init", "odd.csv", "--user", "w", "--out", "b.toml"
    )


def test_days_and_months_that_cannot_be_told_apart_name_the_option(intertask):
    days = [f"{number % 9 + 1:02}/{number * 7 % 12 + 1:02}/2021 10:00" for number in range(60)]
    written("dates.csv", pl.DataFrame({"user": [1, 2, 3] * 20, "item": [3, 4] * 30, "date": days}))
    line = intertask.refused("init", "dates.csv")
    assert line.endswith('; --time-format "%d/%m/%Y %H:%M" or --time-format "%m/%d/%Y %H:%M"')
    assert intertask("init", "dates.csv", "--time-format", "%d/%m/%Y %H:%M").code == 0


def test_at_a_terminal_it_asks(intertask, monkeypatch):
    frame = pl.DataFrame({"x": [1, 2, 1] * 20, "y": [3, 4, 5] * 20, "when": range(START, START + 60)})
    written("odd.csv", frame)
    answers = iter(["nonsense", "x", "y", "when", "none"])
    asked: list[tuple[str, str]] = []

    def prompt(text: str, default: str) -> str:
        asked.append((text, default))
        return next(answers)

    monkeypatch.setattr("typer.prompt", prompt)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert intertask("init", "odd.csv").code == 0
    assert asked == [
        ("which one holds the users", "none"),
        ("which one holds the users", "none"),
        ("which one holds the items", "none"),
        ("which one holds the times", "when"),
        ("which one holds what was done", "none"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("orders.xlsx", b"PK\x03\x04", "save the sheet as CSV UTF-8"),
        ("orders.csv", b"PK\x03\x04" + bytes(50), "a ZIP archive or an Excel workbook; unpack it, or save"),
        (
            "u.csv",
            b"196\t242\t3\t881250949\n186\t302\t3\t891717742\n",
            "the names of the columns in the first line",
        ),
        ("empty.csv", b"user,item\n", "found a header alone"),
        ("nothing.csv", b"", "an empty file"),
        ("data.json", b"[{}]", "write one object a line, and name the file .jsonl"),
    ],
)
def test_a_file_that_is_no_log_gets_one_line(name, content, line, intertask):
    Path(name).write_bytes(content)
    assert line in intertask.refused("init", name)
    assert not list(Path().glob("*.toml"))


def test_names_of_columns_and_behaviours_need_no_care(intertask):
    random = np.random.default_rng(0)
    frame = pl.DataFrame(
        {
            'user "id"\\': random.integers(0, 30, 2000),
            "item\x7f#": random.integers(0, 20, 2000),
            "event.type]": random.choice(["ping", "type", '1 = "x"\n[train]'], 2000, p=[0.6, 0.2, 0.2]),
        }
    )
    written("odd name.csv", frame)
    assert intertask("init", "odd name.csv").code == 0
    recipe = Recipe.read("odd name.toml")
    assert recipe.data.events is not None and recipe.data.events.behaviour == "event.type]"
    assert intertask("data", "odd name.toml").code == 0


def test_the_commands_that_come_next_can_be_pasted_into_a_shell(intertask):
    done = intertask("init", written("my 'log' [1].csv", shop.events()), "--user", "visitor", "--yes")
    commands = [shlex.split(line) for line in done.out.splitlines() if line.startswith(" " * 11)]
    assert [words[:3] for words in commands] == [
        ["intertask", "data", "my 'log' [1].toml"],
        ["intertask", "train", "my 'log' [1].toml"],
        ["intertask", "evaluate", "runs/my 'log' [1]"],
        ["intertask", "recommend", "runs/my 'log' [1]"],
    ]


@pytest.mark.parametrize("names", [("просмотр", "покупка"), ("浏览", "购买"), ("view", "items"), ("1", "2")])
@pytest.mark.filterwarnings("ignore:.*are read day first")
def test_behaviours_in_any_script_name_tasks_that_can_be_trained(names, intertask):
    often, seldom = names
    kind = pl.when(pl.int_range(pl.len()) % 3 == 0).then(pl.lit(seldom)).otherwise(pl.lit(often))
    orders().with_columns(kind.alias("Aktion")).write_csv("orders.csv")
    done = intertask("init", "orders.csv", "--yes")
    assert done.code == 0, done.err
    assert seldom in [getattr(task, "behaviour", None) for task in Recipe.read("orders.toml").tasks.values()]
    assert intertask("data", "orders.toml").code == 0
