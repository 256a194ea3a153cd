import math
from pathlib import Path

import polars as pl
import pytest

from intertask.data.catalogue import Catalogue
from intertask.errors import DataError

SHOP = pl.DataFrame(
    {
        "sku": [7, 8, 8, None, 9],
        "title": ["Tea", "Pot", "Pot again", "nothing", None],
        "tags": ["hot| green ", "", "x", "y", None],
        "price": [2.5, math.nan, 1.0, 1.0, 4.0],
    }
)
SCHEME = {"item": "sku", "text": ["title"], "tags": ["tags"], "numbers": ["price"]}


def read(source: pl.DataFrame | Path = SHOP) -> Catalogue:
    return Catalogue.read(source, item="sku", text=["title"], tags=["tags"], numbers=["price"])


def test_of_duplicate_items_the_first_is_kept() -> None:
    catalogue = read()
    assert catalogue.frame["item"].to_list() == [7, 8, 9]
    assert catalogue.frame["title"].to_list() == ["Tea", "Pot", None]
    assert list(catalogue.report.rows.select("row", "reason", "value").iter_rows()) == [
        (3, "duplicate item", "8"),
        (4, "missing item", None),
    ]
    with pytest.raises(DataError, match=r"row 3.*duplicate item"):
        Catalogue.read(SHOP, item="sku", strict=True)


def test_tags_are_lists_whether_text_or_list(tmp_path: Path) -> None:
    expected = [["hot", "green"], [], []]
    assert read().frame["tags"].to_list() == expected
    split = SHOP.with_columns(pl.col("tags").str.split("|"))
    assert read(split).frame["tags"].to_list() == expected
    SHOP.drop_nulls("sku").write_csv(tmp_path / "shop.csv")
    assert read(tmp_path / "shop.csv").frame["tags"].to_list() == expected


def test_missing_numbers_are_null_and_infinite_ones_refused() -> None:
    assert read().frame["price"].to_list() == [2.5, None, 4.0]
    report = read(SHOP.with_columns(price=pl.Series([1.0, -math.inf, 1.0, 1.0, 1.0]))).report
    assert report.counts == {"infinite price": 1, "missing item": 1}  # the second row 8 is then the first


def test_text_is_found_by_integer_and_by_its_spelling() -> None:
    catalogue = read()
    assert catalogue.text_of(pl.Series([8, 7, 99, 9])).to_list() == ["Pot", "Tea", None, None]
    assert catalogue.text_of(pl.Series(["8", "07", "x"])).to_list() == ["Pot", None, None]
    words = read(SHOP.with_columns(pl.col("sku").cast(pl.String)))
    assert words.text_of(pl.Series([8, 7])).to_list() == ["Pot", "Tea"]
    assert catalogue.tags_of(pl.Series([7, 99])).to_list() == [["hot", "green"], []]


def test_rows_keep_the_ids_as_they_were_asked() -> None:
    rows = read().rows(pl.Series(["9", "7", "9"]))
    assert rows["item"].to_list() == ["9", "7", "9"]
    assert rows["price"].to_list() == [4.0, 2.5, 4.0]


def test_a_catalogue_without_text_says_so() -> None:
    with pytest.raises(DataError, match="without text"):
        Catalogue.read(SHOP, item="sku").text_of(pl.Series([7]))
    with pytest.raises(DataError, match="the text 'plot'"):
        read().text_of(pl.Series([7]), "plot")


def test_unicode_survives() -> None:
    frame = pl.DataFrame({"item": ["東京"], "title": ["Größe 🙂"]})
    assert Catalogue.read(frame, text=["title"]).text_of(pl.Series(["東京"])).to_list() == ["Größe 🙂"]


def test_a_column_cannot_have_two_roles() -> None:
    with pytest.raises(DataError, match="'title' twice"):
        Catalogue.read(SHOP, item="sku", text=["title"], categories=["title"])


def test_unknown_columns_are_refused_with_a_suggestion() -> None:
    with pytest.raises(DataError, match="did you mean 'title'"):
        Catalogue.read(SHOP, item="sku", text=["titel"])


def test_roles_bring_a_catalogue_back() -> None:
    catalogue = read()
    again = Catalogue.from_roles(catalogue.frame, catalogue.roles())
    assert again.roles() == catalogue.roles()
    assert again.text_of(pl.Series([7])).to_list() == ["Tea"]
    with pytest.raises(DataError, match="every item once"):
        Catalogue.from_roles(pl.concat([catalogue.frame] * 2), catalogue.roles())
    with pytest.raises(DataError, match="a column 'title'"):
        Catalogue.from_roles(catalogue.frame.drop("title"), catalogue.roles())
