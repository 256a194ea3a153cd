import numpy as np
import polars as pl

from intertask import Catalogue
from intertask.data.sequences import from_lists
from intertask.events.item_facts import DAY, facts

IDS = pl.Series(["a", "b", "c", "d"])


def test_evidence_age_and_rest_are_those_of_the_training_events():
    day = int(DAY)
    log = from_lists([[0, 1, 0], [2]], 4, times=[[0, 5 * day, 7 * day], [9 * day]])
    found = {name: own.values_I for name, own in facts(log, None, IDS).items()}
    np.testing.assert_allclose(np.expm1(found["item/events"]), [2, 1, 1, 0], atol=1e-5)
    np.testing.assert_allclose(np.expm1(found["item/age"]), [9, 4, 0, 0], atol=1e-4)
    np.testing.assert_allclose(np.expm1(found["item/rest"]), [2, 4, 0, 9], atol=1e-4)


def test_a_log_without_times_or_events_has_no_ages():
    assert facts(from_lists([[0, 1]], 4), None, IDS).keys() == {"item/events"}
    assert facts(from_lists([[]], 4), None, IDS)["item/events"].values_I.tolist() == [0, 0, 0, 0]


def test_numbers_of_the_catalogue_are_read_and_missing_ones_are_the_mean():
    frame = pl.DataFrame({"item": ["b", "a", "c"], "price": [3.0, 99.0, None], "long" * 50: [1.0, 2.0, 3.0]})
    catalogue = Catalogue.read(frame, numbers=["price", "long" * 50])
    found = facts(from_lists([[0]], 4), catalogue, IDS)
    assert found.keys() == {"item/events", "item/column price"}
    price = found["item/column price"].values_I
    np.testing.assert_allclose(price[:2], np.log1p([99, 3]), rtol=1e-6)
    np.testing.assert_allclose(price[2:], price[:2].mean(), rtol=1e-6)
