import importlib.metadata
import json
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import tomllib
import warnings
from pathlib import Path

import polars as pl
import pytest

from intertask import Recommender
from tests import shop

HEAVY = ("torch", "polars", "pydantic", "numpy", "scipy", "sklearn", "safetensors", "implicit", "matplotlib")
VERBS = ("data", "train", "evaluate", "recommend", "compare", "list", "doctor")


@pytest.mark.parametrize("words", [["--help"], ["-h"], *([verb, "--help"] for verb in VERBS)])
def test_help_is_given_everywhere(words, intertask):
    done = intertask(*words)
    assert done.code == 0
    assert "Usage: intertask" in done.out
    if len(words) == 1:
        assert all(f" {verb} " in done.out for verb in VERBS)
    else:
        assert "--json" in done.out


def test_help_loads_nothing_heavy():
    script = (
        "import sys\n"
        "sys.argv = ['intertask', '--help']\n"
        "from intertask.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print('LOADED', [name for name in {HEAVY} if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines()[-1] == "LOADED []"


def test_the_module_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "intertask", "list", "--json"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "gru" in json.loads(done.stdout)["encoders"]


def test_completion_is_offered(intertask):
    assert "--install-completion" in intertask("--help").out


def test_data_accounts_for_every_row(shop_files, intertask):
    bad = pl.concat([shop.events(), shop.events().head(2).with_columns(visitor=pl.lit(None, pl.String))])
    shop.write_files(shop_files.parent, frame=bad)
    done = intertask("data", shop_files, "--json", "--out", "prepared", "--refused", "refused.csv")
    assert (done.code, done.err) == (0, "")
    found = json.loads(done.out)
    assert found["users"] == shop.NUM_USERS
    assert found["items"] == shop.NUM_ITEMS
    assert found["events"] == shop.events().height == sum(found["behaviours"].values())
    assert f"read {bad.height:,} rows, kept {bad.height - 2:,}, refused 2" in found["reading"][0]
    assert pl.read_csv("refused.csv")["row"].to_list() == [bad.height - 1, bad.height]
    assert {"sequences", "users.parquet", "items.parquet"} <= {
        file.name for file in Path("prepared").iterdir()
    }
    assert "refused 2" in intertask("data", shop_files).out
    assert "2 of 264 rows are refused" in intertask.refused("data", shop_files, "--strict")


def test_train_evaluate_recommend_and_compare(shop_files, intertask):
    done = intertask("train", shop_files, "--json")
    assert done.code == 0 and all(line.startswith(("epoch ", "note: ")) for line in done.err.splitlines())
    trained = json.loads(done.out)
    assert trained["model"] == "runs/recipe/model"
    assert trained["epochs"] == 2

    done = intertask("evaluate", "runs/recipe", "--json", "--samples", 1)
    assert (done.code, done.err) == (0, "")
    found = json.loads(done.out)
    assert {row["system"] for row in found["rankings"]} == {"intertask", "popularity", "transition"}
    assert found["provenance"]["command"] == "intertask evaluate runs/recipe --json --samples 1"
    assert {"evaluation.json", "targets.parquet", "report.html", "recipe.toml"} <= {
        file.name for file in Path("runs/recipe").iterdir()
    }

    rows = json.loads(intertask("recommend", "runs/recipe", "-u", "ü3", "-u", "ü1", "-k", 2, "--json").out)
    expected = Recommender.load("runs/recipe/model").recommend(users=["ü3", "ü1"], k=2)
    assert [(row["user"], row["item"], row["score"]) for row in rows] == expected.select(
        "user", "item", "score"
    ).rows()
    assert all(row["title"] == f"Thing {row['item'][1:]}" for row in rows)

    compared = json.loads(intertask("compare", "runs/recipe", "runs/recipe", "--json").out)
    assert {row["difference"] for row in compared["rows"]} == {0.0}


def test_the_tables_for_people(trained, tmp_path, intertask):
    shutil.copytree(trained, tmp_path / "run")
    done = intertask("evaluate", tmp_path / "run")
    assert done.code == 0
    assert all(name in done.out for name in ("popularity", "transition", "NDCG", "protocol"))
    done = intertask("compare", tmp_path / "run", trained)
    assert done.code == 0
    assert "+0.0000" in done.out
    done = intertask("recommend", trained, "-u", "ü3", "-k", 2)
    assert done.out.splitlines()[0] == "user ü3"
    assert "Thing" in done.out
    done = intertask("recommend", trained, "--sample", 2, "-k", 3)
    assert done.out.count("last events") == done.out.count("recommended") == 2


def test_validation_is_another_part_of_the_same_run(trained, tmp_path, intertask):
    shutil.copytree(trained, tmp_path / "run")
    found = json.loads(intertask("evaluate", tmp_path / "run", "--part", "validation", "--json").out)
    assert found["protocol"]["part"] == "validation"
    line = intertask.refused("compare", trained, tmp_path / "run")
    assert line.startswith(f"{tmp_path}/run part: expected 'test', as in the other run, found 'validation'")


def test_somebody_new_is_answered_by_history(trained, intertask):
    done = intertask(
        "recommend", trained, "--history", "№1=buy, №2,№3=view", "--history", "", "-k", 3, "--json"
    )
    rows = json.loads(done.out)
    assert [row["history"] for row in rows] == [0, 0, 0, 1, 1, 1]
    model = Recommender.load(trained / "model")
    expected = model.recommend(histories=[[("№1", "buy"), "№2", ("№3", "view")], []], k=3)
    assert [row["item"] for row in rows] == expected["item"].to_list()


def test_options_of_recommend_reach_the_model(trained, intertask):
    def rows(*words):
        return json.loads(intertask("recommend", trained, "-u", "ü3", "--json", *words).out)

    def items(*words):
        return [row["item"] for row in rows(*words)]

    seen = set(Recommender.load(trained / "model").history("ü3")["item"])
    assert not seen & set(items())
    assert seen < set(items("--seen", "-k", shop.NUM_ITEMS))
    assert items("--seen", "--allow", "№1", "--allow", "№2", "--deny", "№2") == ["№1"]
    assert rows("--behaviour", "buy", "-k", 5) != rows("-k", 5)
    assert items("--at", "2024-01-01T10:00:00")


def test_a_model_folder_alone_can_be_asked(trained, intertask):
    there, here = (intertask("recommend", folder, "-u", "ü3") for folder in (trained, trained / "model"))
    assert there.out == here.out != ""


def test_unknown_items_of_a_history_are_a_warning_of_one_line(trained, intertask):
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        done = intertask("recommend", trained, "--history", "№1,new", "-k", 1)
    assert done.code == 0
    assert done.err == (
        "warning: 1 of 2 events are of items that the model does not know; left out "
        "(a history without any known item is answered by what is popular)\n"
    )


def test_training_goes_on_where_it_was_stopped(shop_files, intertask):
    whole = json.loads(intertask("train", shop_files, "--run", "whole", "--json").out)
    again = json.loads(intertask("train", shop_files, "--run", "whole", "--json").out)
    assert again | {"seconds": 0} == whole | {"seconds": 0}
    events = [
        json.loads(line)["event"] for line in Path("whole/journal.jsonl").read_text("utf-8").splitlines()
    ]
    assert events.count("start") == 1
    assert events.count("resume") == 1
    assert events.count("step") == 2  # one a epoch, none twice


def test_an_interrupted_training_says_so_and_goes_on(shop_files):
    text = shop_files.read_text(encoding="utf-8")
    shop_files.write_text(text.replace("epochs = 2", "epochs = 100000\npatience = 100000"), encoding="utf-8")
    command = [sys.executable, "-m", "intertask", "train", str(shop_files), "--run", "run"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not Path("run/checkpoints").is_dir():
            time.sleep(0.05)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.splitlines()[-1] == "stopped; the same command goes on where it was"


def test_the_seed_on_the_command_line_wins(shop_files, intertask):
    intertask("train", shop_files, "--run", "two", "--seed", 2)
    assert json.loads(Path("two/recipe.json").read_text("utf-8"))["seed"] == 2


@pytest.mark.parametrize("folder", ["encoders", "sources", None])
def test_list_names_what_a_recipe_may_name(folder, intertask):
    found = json.loads(intertask("list", *([folder] if folder else []), "--json").out)
    assert set(found) == ({folder} if folder else set(found))
    if folder != "sources":
        assert "gru" in found["encoders"]
    if folder != "encoders":
        assert "ease" in found["sources"]
    assert "_" not in {name[0] for names in found.values() for name in names}


def test_doctor_finds_what_a_run_needs(intertask):
    project = tomllib.loads(Path(__file__).parents[2].joinpath("pyproject.toml").read_text(encoding="utf-8"))
    needed = {re.split(r"[<>=\[]", words)[0] for words in project["project"]["dependencies"]}
    found = json.loads(intertask("doctor", "--json").out)
    assert needed <= found.keys()
    assert found["torch"] and found["polars"] and found["cores"] >= 1
    assert "torch" in intertask("doctor").out


def test_the_version_is_that_of_the_package(intertask):
    assert intertask("--version").out.strip() == importlib.metadata.version("intertask")


def test_transfer_says_who_gains_and_who_loses(shop_files, intertask):
    done = intertask("transfer", "recipe.toml", "--seeds", "1")
    assert done.code == 0, done
    assert "Trained together, " in done.out and "report: runs/recipe-transfer/transfer.html" in done.out
    assert Path("runs/recipe-transfer/transfer.html").is_file()
    assert "--detach: nothing" in intertask("transfer", "recipe.toml", "--seeds", "1", "--detach").out
    found = json.loads(intertask("transfer", "recipe.toml", "--seeds", "1", "--json").out)
    assert [row["task"] for row in found["tasks"]] == ["next", "buys", "liked"]
    for seeds in ("1;2", "1,-2"):
        refused = intertask.refused("transfer", "recipe.toml", f"--seeds={seeds}")
        assert "--seeds: expected whole numbers" in refused


def test_an_objective_mixes_tasks(trained, intertask):
    asked = ("recommend", trained, "--user", "ü1", "--json")
    mixed = json.loads(intertask(*asked, "--objective", "buys=1, next=0.2,liked=0.1").out)
    assert [row["item"] for row in mixed] and mixed != json.loads(intertask(*asked).out)
    assert "TASK=WEIGHT" in intertask.refused(*asked, "--objective", "buys")


def test_a_catalogue_of_three_items_is_evaluated_as_any_other(tmp_path, monkeypatch, intertask):
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"{user},{item}\n" for user in "abcd" for item in (0, 0, 1, 2))
    Path("events.csv").write_text("user,item\n" + rows)
    Path("tiny.toml").write_text('width = 8\n[data.events]\npath = "events.csv"\n[train]\nepochs = 1\n')
    assert intertask("train", "tiny.toml").code == 0
    assert intertask("evaluate", "runs/tiny").code == 0
    assert Path("runs/tiny/report.html").is_file()


def test_training_without_a_terminal_writes_a_line_an_epoch(shop_files, intertask):
    done = intertask("train", shop_files)
    assert done.code == 0
    number = r"-?\d+\.?\d*(e-?\d+)?"
    # "all" holds one over the log loss of `liked`, which is above 1 since its head begins at its labels.
    form = (
        rf"epoch (\d) of 0 to 1: loss next {number}  buys {number}  liked {number}; all \d\.\d{{4}}, "
        r"(best so far|best \d\.\d{4}); \d+\.\d s"
    )
    epochs = [re.fullmatch(form, line) for line in done.err.splitlines() if line.startswith("epoch")]
    assert [found and found[1] for found in epochs] == ["0", "1"]
    assert "ended: all 2 epochs done." in done.out


def test_the_line_of_an_epoch_is_there_before_the_next_one_ends(shop_files):
    command = [sys.executable, "-m", "intertask", "train", str(shop_files)]
    text = (
        Path(shop_files)
        .read_text(encoding="utf-8")
        .replace("epochs = 2", "epochs = 100000\npatience = 100000")
    )
    Path(shop_files).write_text(text, encoding="utf-8")
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        lines = []
        while not any(line.startswith("epoch 1 of") for line in lines):
            lines.append(process.stderr.readline())
            assert lines[-1], lines
        process.kill()
    assert any(line.startswith("epoch 0 of") for line in lines)


def test_a_model_that_loses_to_a_baseline_is_told_what_to_try(shop_files, intertask):
    # A walk in which each item has one successor: a bigram knows all, and one epoch learns nothing.
    walk = shop.events().with_columns(sku=pl.format("№{}", pl.int_range(pl.len()).over("visitor")))
    shop.write_files(Path(), frame=walk)
    text = shop_files.read_text(encoding="utf-8").replace("epochs = 2", "epochs = 1")
    shop_files.write_text(text.replace('["masked", "kept"]', '["kept"]'), encoding="utf-8")
    assert intertask("train", shop_files, "--run", "run").code == 0
    done = intertask("evaluate", "run")
    assert done.code == 0 and "beats the model" in done.out
    assert "try: Train longer: the last of 1 epoch was the best; [train] epochs = 2." in done.out


def test_data_and_train_report_times_copies_and_oddities(shop_files, intertask):
    events = shop.events()
    shop.write_files(shop_files.parent, frame=pl.concat([events, events, events]))
    found = json.loads(intertask("data", shop_files, "--json").out)
    assert found["duplicate rows"] == 2 * events.height
    assert any("equal an earlier row" in note for note in found["notes"])
    assert found["first time"] < found["last time"]
    assert found["first time"][:10] in intertask("data", shop_files).out
    dropped = json.loads(
        intertask("data", shop_files, "--set", 'data.events.duplicates="drop"', "--json", "--strict").out
    )
    assert dropped["events"] == events.height
    assert "duplicate row" in dropped["reading"][0]
    shop.write_files(shop_files.parent, frame=pl.concat([events, events.head(5)]))
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert "5 rows (1.9 %) equal an earlier row" in intertask("train", shop_files).err


@pytest.mark.parametrize("seeds", ["", "-1", "1.5", "1,,2", str(2**63), "9" * 5000])
def test_seeds_that_are_none_leave_no_folder(seeds, shop_files, intertask):
    assert intertask.refused("transfer", shop_files, "--seeds", seeds, "--folder", "study").startswith(
        "--seeds:"
    )
    assert not Path("study").exists()


def test_what_comes_next_can_be_pasted_into_a_shell(shop_files, intertask):
    run = "a run; of 'mine'"
    done = intertask("train", shop_files, "--run", run, "--set", "train.epochs=1")
    command = done.out.split("next: ")[1].strip()
    assert shlex.split(command) == ["intertask", "evaluate", run]


def test_a_folder_named_like_home_is_none(shop_files, intertask, monkeypatch):
    home = Path("home").absolute()
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    assert intertask("train", shop_files, "--run", "~", "--set", "train.epochs=1").code == 0
    assert intertask("recommend", "~", "--all", "--out", "~/lists.parquet").code == 0
    assert intertask("recommend", "~", "--all", "--out", "~/lists.parquet", "--overwrite").code == 0
    assert pl.read_parquet(Path("~/lists.parquet").absolute()).height
    assert not list(home.iterdir())
