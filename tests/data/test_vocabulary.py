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


spelled = st.lists(
    st.one_of(
        st.integers(-12, 12).map(str),
        st.sampled_from(["007", "+7", " 7", "7.0", "1e1", "-0", "", "x"]),
        st.none(),
    )
)


@given(spelled.filter(bool), st.booleans())
def test_an_id_is_known_where_its_normal_spelling_is(asked, as_numbers):
    known = list(range(-9, 10))
    ids = pl.Series("id", known if as_numbers else [str(number) for number in known])
    places = {str(number): place for place, number in enumerate(known)}
    expected = [places.get(spelling, -1) for spelling in asked]
    assert Vocabulary(ids).encode(pl.Series(asked, dtype=pl.String)).tolist() == expected


@pytest.mark.parametrize("ids", [[7, 8], ["7", "x"]])
def test_ids_come_in_any_type_of_frame(ids):
    vocabulary = Vocabulary(pl.Series("id", ids))
    seven = [pl.Series([7, None], dtype=dtype) for dtype in (pl.Int8, pl.UInt64, pl.Float32)]
    seven += [pl.Series(["7", None], dtype=dtype) for dtype in (pl.Categorical, pl.Enum(["7"]))]
    for asked in seven:
        assert vocabulary.encode(asked).tolist() == [0, -1]
    assert vocabulary.encode(pl.Series([None])).tolist() == [-1]
    assert vocabulary.encode(pl.Series([])).tolist() == []


def test_an_empty_vocabulary_knows_nobody():
    for ids in (pl.Series("id", [], dtype=pl.String), pl.Series("id", [], dtype=pl.Int64)):
        assert Vocabulary(ids).encode(pl.Series(["a", "b"])).tolist() == [-1, -1]


def test_ids_that_share_a_hash_are_told_apart(monkeypatch):
    real = pl.Series.hash
    seeds = []

    def few(self, seed=0):
        seeds.append(seed)
        return real(self, seed) % (3 if seed < 2 else 2**63)

    monkeypatch.setattr(pl.Series, "hash", few)
    vocabulary = Vocabulary(pl.Series("id", ["a", "b", "c", "d"]))
    assert vocabulary.encode(pl.Series(["d", "a", "e"])).tolist() == [3, 0, -1]
    assert seeds == [0, 1, 2, 2]


def test_an_unknown_id_that_shares_a_hash_stays_unknown(monkeypatch):
    monkeypatch.setattr(pl.Series, "hash", lambda self, seed=0: self.str.len_bytes().cast(pl.UInt64))
    vocabulary = Vocabulary(pl.Series("id", ["a", "bb"]))
    assert vocabulary.encode(pl.Series(["x", "bb", "yy", "zzz", ""])).tolist() == [-1, 1, -1, -1, -1]


def test_the_same_id_twice_is_refused():
    with pytest.raises(DataError, match="ids: expected each id once, found 'b' twice"):
        Vocabulary(pl.Series("id", ["a", "b", "b"])).encode(pl.Series(["a"]))


def test_ids_are_indexed_at_the_first_question_alone(monkeypatch):
    vocabulary = Vocabulary(pl.Series("id", ["a", "b"]))
    vocabulary.encode(pl.Series(["a"]))
    monkeypatch.setattr(pl.Series, "arg_sort", lambda _: pytest.fail("sorted again"))
    assert vocabulary.encode(pl.Series(["b"])).tolist() == [1]
