import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intertask.data.vocabulary import Vocabulary
from intertask.errors import DataError

texts = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), min_size=1, unique=True)
numbers = st.lists(st.integers(-(2**62), 2**62), min_size=1, unique=True)


@given(st.one_of(texts, numbers), st.randoms(use_true_random=False))
def test_every_id_finds_its_place_and_comes_back(ids, random):
    vocabulary = Vocabulary(pl.Series("id", ids))
    asked = random.choices(ids, k=20)
    places = vocabulary.encode(pl.Series(asked))
    assert [ids[place] for place in places] == asked
    assert vocabulary.decode(places).to_list() == asked


@given(texts, texts)
def test_unknown_ids_are_minus_one(known, asked):
    places = Vocabulary(pl.Series("id", known)).encode(pl.Series("asked", asked))
    assert [place >= 0 for place in places] == [name in known for name in asked]


def test_a_number_and_its_spelling_are_one_id_but_leading_zeros_are_not():
    numbers = Vocabulary(pl.Series("id", [7, 8]))
    assert numbers.encode(pl.Series(["8", "7", "007", "x"])).tolist() == [1, 0, -1, -1]
    words = Vocabulary(pl.Series("id", ["7", "007"]))
    assert words.encode(pl.Series([7, 8])).tolist() == [0, -1]


def test_places_keep_the_order_of_the_question():
    vocabulary = Vocabulary(pl.Series("id", [f"i{n}" for n in range(5000)]))
    asked = np.random.default_rng(0).integers(5000, size=20_000)
    assert (vocabulary.encode(pl.Series([f"i{n}" for n in asked])) == asked).all()


def test_what_is_no_id_is_refused():
    with pytest.raises(DataError, match="text or integers"):
        Vocabulary(pl.Series("id", [1, 2])).encode(pl.Series([1.5, 2.0]))
