from intertask.datasets.retailrocket_mbht import merge

VIEW, CART, BUY = 2, 1, 0
FIRST = ((1, VIEW), (1, BUY))
SECOND = (*FIRST, (2, VIEW), (2, CART), (2, BUY))
THIRD = (*SECOND, (3, BUY))


def test_a_chain_of_prefixes_is_one_session() -> None:
    assert merge([FIRST, SECOND, THIRD], copies=3) == [THIRD]


def test_copies_of_a_row_are_one_session() -> None:
    assert merge([FIRST] * 3, copies=3) == [FIRST]
    assert merge([FIRST] * 4, copies=3) == [FIRST] * 2


def test_a_session_that_stopped_early_stays_beside_the_one_that_went_on() -> None:
    assert sorted(merge([FIRST] * 6 + [SECOND] * 3, copies=3)) == [FIRST, SECOND]


def test_two_ways_of_going_on_are_two_sessions() -> None:
    other = (*FIRST, (9, BUY))
    assert sorted(merge([FIRST] * 2 + [SECOND, other], copies=1)) == sorted([SECOND, other])


def test_a_beginning_that_is_no_row_is_no_session() -> None:
    assert merge([THIRD], copies=3) == [THIRD]
