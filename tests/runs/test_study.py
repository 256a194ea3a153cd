import json
import shutil

import polars as pl
import pytest

from intertask.errors import RecipeError
from intertask.evaluate.compare import compare
from intertask.evaluate.gains import Transfer, num_weights
from intertask.recipe import Recipe
from intertask.runs import study as module
from intertask.runs.study import refuse_another, study
from tests import shop

TOML = shop.TOML.replace("epochs = 2", "epochs = 1") + '[communication]\nkind = "ple"\n'


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    place = tmp_path_factory.mktemp("study")
    file = shop.write_files(place, TOML)
    return file, place / "study", study(file, place / "study", [3, 5], "validation")


def test_there_is_a_run_for_each_arm_and_seed(done):
    _, folder, found = done
    arms = [
        "together",
        *(f"{arm}-{task}" for task in ("next", "buys", "liked") for arm in ("alone", "matched")),
    ]
    assert {place.name for place in folder.glob("*-[35]")} == {
        f"{arm}-{seed}" for arm in arms for seed in (3, 5)
    }
    assert Transfer.model_validate_json((folder / "transfer.json").read_text()) == found


def test_the_file_says_what_the_report_says(done):
    _, folder, found = done
    told = json.loads((folder / "transfer.json").read_text())
    assert told["summary"] == {
        "mean_percent": found.mean_percent,
        "worst": found.worst.task,
        "losses": [row.task for row in found.losers],
        "to_detach": found.to_detach,
    }
    for row, task in zip(told["tasks"], found.tasks, strict=True):
        assert (row["alone"]["verdict"], row["alone"]["percent"]) == (task.alone.verdict, task.alone.percent)


def test_the_figures_are_those_of_the_runs(done):
    _, folder, found = done
    for row in found.tasks:
        for seed, difference in zip((3, 5), row.alone.by_seed, strict=True):
            pairs = compare(folder / f"together-{seed}", folder / f"alone-{row.task}-{seed}", resamples=100)
            own = [
                pair
                for pair in pairs.rows
                if (pair.task, pair.metric) == (row.task, row.metric) and pair.history in ("", "masked")
            ]
            assert [pair.difference for pair in own] == pytest.approx([difference])


def test_alone_means_one_task_with_the_same_input_and_encoder(done):
    _, folder, _ = done
    together, alone = (
        Recipe.from_json(folder / f"{arm}-3" / "recipe.json") for arm in ("together", "alone-buys")
    )
    assert list(alone.tasks) == ["buys"] and alone.tasks["buys"] == together.tasks["buys"]
    assert (alone.input, alone.encoder, alone.width) == (together.input, together.encoder, together.width)
    assert together.communication.kind == "ple" and alone.communication.kind == "shared"


def test_the_matched_model_is_about_as_large_as_the_joint_one(done):
    _, folder, _ = done
    joint = num_weights(folder / "together-3")
    for task in ("next", "buys", "liked"):
        assert num_weights(folder / f"matched-{task}-3") == pytest.approx(joint, rel=0.02)


def test_the_matched_model_reads_the_sequence_where_the_joint_one_does(tmp_path):
    file = shop.write_files(tmp_path, TOML.replace('"ple"', '"gated_slots"'))
    study(file, tmp_path / "study", [1], "validation")
    matched = Recipe.from_json(tmp_path / "study" / "matched-buys-1" / "recipe.json")
    assert matched.communication.kind == "gated_slots"
    assert num_weights(tmp_path / "study" / "matched-buys-1") == pytest.approx(
        num_weights(tmp_path / "study" / "together-1"), rel=0.02
    )


def test_what_is_there_is_not_trained_again(done, monkeypatch):
    file, folder, found = done
    monkeypatch.setattr(module.runs, "train", lambda *words: pytest.fail("trained again"))
    assert study(file, folder, [3, 5], "validation") == found


def test_what_is_there_of_another_recipe_is_refused_and_not_reported_again(done, tmp_path):
    file, folder, _ = done
    other = tmp_path / "recipe.toml"
    words = file.read_text().replace("width = 8", "width = 16")
    for name in ("events.csv", "items.csv"):
        words = words.replace(f'"{name}"', f'"{file.parent / name}"')
    other.write_text(words)
    before = (folder / "recipes" / "together.json").read_bytes()
    with pytest.raises(RecipeError, match="a run of this recipe, found one of another"):
        study(other, folder, [3, 5], "validation")
    assert (folder / "recipes" / "together.json").read_bytes() == before


def test_what_is_there_of_a_log_that_has_changed_is_refused_and_not_reported_again(done, tmp_path):
    file, _, found = done
    copy = tmp_path / "shop"
    shutil.copytree(file.parent, copy)
    paths = str(file.parent), str(copy)
    for told in (*(copy / "study").glob("*/recipe.json"), *(copy / "study").glob("recipes/*.json")):
        told.write_text(told.read_text().replace(*paths))
    assert study(copy / file.name, copy / "study", [3, 5], "validation").tasks == found.tasks
    log = (copy / "events.csv").read_text().splitlines()
    (copy / "events.csv").write_text("\n".join(log[:-1]) + "\n")
    with pytest.raises(
        RecipeError, match="a run of these data, found one of other data: the log has changed since"
    ):
        study(copy / file.name, copy / "study", [3, 5], "validation")


