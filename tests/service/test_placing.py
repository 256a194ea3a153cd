import numpy as np
import polars as pl
import pytest

from intertask.data.vocabulary import Vocabulary
from intertask.events.requests import encoded
from intertask.service import placing
from intertask.service.placing import Places

ITEMS = [f"sku/{number}" for number in range(20)]
ASKED = ["sku/7", "", "sku/3", "none", "sku/7", "+7", "sku/19"]


@pytest.mark.parametrize("most", [1 << 18, 30, 4, 1])
def test_what_is_remembered_is_what_would_be_looked_up_however_much_fits(monkeypatch, most):
    monkeypatch.setattr(placing, "MOST", most)
    items = Vocabulary(pl.Series(ITEMS))
    places = Places(items)
    for asked in (ASKED, ASKED[::-1], ITEMS, ASKED, []):
        expected = encoded(items, pl.Series(asked, dtype=pl.String))
        np.testing.assert_array_equal(places.of(asked), expected)
        known = expected[expected >= 0]
        assert places.names(known) == [ITEMS[place] for place in known]


def test_whole_numbers_are_found_by_their_spelling():
    places = Places(Vocabulary(pl.Series([7, 11], dtype=pl.Int64)))
    assert places.of(["11", "7", "07", "+7"]).tolist() == [1, 0, -1, -1]
    assert places.names(np.array([1, 0])) == ["11", "7"]


def test_ids_that_somebody_makes_up_fill_no_memory(monkeypatch):
    monkeypatch.setattr(placing, "MOST", 100)
    places = Places(Vocabulary(pl.Series(ITEMS)))
    for number in range(50):
        assert (places.of([f"{number}-{place}" for place in range(30)]) == -1).all()
        assert len(places._places) <= 100
