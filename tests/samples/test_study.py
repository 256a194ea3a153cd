"""A study of tasks on rows of a table."""

from intertask.runs.study import study
from tests.cli.test_predict import write_files


def test_tasks_of_rows_are_studied_alone_and_together(tmp_path):
    recipe = write_files(tmp_path)
    recipe.write_text(recipe.read_text().replace("epochs = 2", "epochs = 1"))
    found = study(recipe, tmp_path / "study", [1], "validation")
    assert {own.task for own in found.tasks} == {"ill", "days"}

    assert (tmp_path / "study" / "transfer.json").is_file()