def test_what_together_cannot_be_trained_is_refused_before_anything_is_written(tmp_path):
    loop = TOML + '[tasks.liked2]\nkind = "response"\nlabel = "liked"\ngiven = "liked2"\n'
    file = shop.write_files(tmp_path, loop)
    with pytest.raises(RecipeError, match="a funnel with an end"):
        study(file, tmp_path / "study", [1], "validation")
    assert not (tmp_path / "study").exists()


def test_a_run_from_before_an_option_was_there_is_of_another_recipe(done, tmp_path):
    _, folder, _ = done
    recipe = Recipe.from_json(folder / "together-3" / "recipe.json")
    refuse_another(recipe, folder / "together-3")
    written = json.loads((folder / "together-3" / "recipe.json").read_text())
    del written["communication"]["residual"]
    (tmp_path / "recipe.json").write_text(json.dumps(written))
    with pytest.raises(RecipeError, match="a run of this recipe, found one of another"):
        refuse_another(recipe, tmp_path)
    del written["streams"]  # a section that was not there
    (tmp_path / "recipe.json").write_text(json.dumps(written))
    with pytest.raises(RecipeError, match="a run of this recipe, found one of another"):
        refuse_another(recipe, tmp_path)
    (tmp_path / "recipe.json").write_text("half of a")
    with pytest.raises(RecipeError, match="a recipe in JSON"):
        refuse_another(recipe, tmp_path)


def test_another_part_is_not_mistaken_for_the_one_that_is_there(done):
    file, folder, _ = done
    before = (folder / "together-3" / "checkpoints").stat().st_mtime
    found = study(file, folder, [3], "test")
    assert found.protocol.part == "test"
    assert (folder / "together-3" / "checkpoints").stat().st_mtime == before  # evaluated, not trained
    study(file, folder, [3, 5], "validation")


def test_detaching_is_reported_in_place_of_what_it_mends(done, monkeypatch):
    file, folder, _ = done
    monkeypatch.setattr(Transfer, "to_detach", "liked")
    found = study(file, folder, [3], "validation", detach=True)
    assert found.recipe == "shop, liked detached" and found.detached == "liked"
    freed = Recipe.from_json(folder / "without-liked-3" / "recipe.json")
    assert [task.detached for task in freed.tasks.values()] == [False, False, True]
    assert json.loads((folder / "transfer.json").read_text())["recipe"] == found.recipe


def test_whom_a_task_hears_is_told_where_the_mechanism_tells(done, tmp_path):
    file = shop.write_files(tmp_path, TOML.replace('"ple"', '"gated_slots"'))
    (found,) = study(file, tmp_path / "study", [1], "validation").readings
    assert found.readers == ["next", "buys", "liked"]
    assert found.sources == [*found.readers, "shared 1", "shared 2", "nothing"]
    for place, row in enumerate(found.shares):
        assert sum(row) == pytest.approx(1, abs=1e-5) and 0 < found.gates[place] < 1
    assert done[2].readings[0].sources == [*found.readers, "shared"]  # PLE
    file = shop.write_files(tmp_path, TOML.replace('"ple"', '"mmoe"'))
    assert study(file, tmp_path / "mixture", [1], "validation").readings == []


def test_one_task_has_nobody_to_listen_to(tmp_path):
    file = shop.write_files(
        tmp_path, 'width = 8\n[data.events]\npath = "events.csv"\n[tasks.next]\nkind = "next_item"\n'
    )
    with pytest.raises(RecipeError, match=r"\[tasks\]: expected two tasks or more, found next"):
        study(file, tmp_path / "study", [1], "validation")


def test_an_arm_that_could_not_be_trained_is_refused_before_the_first_is(tmp_path):
    held_out = pl.col("ts") > pl.col("ts").quantile(0.6)
    never_asked = pl.when(held_out).then(pl.col("action").replace("buy", "cart")).otherwise(pl.col("action"))
    frame = shop.events().with_columns(never_asked.alias("action"))
    file = shop.write_files(
        tmp_path, TOML + '[split]\nkind = "time"\ntrain = 0.7\nvalidation = 0.15\n', frame
    )
    with pytest.raises(
        RecipeError, match=r"\[tasks\.buys\]: expected a validation target, to choose the epoch"
    ):
        study(file, tmp_path / "study", [1], "validation")
    assert not (tmp_path / "study").exists()


def test_a_response_alone_is_chosen_by_the_metric_that_is_told_of_it(done):
    _, folder, _ = done
    assert Recipe.from_json(folder / "alone-liked-3" / "recipe.json").train.monitor == "liked/-log_loss"


def test_changes_of_the_recipe_reach_every_arm_and_a_wrong_one_is_refused(tmp_path, monkeypatch):
    file = shop.write_files(tmp_path, TOML)

    def stop(recipe, *rest):
        raise InterruptedError(recipe.train.epochs)

    monkeypatch.setattr(module, "run_arm", stop)
    with pytest.raises(InterruptedError, match="7"):
        study(file, tmp_path / "study", [3], "validation", changes=["train.epochs=7"])
    with pytest.raises(RecipeError, match=r"--set train.epochz=7"):
        study(file, tmp_path / "study", [3], "validation", changes=["train.epochz=7"])
