import numpy as np
import pytest

from intertask.data.sequences import from_lists
from intertask.errors import IntertaskError
from intertask.signals.fact import Fact

OWN = Fact(np.array([1.0, 5.0, 3.0], np.float32))


def test_a_fact_is_the_same_for_everybody_and_survives_as_arrays():
    histories = from_lists([[0], [], [1, 2]], 3)
    assert OWN.say(histories).tolist() == [1, 5, 3]
    assert Fact.of(OWN.arrays(), 3, "test").say(histories).tolist() == [1, 5, 3]
    assert OWN.after(histories, np.array([True, True, True])) is OWN


def test_of_items_that_come_later_the_mean_holds():
    assert OWN.grown(5).values_I.tolist() == [1, 5, 3, 3, 3]


@pytest.mark.parametrize("wrong", [[1.0, np.nan, 2.0], [1.0, 1e31, 2.0], [1.0, 2.0]])
def test_numbers_that_are_none_are_refused(wrong):
    with pytest.raises(IntertaskError, match="values"):
        Fact.of({"values": np.array(wrong, np.float32)}, 3, "test")
