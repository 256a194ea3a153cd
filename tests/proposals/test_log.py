import pytest

from intertask.proposals.log import value_order


@pytest.mark.parametrize(
    ("counts", "order"),
    [
        ({"purchase": 5, "view": 90, "addtocart": 20}, ["view", "addtocart", "purchase"]),
        ({"buy": 50, "click": 9, "impression": 3}, ["impression", "click", "buy"]),
        ({"return": 2, "purchase": 90}, ["return", "purchase"]),
        ({"1": 90, "4": 2, "2": 10}, ["1", "2", "4"]),
        (
            {"impression": 9, "pause": 5, "play": 6, "save": 1, "rate": 4},
            ["pause", "impression", "play", "save", "rate"],
        ),
        ({"view": 90, "alpha": 9, "beta": 2}, ["view", "alpha", "beta"]),
        ({"like": 20, "unsave": 3, "share": 4}, ["unsave", "share", "like"]),
        ({"Warenkorb": 9, "gekauft": 30, "angesehen": 9}, ["angesehen", "Warenkorb", "gekauft"]),
    ],
)
def test_behaviours_are_ordered_by_what_they_are_worth(counts: dict[str, int], order: list[str]) -> None:
    assert value_order(counts) == order
