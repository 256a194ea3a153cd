"""Fetching MovieLens, on files made up in its publisher's format."""

import io
import zipfile
from pathlib import Path

import polars as pl
import pytest

from intertask.datasets import _movielens
from intertask.datasets.movielens_1m import Config as Movielens1m
from intertask.datasets.movielens_100k import Config as Movielens100k
from intertask.errors import DataError


def archive(files: dict[str, str]) -> zipfile.ZipFile:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as writing:
        for name, text in files.items():
            writing.writestr(name, text.encode("latin-1"))
    return zipfile.ZipFile(packed)


SMALL_100K = {
    "ml-100k/u.data": "1\t2\t5\t881250949\n1\t1\t3\t881250949\n2\t1\t1\t881250900\n",
    "ml-100k/u.genre": "unknown|0\nAction|1\nDrama|2\n\n",
    "ml-100k/u.item": "1|Café (1995)|01-Jan-1995||http://x|0|1|1\n2|Solo (1996)|01-Jan-1996||http://y|1|0|0\n",
}


@pytest.fixture(autouse=True)
def _no_local_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INTERTASK_DATA", raising=False)


def test_the_publishers_100k_is_understood_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def publisher(scratch: Path) -> _movielens.Frames:
        calls.append(scratch)
        return _movielens.from_archive_100k(archive(SMALL_100K))

    monkeypatch.setattr(_movielens, "_publisher_100k", publisher)
    for _ in range(2):
        loaded = Movielens100k().load(tmp_path)
        assert loaded.events.frame["item"].to_list() == [2, 1, 1]
        assert loaded.events.frame["rating"].to_list() == [5, 3, 1]
        assert loaded.catalogue is not None
        assert loaded.catalogue.frame["title"].to_list() == ["Café (1995)", "Solo (1996)"]
        assert loaded.catalogue.frame["genres"].to_list() == [["Action", "Drama"], ["unknown"]]
    assert len(calls) == 1


def test_the_publishers_1m_is_ranked_by_time_then_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [f"{user}::{item}::4::{time}" for user in range(1, 6) for item, time in ((3, 9), (2, 9), (1, 8))]
    files = {
        "ml-1m/ratings.dat": "\n".join([*lines, "1::7::5::1"]) + "\n",
        "ml-1m/movies.dat": "1::A (1990)::Drama\n2::B (1991)::Action|Drama\n3::C::War\n7::D::War\n",
    }
    monkeypatch.setattr(_movielens, "_publisher_1m", lambda _: _movielens.from_archive_1m(archive(files)))
    frame = Movielens1m().load(tmp_path).events.frame
    assert frame.filter(user=1).sort("order")["item"].to_list() == [1, 3, 2]  # 7 has one rating only


def test_the_stored_copy_is_the_second_choice_and_errors_name_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def out_of_reach(where: str) -> None:
        raise DataError(where, "a file", f"no answer from {where}")

    monkeypatch.setattr(_movielens, "_publisher_100k", lambda _: out_of_reach("publisher"))
    monkeypatch.setattr(_movielens, "_recbole_100k", lambda _: out_of_reach("pip"))
    with pytest.raises(
        DataError, match=r"publisher.*pip.*set INTERTASK_DATA to a folder that holds movielens-100k/"
    ):
        Movielens100k().load(tmp_path)
    assert list(tmp_path.iterdir()) == []
    small = _movielens.from_archive_100k(archive(SMALL_100K))
    monkeypatch.setattr(_movielens, "_recbole_100k", lambda _: small)
    assert Movielens100k().load(tmp_path).events.num_events == 3


def test_a_local_folder_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ratings, items = _movielens.from_archive_100k(archive(SMALL_100K))
    (tmp_path / "movielens-100k").mkdir()
    ratings.head(2).write_parquet(tmp_path / "movielens-100k" / "ratings.parquet")
    monkeypatch.setenv("INTERTASK_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"no items\.parquet"):
        Movielens100k().load(tmp_path / "cache")
    items.write_parquet(tmp_path / "movielens-100k" / "items.parquet")
    assert Movielens100k().load(tmp_path / "cache").events.num_events == 2
    assert not (tmp_path / "cache").exists()
    monkeypatch.setenv("INTERTASK_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match="which is none"):
        Movielens100k().load(tmp_path / "cache")


def test_titles_of_the_stored_copy_get_their_year_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel, folder = tmp_path / "x.whl", "recbole/dataset_example/ml-100k/ml-100k"
    with zipfile.ZipFile(wheel, "w") as writing:
        writing.writestr(
            f"{folder}.inter",
            "user_id:token\titem_id:token\trating:float\ttimestamp:float\n1\t2\t3\t881250949\n",
        )
        writing.writestr(
            f"{folder}.item",
            "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
            "1\tToy Story\t1995\tAnimation Comedy\n267\tunkonwn\tunkonwn\tunknown\n",
        )
    monkeypatch.setattr(_movielens.fetch, "pip_download", lambda *_: wheel)
    ratings, items = _movielens._recbole_100k(tmp_path)
    assert ratings.row(0) == (1, 2, 3.0, 881250949)
    assert items.equals(
        pl.DataFrame(
            {
                "item_id": [1, 267],
                "title": ["Toy Story (1995)", "unknown"],
                "genres": ["Animation|Comedy", "unknown"],
            },
            schema_overrides={"item_id": pl.Int32},
        )
    )
