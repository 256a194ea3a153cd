import numpy as np
import polars as pl
import pytest

from intertask import Catalogue
from intertask.content import texts
from intertask.content.described import describe
from intertask.content.reader import ContentReader
from intertask.content.texts import HASHED, cleaned, hashed, texts_of
from intertask.content.whitening import Whitening
from intertask.errors import RecipeError, RequestError

FRAME = pl.DataFrame(
    {
        "item": [str(n) for n in range(40)],
        "title": [f"{['red', 'blue', 'green'][n % 3]} {['mug', 'plate'][n % 2]} {n}" for n in range(40)],
        "group": [["a", "b"][n % 2] if n % 5 else None for n in range(40)],
        "tags": ["x|y" if n % 2 else "" for n in range(40)],
        "price": [float(n) if n % 7 else None for n in range(40)],
    }
)


def catalogue(frame: pl.DataFrame = FRAME) -> Catalogue:
    return Catalogue.read(frame, text=["title"], categories=["group"], tags=["tags"], numbers=["price"])


def described(frame: pl.DataFrame = FRAME, trained: int = 30):
    counts = (np.arange(frame.height) < trained).astype(np.int64)
    own = catalogue(frame)
    return describe(own, own.frame["item"], counts, HASHED, 16, scale=True, strict=False)


def test_whitened_vectors_are_uncorrelated_and_equally_wide():
    vectors = (np.random.default_rng(0).normal(size=(500, 6)) @ np.diag([9, 5, 3, 2, 1, 0.5])).astype(
        np.float32
    )
    vectors += np.float32(7)
    white = Whitening.fit(vectors, 4)(vectors)
    assert np.abs(np.cov(white.T) - np.eye(4)).max() < 0.01
    assert np.abs(white.mean(0)).max() < 1e-4


def with_looks(width: int = 6) -> Catalogue:
    random = np.random.default_rng(0).normal(size=(40, width)) @ np.diag(np.arange(1, width + 1))
    looks = [None if n % 9 == 0 else row.tolist() for n, row in enumerate(random + 7)]
    return Catalogue.read(FRAME.with_columns(look=pl.Series(looks)), categories=["group"], vectors=["look"])


def test_vectors_are_whitened_by_training_items_and_a_missing_one_is_marked():
    own, counts = with_looks(), (np.arange(40) < 30).astype(np.int64)
    found = describe(own, own.frame["item"], counts, HASHED, 4, scale=True, strict=False)
    assert found.reader.found.vectors == {"look": (6, 4)} and found.num_features == 3 + 5
    block = found.features_IF[:, 3:] * 2**0.5  # of two blocks
    there = np.arange(40) % 9 != 0
    assert np.array_equal(block[:, 4] == 0, there)
    assert np.allclose(np.linalg.norm(block[:, :4], axis=1), there)
    fitted = np.stack(own.frame["look"][:30].drop_nulls().to_list())
    expected = Whitening.fit(fitted.astype(np.float32), 4)(np.array([own.frame["look"][1]], np.float32))[0]
    assert block[1, :4] == pytest.approx(expected / np.linalg.norm(expected), abs=1e-5)


def test_vectors_of_another_length_are_refused():
    own, other = with_looks(), with_looks(5)
    reader = describe(own, own.frame["item"], np.ones(40, int), HASHED, 4, scale=True, strict=False).reader
    with pytest.raises(RequestError, match="items look: expected vectors of 6 numbers, found 5 numbers"):
        reader.refuse_others(other.frame)
    reader.refuse_others(own.frame)


def test_items_without_an_event_change_nothing_of_how_the_others_are_read():
    strange = FRAME.with_columns(
        pl.when(pl.int_range(pl.len()) >= 30).then(pl.lit("kangaroo")).otherwise("title").alias("title"),
        pl.when(pl.int_range(pl.len()) >= 30).then(1e9).otherwise("price").alias("price"),
        pl.when(pl.int_range(pl.len()) >= 30).then(pl.lit("z")).otherwise("group").alias("group"),
    )
    one, other = described(), described(strange)
    assert np.array_equal(one.features_IF[:30], other.features_IF[:30])
    assert one.reader.found == other.reader.found


def test_what_an_item_lacks_is_marked_and_says_nothing_else():
    bare = pl.concat([FRAME, pl.DataFrame({"item": ["none"], "title": ["  "]})], how="diagonal")
    found = described(bare)
    marks = np.cumsum(list(found.reader.found.blocks.values())) - 1
    assert not found.has_I[-1] and found.has_I[:-1].all()
    assert (found.features_IF[-1, marks] > 0).all()
    assert np.count_nonzero(found.features_IF[-1]) == len(marks)


@pytest.mark.parametrize("title", ["!!! ...", "\0", "日"])
def test_a_text_that_hashing_hears_nothing_of_is_no_content(title):
    bare = pl.concat([FRAME, pl.DataFrame({"item": ["new"], "title": [title]})], how="diagonal")
    assert described(bare).has_I.tolist() == [True] * 40 + [False]


def test_like_texts_have_like_vectors():
    made = hashed(["red ceramic mug", "red ceramic mugs", "garden gnome"])
    close, far = made[0] @ made[1], made[0] @ made[2]
    assert close > 0.6 * (made[0] @ made[0]) > far


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("<p>Red&nbsp;<b>mug</b></p>\n", "Red mug"),
        ("", ""),
        ("<" * 5_000, "<" * texts.LONGEST),
        ("x" * 100_000, "x" * texts.LONGEST),
        ("красная кружка 红杯子", "красная кружка 红杯子"),
        ("\ud83d", "\ud83d"),
    ],
)
def test_texts_lose_their_markup_and_what_is_too_long(given: str, read: str):
    assert cleaned(given) == read


def test_the_texts_of_an_item_are_read_in_the_order_of_their_columns():
    rows = pl.DataFrame({"a": ["one", None, ""], "b": ["two", "three", None]})
    assert texts_of(rows, ["a", "b"]) == ["one. two", "three", ""]
    assert texts_of(rows, []) == ["", "", ""]


def test_an_encoder_that_is_not_here_is_replaced_or_refused_in_a_line(monkeypatch, capsys):
    def find(name: str):
        raise RecipeError(
            f"pretrained {name!r}", "a folder, or a name on the hub", "neither", "check the path"
        )

    monkeypatch.setattr("intertask.texts.pretrained.find", find)
    missing = "none"
    assert texts.encoder_at_hand(missing) == HASHED
    assert f"no encoder {missing!r} is here" in capsys.readouterr().err.replace("\n", "")
    with pytest.raises(RecipeError, match="an encoder that is here"):
        texts.encoder_at_hand(missing, strict=True)


def test_a_reader_reads_new_rows_as_the_training_items_were_read():
    found = described()
    assert isinstance(found.reader, ContentReader)
    again = found.reader.read(catalogue().frame, hashed)
    assert np.allclose(again.features_NF, found.features_IF, atol=1e-6)
