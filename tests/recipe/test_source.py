import polars as pl
import pytest

from intertask.recipe import source
from intertask.recipe.data_section import DataConfig


@pytest.fixture
def log(tmp_path):
    def written(name, users):
        frame = pl.DataFrame({"user": users, "item": list(range(len(users)))})
        frame.write_parquet(tmp_path / name)
        return lambda **more: source.load(DataConfig(events={"path": name}, **more), tmp_path).events.frame

    return written


@pytest.mark.parametrize("kind", [str, int])
def test_some_users_have_all_of_their_events(log, kind):
    read = log("events.parquet", [kind(number % 10) for number in range(50)])
    frame = read(users=4)
    assert frame["user"].n_unique() == 4 and frame.height == 20
    assert frame.equals(read(users=4))
    assert not frame.equals(read())


def test_more_users_than_there_are_is_all_of_them(log):
    read = log("events.parquet", ["a", "b", "a"])
    assert read(users=100).equals(read())


def test_fewer_users_are_some_of_the_same(log):
    read = log("events.parquet", list(range(100)))
    assert set(read(users=10)["user"]) < set(read(users=20)["user"])


def test_a_recipe_says_how_times_and_tags_are_written(tmp_path):
    (tmp_path / "events.csv").write_text("user,item,when\na,x,02.01.2026 10:00\na,y,01.02.2026 10:00\n")
    (tmp_path / "items.csv").write_text('item,kinds\nx,"red, blue"\ny,green\n')
    told = DataConfig.model_validate(
        {
            "events": {"path": "events.csv", "time": "when", "time_format": "%d.%m.%Y %H:%M"},
            "catalogue": {"path": "items.csv", "tags": ["kinds"], "tag_separator": ","},
        }
    )
    loaded = source.load(told, tmp_path)
    assert loaded.events.frame.sort("time")["item"].to_list() == ["x", "y"]
    assert loaded.catalogue.tags_of(pl.Series(["x", "y"])).to_list() == [["red", "blue"], ["green"]]
