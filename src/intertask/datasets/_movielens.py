"""The files of MovieLens, from a local folder, GroupLens or a stored copy, in one layout.

Terms: research use with citation, no redistribution without permission. So nothing here may be committed
or packed into a wheel; it is fetched by whoever uses it. Source: Harper and Konstan, "The MovieLens
Datasets", ACM TiiS 5(4), 2015.
"""

import io
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import polars as pl

from intertask.data import fetch
from intertask.data.people import People
from intertask.errors import DataError
from intertask.storage.files import written_aside

_URL = "https://files.grouplens.org/datasets/movielens"
_FILES = ("ratings.parquet", "items.parquet")

# The whole of MovieLens-100K is the example data set of RecBole, in the same order of rows.
_RECBOLE = "recbole==1.2.1"
_RECBOLE_WHEEL = "recbole-1.2.1-py3-none-any.whl"
_RECBOLE_SHA256 = "9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407"
_RECBOLE_FOLDER = "recbole/dataset_example/ml-100k"

Frames = tuple[pl.DataFrame, pl.DataFrame]


def folder_100k(cache: Path) -> Path:
    """The folder with MovieLens-100K's ratings.parquet and items.parquet.

    Ratings: user_id, item_id, rating, timestamp, in the publisher's order; items: item_id, title, genres.

    Args:
        cache: Below this folder it is kept once it has been fetched.

    Raises:
        DataError: It can be had from none of the places; says what each of them answered.
    """
    return _obtain("movielens-100k", cache, [_publisher_100k, _recbole_100k])


def folder_1m(cache: Path) -> Path:
    """The folder with MovieLens-1M's ratings.parquet and items.parquet, as `folder_100k`.

    Ratings carry `time_rank` as well, the place of a rating in its user's history by time and then file
    order, null for items with fewer than five ratings.
    """
    return _obtain("movielens-1m", cache, [_publisher_1m])


def _obtain(name: str, cache: Path, places: list[Callable[[Path], Frames]]) -> Path:
    here = fetch.local(name, _FILES)
    if here is not None:
        return here
    kept = cache / name
    if all((kept / file).is_file() for file in _FILES):
        return kept
    answers = []
    for place in places:
        try:
            with TemporaryDirectory() as scratch:
                ratings, items = place(Path(scratch))
        except DataError as error:
            answers.append(f"{error.where}: {error.found}")
            continue
        with written_aside(kept) as aside:
            aside.mkdir()
            ratings.write_parquet(aside / "ratings.parquet")
            items.write_parquet(aside / "items.parquet")
        return kept
    raise DataError(
        f"data set {name}",
        "a place to have it from",
        "; ".join(answers),
        f"go online, or set {fetch.VARIABLE} to a folder that holds {name}/ with {' and '.join(_FILES)}",
    )


def _publisher_100k(scratch: Path) -> Frames:
    fetch.download(f"{_URL}/ml-100k.zip", scratch / "ml-100k.zip", md5="0e33842e24a9c977be4e0107933c0723")
    with zipfile.ZipFile(scratch / "ml-100k.zip") as archive:
        return from_archive_100k(archive)


def from_archive_100k(archive: zipfile.ZipFile) -> Frames:
    """Ratings and items of the publisher's ml-100k.zip."""
    ratings = _numbers(archive.read("ml-100k/u.data"), "\t")
    genres = [line.split("|")[0] for line in archive.read("ml-100k/u.genre").decode().splitlines() if line]
    lines = archive.read("ml-100k/u.item").decode("latin-1").splitlines()
    rows = [line.split("|") for line in lines if line]
    items = {
        "item_id": [int(row[0]) for row in rows],
        "title": [row[1] for row in rows],
        "genres": [
            "|".join(genre for genre, flag in zip(genres, row[5:], strict=True) if flag == "1")
            for row in rows
        ],
    }
    return ratings, pl.DataFrame(items)


def _recbole_100k(scratch: Path) -> Frames:
    wheel = fetch.pip_download(_RECBOLE, _RECBOLE_WHEEL, scratch, _RECBOLE_SHA256)
    with zipfile.ZipFile(wheel) as archive:
        inter, item = (archive.read(f"{_RECBOLE_FOLDER}/ml-100k.{kind}") for kind in ("inter", "item"))
    ratings = _numbers(inter.split(b"\n", 1)[1], "\t")
    table = pl.read_csv(io.BytesIO(item), separator="\t", quote_char=None, infer_schema=False)
    number, title, year, genres = table.columns
    # RecBole took the year off the title, and made "unkonwn" of the one title that is unknown.
    plain = pl.col(title).str.replace("^unkonwn$", "unknown")
    dated = pl.when(pl.col(year).str.contains(r"^\d{4}$")).then(pl.format("{} ({})", plain, year))
    items = table.select(
        pl.col(number).cast(pl.Int32).alias("item_id"),
        dated.otherwise(plain).alias("title"),
        pl.col(genres).str.replace_all(" ", "|", literal=True).alias("genres"),
    )
    return ratings, items


def _publisher_1m(scratch: Path) -> Frames:
    fetch.download(f"{_URL}/ml-1m.zip", scratch / "ml-1m.zip", md5="c4d9eecfca2ab87c1945afe126590906")
    with zipfile.ZipFile(scratch / "ml-1m.zip") as archive:
        return from_archive_1m(archive)


def from_archive_1m(archive: zipfile.ZipFile) -> Frames:
    """Ratings and items of the publisher's ml-1m.zip."""
    ratings = _numbers(archive.read("ml-1m/ratings.dat").replace(b"::", b"\t"), "\t").with_row_index(
        "file_pos"
    )
    frequent = pl.len().over("item_id") >= 5
    ranks = (
        ratings.filter(frequent)
        .sort("timestamp", maintain_order=True)
        .select("file_pos", pl.int_range(pl.len(), dtype=pl.Int32).over("user_id").alias("time_rank"))
    )
    ratings = ratings.join(ranks, on="file_pos", how="left", maintain_order="left")
    lines = archive.read("ml-1m/movies.dat").decode("latin-1").splitlines()
    rows = [line.split("::") for line in lines if line]
    items = {
        "item_id": [int(row[0]) for row in rows],
        "title": [row[1] for row in rows],
        "genres": [row[2] for row in rows],
    }
    return ratings, pl.DataFrame(items)


def _numbers(text: bytes, separator: str) -> pl.DataFrame:
    columns = {"user_id": pl.Int32, "item_id": pl.Int32, "rating": pl.Float32, "timestamp": pl.Int64}
    return pl.read_csv(io.BytesIO(text), separator=separator, has_header=False, schema=columns)


def by_rating(behaviours: Literal["one", "by_rating"]) -> pl.Expr:
    """The behaviour of each rating: "rate", or what the rating says."""
    if behaviours == "one":
        return pl.lit("rate").alias("behaviour")
    level = pl.when(pl.col("rating") <= 2).then(pl.lit("dislike"))
    return (
        level.when(pl.col("rating") < 4).then(pl.lit("neutral")).otherwise(pl.lit("like")).alias("behaviour")
    )


def people_of(place: Path, categories: Sequence[str], numbers: Sequence[str]) -> People | None:
    """What the publisher says of the people, except their zip codes; None where the file is not there."""
    file = place / "users.parquet"
    if not file.is_file():
        return None
    return People.read(file, user="user_id", categories=categories, numbers=numbers, name="movielens users")
